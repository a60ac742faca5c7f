"""Depth that other pictures confirm.

A depth map gives every pixel a distance, those of the sky and of blank walls too, and its errors
have long tails. What several other maps, made from other pictures, put at the same place in space
is known; the rest is not.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..formats import depth_exr
from ..formats.capture import Capture
from .views import TrainingView, ViewSet


@dataclass(frozen=True, kw_only=True)
class KnownDepthConfig:
    """How a depth is confirmed."""

    asked: int = 8  # other maps that are asked
    among: int = 14  # of so many whose cameras are nearest, every second or so: not all alike
    confirming: int = 2  # of them must agree
    tolerance: float = 0.03  # relative difference up to which they do


@dataclass(frozen=True)
class KnownDepth:
    """(h, w) distance along the axis of a training view's camera, 0 where it is not known."""

    view: TrainingView
    depth: Tensor

    def at(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Of points (N, 3): their own depth in the view, and the known one at their pixel, 0 where
        there is none or the point is outside the picture.
        """
        own, inside, row, column = pixels_of(self.view, self.depth.shape, points)
        return own, torch.where(inside, self.depth[row, column], 0.0)

    def between(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The same, the known one interpolated: on a floor seen flatly, from one row of the map to
        the next it is some per cent.
        """
        own, inside, x, y = _places(self.view, self.depth.shape, points)
        height, width = self.depth.shape
        at = torch.stack([2 * x / width - 1, 2 * y / height - 1], -1)[None, None]
        inverse = torch.where(self.depth > 0, 1 / self.depth, torch.nan)  # planes stay planes
        there = torch.nn.functional.grid_sample(
            inverse[None, None], at, padding_mode="border", align_corners=False
        )[0, 0, 0]
        return own, torch.where(inside, 1 / there, 0.0).nan_to_num(0.0)


def pixels_of(
    view: TrainingView, shape: torch.Size, points: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Depth (N,), whether it is inside the picture, and row and column in a map of `shape`."""
    own, inside, x, y = _places(view, shape, points)
    return own, inside, torch.where(inside, y, 0.0).long(), torch.where(inside, x, 0.0).long()


def _places(
    view: TrainingView, shape: torch.Size, points: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Depth (N,), whether it is inside the picture, and where across and down a map of `shape`."""
    local = points @ view.viewmat[:3, :3].T + view.viewmat[:3, 3]
    across, down = shape[1] / view.size[0], shape[0] / view.size[1]
    depth = local[:, 2].clamp_min(1e-9)
    x = (view.K[0, 0] * local[:, 0] / depth + view.K[0, 2]) * across
    y = (view.K[1, 1] * local[:, 1] / depth + view.K[1, 2]) * down
    inside = (local[:, 2] > 1e-6) & (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
    return local[:, 2], inside, x, y


def points_of(view: TrainingView, depth: Tensor) -> Tensor:
    """(h w, 3) in the world."""
    height, width = depth.shape
    v, u = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    u, v = u * view.size[0] / width, v * view.size[1] / height
    rays = torch.stack(
        [
            (u - view.K[0, 2]) / view.K[0, 0],
            (v - view.K[1, 2]) / view.K[1, 1],
            torch.ones_like(u),
        ],
        -1,
    )
    local = (rays * depth[..., None]).reshape(-1, 3)
    return (local - view.viewmat[:3, 3]) @ view.viewmat[:3, :3]


def known_depths(
    capture: Capture, views: ViewSet, config: KnownDepthConfig = KnownDepthConfig()
) -> list[KnownDepth]:
    """Of the training views that have a depth map; none where fewer than `confirming` + 1 have.

    Raises InputError for a depth map that can't be read.
    """
    maps = [
        KnownDepth(views.full[i], torch.from_numpy(depth_exr.read(path)))
        for i in views.training
        if (path := capture.frames[i].depth) is not None and path.is_file()
    ]
    if len(maps) <= config.confirming:
        return []
    places = torch.stack([m.view.viewmat[:3, :3].T @ m.view.viewmat[:3, 3] for m in maps])
    order = torch.cdist(places, places).argsort(dim=1, stable=True)[:, 1 : config.among + 1]
    step = max(1, order.shape[1] // config.asked)
    return [
        KnownDepth(one.view, _confirmed(one, [maps[k] for k in others[::step].tolist()], config))
        for one, others in zip(maps, order, strict=True)
    ]


def _confirmed(one: KnownDepth, others: list[KnownDepth], config: KnownDepthConfig) -> Tensor:
    """(h, w) the map with 0 where too few of the others agree."""
    points = points_of(one.view, one.depth)
    agreeing = torch.zeros(len(points), dtype=torch.int64)
    for other in others:
        own, there = other.between(points)
        agreeing += (own - there).abs() < config.tolerance * there
    kept = (agreeing >= config.confirming).view(one.depth.shape) & (one.depth > 0)
    return torch.where(kept, one.depth, 0.0)


def share_known(depths: list[KnownDepth]) -> float:
    """Of the pixels."""
    return float(np.mean([float((d.depth > 0).float().mean()) for d in depths])) if depths else 0.0


def color_at(view: TrainingView, points: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 3) of the pixels that show the points (N, 3), 0..255, and (N,) whether they count."""
    _, inside, row, column = pixels_of(view, view.pixels.shape[:2], points)
    counts = inside if view.mask is None else inside & view.mask[row, column]
    return view.pixels[row, column, :3].float(), counts
