"""One surface from what all views see: their points gathered in voxels, which are joined to those
that they touch.

Voxels are about as large as a few pixels. Far from the middle of what is seen, where pixels are
large, space is contracted as logarithms contract it, so voxels grow with the distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Doubles, Floats, Ints, Ints32
from .seen_surface import SeenView, looked_through


@dataclass(frozen=True, kw_only=True)
class FusionConfig:
    """How fine a surface is."""

    pixels: float = 2.2  # width of a voxel
    most: int = 120_000  # voxels; where there would be more they are larger
    least: int = 3  # pixels in a voxel
    close: float = 80.0  # percentile of the points' distances within which space is not contracted
    slack: float = 1.5  # voxels before the surface from which a voxel is looked through


@dataclass(frozen=True, kw_only=True)
class FusedSurface:
    """V voxels on the surface."""

    points: Doubles  # (V, 3) mean of the pixels' points
    normals: Doubles  # (V, 3) of length 1
    widths: Doubles  # (V,)
    cells: Doubles  # (V, 3) where they are in the grid, in voxels
    pairs: Ints  # (E, 2) voxels that touch, the lower number first
    maps: list[Ints32]  # (H, W) of every view: the voxel of a pixel, -1: none


@dataclass(frozen=True)
class _Grid:
    """Contracted space in cells."""

    center: Doubles
    radius: float
    width: float

    def distance(self, points: Floats | Doubles) -> Doubles:
        return np.asarray(np.linalg.norm(points - self.center, axis=-1), np.float64)

    def cells(self, points: Floats | Doubles) -> Doubles:
        distance = self.distance(points)
        beyond = np.maximum(distance, self.radius) / self.radius
        shrunk = np.where(
            distance > self.radius,
            self.radius * (1 + np.log(beyond)) / np.maximum(distance, 1e-12),
            1,
        )
        return np.asarray((points - self.center) * shrunk[..., None] / self.width)


def _grid_of(views: Sequence[SeenView], points: Floats, config: FusionConfig) -> _Grid:
    sample = points[:: max(1, len(points) // 50_000)]
    center = np.median(sample, 0).astype(np.float64)
    distance = np.linalg.norm(sample - center, axis=1)
    pixels = [(v.depth / float(v.view.K[0, 0]))[v.known][::50] for v in views]
    radius = float(np.percentile(distance, config.close))
    width = config.pixels * float(np.median(np.concatenate(pixels)))
    return _Grid(center, max(radius, 1e-9), max(width, 1e-9))


def _numbered(cells: Ints) -> tuple[Ints, Ints, tuple[int, int, int]]:
    """Cells (M, 3) as single numbers (M,), and the steps between neighbours along each axis."""
    cells = cells - cells.min(0) + 1
    size = cells.max(0) + 2
    steps = (int(size[1] * size[2]), int(size[2]), 1)
    return cells @ np.array(steps), cells, steps


def _mean(values: Floats, groups: Ints, counts: Ints) -> Doubles:
    """(V, 3) of values (M, 3)."""
    sums = [np.bincount(groups, values[:, k], len(counts)) for k in range(3)]
    return np.stack(sums, 1) / counts[:, None]


def fuse(views: Sequence[SeenView], config: FusionConfig = FusionConfig()) -> FusedSurface | None:
    """The surface that views see; None where they see none."""
    points = np.concatenate([v.points[v.known] for v in views])
    if len(points) < 100:
        return None
    grid = _grid_of(views, points, config)
    while True:
        flat, _, steps = _numbered(np.floor(grid.cells(points)).astype(np.int64))
        places, groups, counts = np.unique(flat, return_inverse=True, return_counts=True)
        if (counts >= config.least).sum() <= config.most:
            break
        grid = _Grid(grid.center, grid.radius, 1.15 * grid.width)
    groups = groups.reshape(-1)
    normals = _mean(np.concatenate([v.normals[v.known] for v in views]), groups, counts)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    means = _mean(points, groups, counts)
    widths = grid.width * np.maximum(grid.distance(means) / grid.radius, 1)
    through, at = looked_through(
        means.astype(np.float32), views, (config.slack * widths).astype(np.float32)
    )
    kept = np.flatnonzero((counts >= config.least) & (at >= 1) & (through <= 0.5 * at))
    if len(kept) < 10:
        return None
    number = np.full(len(places), -1, np.int32)
    number[kept] = np.arange(len(kept))
    ends = np.cumsum([int(v.known.sum()) for v in views])
    maps = []
    for view, own in zip(views, np.split(number[groups], ends[:-1]), strict=True):
        shown = np.full(view.known.shape, -1, np.int32)
        shown[view.known] = own
        maps.append(shown)
    return FusedSurface(
        points=means[kept],
        normals=normals[kept],
        widths=widths[kept],
        cells=grid.cells(means[kept]),
        pairs=_touching(places[kept], steps),
        maps=maps,
    )


def _touching(places: Ints, steps: tuple[int, int, int]) -> Ints:
    """(E, 2) of ascending places (V,): those that share a face, an edge or a corner."""
    pairs = []
    around = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)])
    for offset in (around @ np.array(steps)).tolist():
        if offset <= 0:
            continue
        other = np.minimum(np.searchsorted(places, places + offset), len(places) - 1)
        there = np.flatnonzero(places[other] == places + offset)
        pairs.append(np.stack([there, other[there]], 1))
    return np.concatenate(pairs)


def smoothed(surface: FusedSurface, rounds: int) -> Doubles:
    """(V, 3) normals averaged so often with those of touching voxels that face the same way."""
    a, b = surface.pairs.T
    normals = surface.normals
    for _ in range(rounds):
        alike = (normals[a] * normals[b]).sum(1) > 0.5
        first, second, sums = a[alike], b[alike], normals.copy()
        for k in range(3):
            sums[:, k] += np.bincount(first, normals[second, k], len(normals))
            sums[:, k] += np.bincount(second, normals[first, k], len(normals))
        normals = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return np.asarray(normals)
