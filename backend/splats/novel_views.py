"""Views from where nobody filmed, foretold by the training pictures and confirmed depth.

Splats need to be right only from where they were trained. Ground that all cameras saw flatly is
explained as well by streaks and by a pile of half-transparent Gaussians, and falls apart from
above. But where depth is confirmed, what a new camera would see is known: each of its pixels is
taken from the training picture that shows the surface best. It counts where nothing unknown may
stand in the way. (Open air of `splats_away`, seeds 7 and 2: from above 1.8 and 1.1 dB more, beyond
0.3, between 0.0 and 0.1 less. Room, seeds 7 and 3: above 0.7 and 1.6, beyond 0.5 and 0.7, between
0.1 and 0.0 less. Cameras that stand on all sides, not above alone, and half the size of a picture
instead of a third, seed 7: another 1.3, 0.3 and 0.0 in the open, 0.9, 0.2 and 0.0 in the room.)
"""

from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor

from .known_depth import KnownDepth, pixels_of
from .known_surface import SurfacePoints, known_surface
from .novel_cameras import NovelConfig, evenly, novel_cameras, place_of
from .views import TrainingView

SAME = 0.03  # relative difference of depth up to which two points are of one surface
OUTLINE = 1.1  # ratio of the depths of neighbouring pixels that makes one
FEWEST = 3  # points that a pixel needs
WAY = (0.3, 0.93, 12)  # on the way to the surface, from and to which share, how many places


@dataclass(frozen=True, kw_only=True)
class NovelView:
    """What a novel camera sees."""

    view: TrainingView
    counts: Tensor  # (H, W) bool: what it shows is known there

    def loss(self, image: Tensor, config: NovelConfig) -> Tensor:
        """Mean difference of a rendering (H, W, 3), that of outliers damped: depth may err."""
        device = image.device
        off = (image - self.view.pixels.to(device).float() / 255).abs().mean(-1)
        least = off.clamp(max=config.forgiven)
        damped = least + 0.3 * (off - least)
        return (damped * self.counts.to(device)).mean()


def novel_views(
    views: list[TrainingView],
    known: list[KnownDepth],
    config: NovelConfig,
    log_gains: Tensor | None = None,
) -> list[NovelView]:
    """At most `config.count` of them; none without known depth. `log_gains` (V, 3): how the
    pictures are exposed.
    """
    asked = evenly(known, config.sources)
    if not asked:
        return []
    gains = torch.ones(len(views), 3) if log_gains is None else log_gains.exp()
    surface = known_surface(views, asked, config.points, gains)
    tried = (
        _foretold(base, viewmat, surface, asked, config)
        for base, viewmat in novel_cameras(asked, config)
    )
    return list(islice((view for view in tried if view is not None), config.count))


def _foretold(
    base: TrainingView,
    viewmat: Tensor,
    surface: SurfacePoints,
    known: list[KnownDepth],
    config: NovelConfig,
) -> NovelView | None:
    """The novel view, or None where too little of it is known."""
    size = min(config.size, config.finest * known[0].depth.shape[1] / base.size[0])
    width, height = (max(1, round(side * size)) for side in base.size)
    K = base.K.clone()
    K[0], K[1] = K[0] * (width / base.size[0]), K[1] * (height / base.size[1])
    black = torch.zeros(height, width, 3, dtype=torch.uint8)
    blank = TrainingView(name="", pixels=black, viewmat=viewmat, K=K)
    own, inside, row, column = pixels_of(blank, torch.Size((height, width)), surface.means)
    seen = inside.nonzero()[:, 0]
    pixel, own = (row * width + column)[seen], own[seen]
    depth = torch.full((height * width,), torch.inf).scatter_reduce(0, pixel, own, "amin")
    front = own < (1 + SAME) * depth[pixel]
    met, pixel = surface.take(seen[front]), pixel[front]
    counts = _counts(met, pixel, depth.reshape(height, width), place_of(viewmat), config)
    if counts is None:
        return None
    where = counts.flatten().nonzero()[:, 0]
    counts.view(-1)[where[_is_blocked(blank, where, depth, known)]] = False
    if float(counts.float().mean()) < config.covered:
        return None
    colors = _colors(met, pixel, height * width)
    view = replace(blank, pixels=colors.reshape(height, width, 3))
    return NovelView(view=view, counts=counts)


def _counts(
    met: SurfacePoints, pixel: Tensor, depth: Tensor, place: Tensor, config: NovelConfig
) -> Tensor | None:
    """(H, W) bool where enough points are met, from the front, off the outlines; None for a camera
    behind a floor or a wall.
    """
    count = torch.bincount(pixel, minlength=depth.numel())
    is_back = ((place - met.means) * met.normals).sum(1) <= 0
    backs = torch.bincount(pixel[is_back], minlength=depth.numel())
    if int((2 * backs > count).sum()) > config.behind * int((count > 0).sum()):
        return None
    far = torch.where(torch.isfinite(depth), depth, 0.0)[None, None]
    nearest = -torch.nn.functional.max_pool2d(-depth[None, None], 3, 1, 1)
    farthest = torch.nn.functional.max_pool2d(far, 3, 1, 1)
    inner = (depth <= OUTLINE * nearest[0, 0]) & (farthest[0, 0] <= OUTLINE * depth)
    enough = (count >= FEWEST) & (4 * backs < count)
    return enough.reshape(depth.shape) & inner


def _colors(met: SurfacePoints, pixel: Tensor, pixels: int) -> Tensor:
    """(P, 3) uint8 of the training picture that shows each pixel's surface best."""
    best = torch.zeros(pixels).scatter_reduce(0, pixel, met.density, "amax")
    winning = met.density >= best[pixel]
    picture = torch.zeros(pixels, dtype=torch.int64)
    picture = picture.scatter_reduce(0, pixel[winning], met.picture[winning], "amax")
    same = met.picture == picture[pixel]
    total = torch.zeros(pixels, 3).index_add(0, pixel[same], met.colors[same])
    number = torch.bincount(pixel[same], minlength=pixels).clamp_min(1)
    return (total / number[:, None]).round().to(torch.uint8)


def _is_blocked(
    view: TrainingView, where: Tensor, depth: Tensor, known: list[KnownDepth]
) -> Tensor:
    """(M,) of the pixels `where` (M,): something that no picture shows may stand before it."""
    width = view.size[0]
    x, y = (where % width) + 0.5, (where // width) + 0.5
    K, rotation = view.K, view.viewmat[:3, :3]
    rays = torch.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], torch.ones_like(x)], -1)
    ways = (rays * depth[where, None]) @ rotation
    blocked = torch.zeros(len(where), dtype=torch.bool)
    for share in torch.linspace(*WAY).tolist():
        open_ = (~blocked).nonzero()[:, 0]
        blocked[open_] = _may_be_solid(place_of(view.viewmat) + share * ways[open_], known)
    return blocked


def _may_be_solid(points: Tensor, known: list[KnownDepth]) -> Tensor:
    """(N,) every training picture that has the place in it is known to show something before it."""
    hidden = torch.zeros(len(points), dtype=torch.bool)
    asked = torch.arange(len(points))  # those that nothing is known to be free
    for one in known:
        own, inside, row, column = pixels_of(one.view, one.depth.shape, points[asked])
        there = one.depth[row, column]
        hides = inside & (there > 0) & (own > (1 - SAME / 2) * there)
        hidden[asked[hides]] = True
        free = inside & ~hides
        hidden[asked[free]] = False
        asked = asked[~free]
    return hidden
