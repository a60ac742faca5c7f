"""The footage as the fit sees it: pictures of the object alone, cut out around it, with camera and time, in a unit box."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Level:
    """A picture of the object at one size; `K` belongs to this size and cut."""

    color: Tensor  # (H, W, 3) 0..1, black where the object is not
    alpha: Tensor  # (H, W) how much of a pixel is the object
    K: Tensor  # (3, 3)
    depth: Tensor | None = None  # (H, W) along the viewing axis in units of the box; 0 where unknown

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.alpha.shape[1], self.alpha.shape[0]


@dataclass(frozen=True)
class Moment:
    """One picture of the object. `levels` go from full size to a quarter."""

    name: str
    time: float  # 0 at the first picture, 1 at the last
    viewmat: Tensor  # (4, 4) unit box to camera, OpenCV axes
    levels: list[Level]


@dataclass(frozen=True)
class Box:
    """The cube that the object moves in: world = center + radius * unit."""

    center: Floats  # (3,)
    radius: float

    def to_unit(self, viewmat: Floats) -> Tensor:
        """World-to-camera -> unit-box-to-camera, in units of the box."""
        inside = np.array(viewmat, np.float64)
        inside[:3, 3] = (viewmat[:3, :3] @ self.center + viewmat[:3, 3]) / self.radius
        return torch.tensor(inside, dtype=torch.float32)

    def to_world(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.asarray(points * self.radius + self.center, np.float32)


def held_out(count: int, every: int = 8) -> list[int]:
    """Indices that the fit never sees: every eighth, not the ends, for nothing can be known beyond them."""
    return [i for i in range(count) if i % every == every // 2] if every and count >= every else []


def find_box(viewmats: Floats, Ks: Floats, alphas: list[NDArray[np.floating]]) -> Box:
    """The middle of the object's silhouettes in space, and how far they reach: rays through their centroids meet there."""
    normal, target, reach = np.zeros((3, 3)), np.zeros(3), []
    rays = []
    for viewmat, K, alpha in zip(viewmats, Ks, alphas, strict=True):
        rows, columns = np.nonzero(alpha > 0.5)
        if len(rows) < 8:
            continue
        middle = np.array([columns.mean() + 0.5, rows.mean() + 0.5, 1.0])
        direction = viewmat[:3, :3].T @ np.linalg.solve(K, middle)
        direction /= np.linalg.norm(direction)
        place = -viewmat[:3, :3].T @ viewmat[:3, 3]
        across = np.eye(3) - np.outer(direction, direction)
        normal, target = normal + across, target + across @ place
        size = np.hypot(columns - columns.mean(), rows - rows.mean()).max() / K[0, 0]
        rays.append((viewmat, size))
    center = np.asarray(np.linalg.lstsq(normal, target, rcond=1e-9)[0], np.float64)
    for viewmat, size in rays:
        reach.append(size * max(float(viewmat[2, :3] @ center + viewmat[2, 3]), 1e-9))
    return Box(center, float(np.quantile(reach, 0.95)) * 1.1)


def halve(values: Tensor) -> Tensor:
    """(H, W, C) averaged over squares of four pixels; an odd last row or column is dropped."""
    height, width = values.shape[0] // 2 * 2, values.shape[1] // 2 * 2
    pooled = torch.nn.functional.avg_pool2d(values[:height, :width].permute(2, 0, 1)[None], 2)
    return pooled[0].permute(1, 2, 0).contiguous()


def pyramid(full: Level, count: int = 3) -> list[Level]:
    """Full size, half, quarter. Depth is averaged where it is known."""
    levels = [full]
    for _ in range(count - 1):
        last = levels[-1]
        K = last.K.clone()
        K[:2] *= 0.5
        depth = None
        if last.depth is not None:
            known = (last.depth > 0).float()
            both = halve(torch.stack([last.depth * known, known], -1))
            depth = torch.where(both[..., 1] > 0.99, both[..., 0] / both[..., 1].clamp_min(1e-6), 0)
        merged = halve(torch.cat([last.color, last.alpha[..., None]], -1))
        levels.append(Level(merged[..., :3], merged[..., 3], K, depth))
    return levels
