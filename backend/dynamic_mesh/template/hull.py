"""A template from silhouettes alone: the visual hull, soft where the object moved, carved in a frame of rest if its motion is known."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ...protocol import InputError
from ..mesh_rasterizer import fragments, picture, project
from ..moments import Moment
from .surface import Surface, decimate, largest_parts, level_set

Warp = Callable[[Tensor, float], Tensor]  # points at rest (P, 3) and a time -> where they are then


@dataclass(frozen=True)
class HullConfig:
    """`levels`: shares of pictures that must agree, of which the one that explains the silhouettes best is taken."""

    resolution: int = 72
    blur: float = 0.8  # cells
    reach: float = 1.15  # half the cube's side, in units of the box
    levels: tuple[float, ...] = (0.5, 0.6, 0.7, 0.78, 0.85, 0.9, 0.95)
    faces: int = 5000


def cell_centers(config: HullConfig) -> Tensor:
    """(R^3, 3)"""
    line = ((torch.arange(config.resolution) + 0.5) / config.resolution * 2 - 1) * config.reach
    return torch.stack(torch.meshgrid(line, line, line, indexing="ij"), -1).reshape(-1, 3)


def sample(image: Tensor, points: Tensor) -> Tensor:
    """(P,) of a picture (H, W) at points (P, 2) in pixels, 0 outside."""
    size = torch.tensor([image.shape[1], image.shape[0]], device=image.device)
    grid = (points / size * 2 - 1)[None, None]
    found: Tensor = torch.nn.functional.grid_sample(image[None, None], grid, align_corners=False, padding_mode="zeros")[0, 0, 0]
    return found


@torch.no_grad()
def carve(moments: list[Moment], config: HullConfig, warp: Warp | None = None) -> np.ndarray:
    """(R, R, R) the share of pictures in which a cell lies inside the silhouette."""
    cells = cell_centers(config)
    votes = torch.zeros(len(cells))
    for moment in moments:
        level = moment.levels[1]
        there = cells if warp is None else warp(cells, moment.time)
        seen = there @ moment.viewmat[:3, :3].T + moment.viewmat[:3, 3]
        pixels = seen[:, :2] / seen[:, 2:].clamp_min(1e-3) * level.K.diagonal()[:2] + level.K[:2, 2]
        votes += sample(level.alpha, pixels)
    return (votes / len(moments)).view(config.resolution, config.resolution, config.resolution).numpy()


@torch.no_grad()
def silhouette_iou(surface: Surface, moments: list[Moment], warp: Warp | None = None) -> float:
    """How well a surface explains the silhouettes: mean intersection over union, at a quarter of the size."""
    vertices, faces, scores = torch.from_numpy(surface.vertices), torch.from_numpy(surface.faces), []
    for moment in moments:
        level = moment.levels[2]
        there = vertices if warp is None else warp(vertices, moment.time)
        screen = project(there, faces, moment.viewmat, level.K, level.size)
        seen = fragments(screen)
        drawn = picture(seen, screen, seen.barycentric[:, :0])[..., 0]
        scores.append(float(torch.minimum(drawn, level.alpha).sum() / torch.maximum(drawn, level.alpha).sum().clamp_min(1e-6)))
    return float(np.mean(scores))


def from_silhouettes(moments: list[Moment], config: HullConfig, warp: Warp | None = None) -> Surface:
    """The hull whose level explains the silhouettes best, decimated; InputError where there is none."""
    votes = ndimage.gaussian_filter(carve(moments, config, warp), config.blur)
    best, score = None, -1.0
    sparse = moments[:: max(1, len(moments) // 10)]
    for level in config.levels:
        found = level_set(votes, level, -config.reach, config.reach)
        if found is None or len(found.faces) < 50:
            continue
        found = decimate(largest_parts(found), config.faces)
        explained = silhouette_iou(found, sparse, warp)
        if explained > score:
            best, score = found, explained
    if best is None:
        raise InputError(
            "No solid shape fits the object's outlines: the masks and the cameras contradict each other.",
            "Check that white is the object in every mask, and that the cameras are those of these pictures.",
        )
    return largest_parts(best)
