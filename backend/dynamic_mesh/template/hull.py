"""Where an object can be at all: the visual hull of its silhouettes, soft where it moved."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from ...geometry.arrays import Flags
from ..footage.timed_views import PyramidLevel, TimedView, view_arc

TRACE = 1e-3  # of something hidden in a sample: the outline beside it is no outline


@dataclass(frozen=True)
class HullConfig:
    resolution: int = 72
    blur: float = 0.8  # cells
    reach: float = 1.15  # half the cube's side, in units of the box
    one_sided: float = 30.0  # degrees around the object


def cell_centers(config: HullConfig) -> Tensor:
    """(R^3, 3)"""
    line = ((torch.arange(config.resolution) + 0.5) / config.resolution * 2 - 1) * config.reach
    return torch.stack(torch.meshgrid(line, line, line, indexing="ij"), -1).reshape(-1, 3)


def sample(image: Tensor, points: Tensor) -> Tensor:
    """(P,) of a picture (H, W) at points (P, 2) in pixels, 0 outside."""
    size = torch.tensor([image.shape[1], image.shape[0]], device=image.device)
    grid = (points / size * 2 - 1)[None, None]
    samples: Tensor = torch.nn.functional.grid_sample(
        image[None, None], grid, align_corners=False, padding_mode="zeros"
    )[0, 0, 0]
    return samples


def _told(level: PyramidLevel, points: Tensor) -> Tensor:
    """(P,) of bool: whether a picture can tell if the object is at points (P, 2) in pixels: not
    behind what hides it, nor past the photograph's own ends.
    """
    (width, height), (left, top, right, bottom) = level.size, level.ends
    x, y = points.unbind(1)
    past = (x < 0) & left | (y < 0) & top | (x > width) & right | (y > height) & bottom
    if level.known is None:
        return ~past
    return ~past & (sample((~level.known).float(), points) < TRACE)


@torch.no_grad()
def carve(views: list[TimedView], config: HullConfig) -> NDArray[np.uint8]:
    """(M, R, R, R) 0..255: how far a cell lies inside each silhouette; as far as in the others on
    average where that can't be told. Where the object was seen
    from one side only, it is taken to be as thick as it is wide: round.
    """
    cells = cell_centers(config)
    inside = np.empty((len(views), *[config.resolution] * 3), np.uint8)
    hidden: dict[int, Flags] = {}
    round_ = view_arc(views) < config.one_sided
    for index, view in enumerate(m.to("cpu") for m in views):
        level = view.levels[1]
        seen = cells @ view.viewmat[:3, :3].T + view.viewmat[:3, 3]
        pixels = seen[:, :2] / seen[:, 2:].clamp_min(1e-3) * level.K.diagonal()[:2] + level.K[:2, 2]
        votes = sample(level.alpha, pixels)
        if round_:
            wide = torch.from_numpy(
                ndimage.distance_transform_edt(level.alpha.numpy() > 0.5)
            ).float()
            votes = votes * (
                (seen[:, 2] - view.viewmat[2, 3]).abs()
                <= sample(wide, pixels) * seen[:, 2] / level.K[0, 0]
            )
        if (
            level.depth is not None
        ):  # what lies before the surface that was seen is empty, half a step of the grid aside
            seen_at = sample(level.depth, pixels)
            votes = votes * (
                (seen_at <= 0) | (seen[:, 2] > seen_at - config.reach / config.resolution)
            )
        inside[index] = (votes * 255).byte().numpy().reshape(inside.shape[1:])
        told = _told(level, pixels)
        if not told.all():
            hidden[index] = (~told).numpy().reshape(inside.shape[1:])
    return _filled(inside, hidden)


def _filled(inside: NDArray[np.uint8], hidden: dict[int, Flags]) -> NDArray[np.uint8]:
    """(M, R, R, R) with the mean of the other pictures for cells that are hidden in some; what is
    hidden in all of them is what the nearest cell is.
    """
    if not hidden:
        return inside
    total = inside.sum(0, dtype=np.float32)
    count = np.full(total.shape, len(inside), np.float32)
    for index, cells in hidden.items():
        total -= np.where(cells, inside[index], 0)
        count -= cells
    mean = (total / np.maximum(count, 1)).astype(np.uint8)
    if (count == 0).any():
        _, nearest = ndimage.distance_transform_edt(count == 0, return_indices=True)
        mean = mean[tuple(nearest)]
    for index, cells in hidden.items():
        inside[index][cells] = mean[cells]
    return inside


def share_inside(votes: NDArray[np.uint8], config: HullConfig) -> NDArray[np.float32]:
    """(R, R, R) the share of the pictures that a cell is inside of: soft, where the object
    moved.
    """
    return np.asarray(
        ndimage.gaussian_filter(votes.sum(0, dtype=np.float32) / (255 * len(votes)), config.blur)
    )
