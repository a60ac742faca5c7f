"""Cameras that look at splats, and what they see: colour, coverage, depth, and how sure it is."""

import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...formats.capture import Frame
from ...gaussians.frame_views import intrinsics_at, viewmat_of
from ...gaussians.light import seen_colors
from ...gaussians.model import Gaussians
from ...gaussians.rasterize import rasterize

FIELD = math.radians(40)  # of the cameras all around
CLEAR = 1.15  # how much further away they are than they must be to see the whole box
LEAST = 16  # pixels of the box that a camera must see
HIDING = 8  # times that a splat hides what is behind it, when depth is asked for
FINER = 1.5  # than a photograph: splats know no pixels, but know little that it does not show


@dataclass(frozen=True, kw_only=True)
class LookingView:
    """A camera that sees the box alone; `part` is that part (left, top, right, bottom) of the
    photograph that it took, if it took one.
    """

    viewmat: Tensor  # (4, 4)
    K: Tensor  # (3, 3)
    width: int
    height: int
    picture: Path | None = None
    part: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class SeenSplats:
    """What a camera sees of them."""

    view: LookingView
    color: Tensor  # (H, W, 3) over black
    alpha: Tensor  # (H, W)
    depth: Tensor  # (H, W) along the viewing axis, the mean of what is met; 0 for nothing
    spread: Tensor  # (H, W) standard deviation of that, in the same unit


def of_capture(
    frames: list[Frame], box: tuple[Tensor, Tensor], count: int, side: int
) -> list[LookingView]:
    """At most `count` of its cameras that see something of the box, (3,) to (3,), evenly along its
    way: what they see of it, the longer side at most `side`.
    """
    views = []
    for frame in frames:
        viewmat = viewmat_of(frame, box[0].device)
        K = intrinsics_at(frame, frame.width, frame.height, box[0].device)
        part = _part(viewmat, K, box, (frame.width, frame.height))
        if part[2] - part[0] >= LEAST and part[3] - part[1] >= LEAST:
            views.append(_cut(viewmat, K, part, side, frame.image))
    chosen = np.linspace(0, len(views) - 1, min(count, len(views))).round().astype(int)
    return [views[k] for k in chosen]


def _part(
    viewmat: Tensor, K: Tensor, box: tuple[Tensor, Tensor], size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Of a picture, where a box is; all of it where the camera stands in the box or beside it."""
    corners = torch.stack(
        [torch.stack([box[x][0], box[y][1], box[z][2]]) for x, y, z in product((0, 1), repeat=3)]
    )
    seen = corners @ viewmat[:3, :3].T + viewmat[:3, 3]
    if (seen[:, 2] < 1e-3 * (box[1] - box[0]).max()).any():
        return (0, 0, *size) if (seen[:, 2] > 0).any() else (0, 0, 0, 0)
    at = seen[:, :2] / seen[:, 2:] * K.diagonal()[:2] + K[:2, 2]
    left, top = (max(0, int(v)) for v in at.amin(0).floor().tolist())
    right, bottom = (
        min(most, int(v)) for most, v in zip(size, at.amax(0).ceil().tolist(), strict=True)
    )
    return left, top, right, bottom


def _cut(
    viewmat: Tensor, K: Tensor, part: tuple[int, int, int, int], side: int, picture: Path | None
) -> LookingView:
    """A camera that sees a part of a picture, its longer side `side` or half as fine again as the
    picture.
    """
    left, top, right, bottom = part
    scale = min(FINER, side / max(right - left, bottom - top))
    width, height = (max(8, round(v * scale)) for v in (right - left, bottom - top))
    K = K.clone()
    K[0, 2] -= left
    K[1, 2] -= top
    K[0] *= width / (right - left)
    K[1] *= height / (bottom - top)
    return LookingView(viewmat=viewmat, K=K, width=width, height=height, picture=picture, part=part)


def all_around(box: tuple[Tensor, Tensor], count: int, side: int) -> list[LookingView]:
    """Cameras on a sphere around a box, evenly (a golden spiral), that see all of it."""
    center, radius = (box[0] + box[1]) / 2, float((box[1] - box[0]).norm()) / 2
    away = CLEAR * radius / math.sin(FIELD / 2)
    focal = side / 2 / math.tan(FIELD / 2)
    K = center.new_tensor([[focal, 0, side / 2], [0, focal, side / 2], [0, 0, 1]])
    views = []
    for index in range(count):
        height = 1 - 2 * (index + 0.5) / count
        angle, wide = index * math.pi * (3 - math.sqrt(5)), math.sqrt(1 - height**2)
        out = center.new_tensor([wide * math.cos(angle), wide * math.sin(angle), height])
        right = torch.nn.functional.normalize(center.new_tensor([-out[1], out[0], 0]), dim=0)
        rotation = torch.stack([right, torch.linalg.cross(-out, right), -out])
        viewmat = torch.eye(4, device=center.device)
        viewmat[:3, :3], viewmat[:3, 3] = rotation, -rotation @ (center + away * out)
        part = _part(viewmat, K, box, (side, side))
        views.append(_cut(viewmat, K, part, side, None))
    return views


@torch.no_grad()
def look(gaussians: Gaussians, view: LookingView) -> SeenSplats:
    """One picture of everything.

    Depth is that of splats which are more opaque than they are: trained ones hide each other
    little by little, so that the mean of all that a pixel blends lies behind the surface.
    """
    g = gaussians
    colors = seen_colors(g.means, g.sh(g.sh_degree), view.viewmat, g.sh_degree)
    image, alpha = _drawn(g, g.opacities, colors, view)
    away = (g.means @ view.viewmat[2, :3] + view.viewmat[2, 3])[:, None]
    hiding = 1 - (1 - g.opacities) ** HIDING
    moments, met = _drawn(g, hiding, torch.cat([away, away.square()], 1), view)
    mean, square = (moments / met[..., None].clamp_min(1e-6)).unbind(-1)
    return SeenSplats(
        view=view,
        color=image,
        alpha=alpha,
        depth=torch.where(met > 1e-3, mean, 0),
        spread=(square - mean.square()).clamp_min(0).sqrt(),
    )


def _drawn(
    gaussians: Gaussians, opacities: Tensor, colors: Tensor, view: LookingView
) -> tuple[Tensor, Tensor]:
    """(H, W, D) of colours (N, D) over nothing, and (H, W) coverage."""
    drawn = rasterize(
        gaussians.means,
        gaussians.quats,
        gaussians.scales,
        opacities,
        colors,
        view.viewmat[None],
        view.K[None],
        view.width,
        view.height,
    )
    return drawn.image[0], drawn.alpha[0, ..., 0]
