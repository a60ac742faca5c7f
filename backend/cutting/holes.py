"""Where a surface is missing: the cells of a grid over it that no splat covers, in the shadow of
what stood before it. numpy only.
"""

from dataclasses import dataclass

import numpy as np

from ..geometry.arrays import Doubles, Flags, Floats, Ints
from .cells import connected
from .footprints import Footprints, cover, seen_to
from .planes import Plane


@dataclass(frozen=True, kw_only=True)
class HoleConfig:
    """What counts as covered, and as surrounded."""

    cell: float = 2.0  # usual sizes of the surface's splats
    most: int = 600  # cells along an axis
    solid: float = 0.25  # opacity to which a splat covers
    sides: int = 3  # of four, on which a hole must meet the surface
    smallest: int = 4  # cells of a hole
    ring: float = 0.3  # of its width: how far around it the surface is looked at
    surrounded: float = 0.7  # share of that which must be covered
    eyes: int = 24  # that are asked


@dataclass(frozen=True, kw_only=True)
class SurfaceGrid:
    """Cells over a surface, and whose middle lies in each."""

    plane: Plane
    cell: float
    low: Doubles  # (2,) u, v of the first corner
    shape: tuple[int, int]  # rows along v, columns along u
    at: Ints  # (N,) the cell of each splat of the surface, counted row by row
    opacities: Floats  # (N,)
    covered: Flags  # (H, W) by any part of a splat
    known: Flags  # (H, W) with the middle of a splat

    @classmethod
    def of(cls, plane: Plane, prints: Footprints, config: HoleConfig) -> "SurfaceGrid":
        """Over all splats of a surface."""
        flat = plane.flat(prints.means)[:, :2]
        low, high = flat.min(0), flat.max(0)
        cell = max(
            config.cell * float(np.median(prints.sizes)),
            float((high - low).max()) / config.most,
            1e-9,
        )
        low = low - 2 * cell
        columns, rows = (np.ceil((high - low) / cell).astype(int) + 2).tolist()
        shape = (rows, columns)
        reach = seen_to(prints.opacities, config.solid, 2.0)
        touched = cover(prints, reach, 0.5 * cell)
        at = _index(plane.flat(touched.points)[:, :2], low, cell, shape)
        covered = np.zeros(rows * columns, bool)
        covered[at[(at >= 0) & (reach[touched.owner] > 0)]] = True
        mine = _index(flat, low, cell, shape)
        known = np.zeros(rows * columns, bool)
        known[mine] = True
        covered |= known
        return cls(
            plane=plane,
            cell=cell,
            low=low,
            shape=shape,
            at=mine,
            opacities=prints.opacities,
            covered=covered.reshape(shape),
            known=known.reshape(shape),
        )

    def mean(self, values: Floats) -> Doubles:
        """(H, W, D) of the splats' values (N, D), by opacity; zero where there are none."""
        size = self.shape[0] * self.shape[1]
        weight = np.bincount(self.at, self.opacities, size)
        sums = [
            np.bincount(self.at, self.opacities * values[:, k], size)
            for k in range(values.shape[1])
        ]
        means = np.stack(sums, 1) / np.maximum(weight, 1e-9)[:, None]
        return np.asarray(means.reshape(*self.shape, -1), np.float64)

    def centers(self) -> Doubles:
        """(H, W, 2) u, v of the cells' middles."""
        rows, columns = np.indices(self.shape)
        return np.stack([columns + 0.5, rows + 0.5], -1) * self.cell + self.low

    def marked(self, points: Doubles) -> Flags:
        """(H, W) cells that hold one of the places (P, 2) u, v."""
        mask = np.zeros(self.shape[0] * self.shape[1], bool)
        at = _index(points, self.low, self.cell, self.shape)
        mask[at[at >= 0]] = True
        return mask.reshape(self.shape)


def _index(flat: Doubles, low: Doubles, cell: float, shape: tuple[int, int]) -> Ints:
    """(P,) cells of places (P, 2), -1: beyond the grid."""
    grid = np.floor((flat - low) / cell)
    below = grid < np.array([shape[1], shape[0]])
    inside: Flags = np.asarray(((grid >= 0) & below).all(1))
    column, row = np.where(inside[:, None], grid, 0).astype(np.int64).T
    return np.where(inside, row * shape[1] + column, -1)


def find_hole(
    grid: SurfaceGrid, shadow: Footprints, eyes: Floats | None, config: HoleConfig
) -> Flags:
    """(H, W) what nothing covers in the shadow of an object, and the surface surrounds."""
    dark = _widened(_shadow(grid, shadow, eyes, config))
    hole = ~grid.covered & dark & (_sides(grid.covered) >= config.sides)
    return _in_surface(hole, grid.covered, config)


def _shadow(
    grid: SurfaceGrid, object_: Footprints, eyes: Floats | None, config: HoleConfig
) -> Flags:
    """What the object covers of the grid along the normal, and as seen from the eyes."""
    reach = seen_to(object_.opacities, config.solid, 2.0)
    points = grid.plane.flat(cover(object_, reach, grid.cell).points)
    dark = grid.marked(points[:, :2])
    if eyes is None:
        return dark
    for eye in grid.plane.flat(eyes[:: max(1, len(eyes) // config.eyes)]):
        # where the ray from the eye through a point meets the plane, if that lies behind the point
        drop = eye[2] - points[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            along = eye[2] / drop
            hit = eye[:2] + along[:, None] * (points[:, :2] - eye[:2])
        dark |= grid.marked(hit[np.isfinite(hit).all(1) & (along >= 1)])
    return _closed(dark)


def _widened(mask: Flags) -> Flags:
    """With the eight cells around each."""
    padded = np.pad(mask, 1)
    height, width = mask.shape
    shifts = [padded[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.asarray(np.any(shifts, 0))


def _closed(mask: Flags) -> Flags:
    """Without gaps of a cell or two."""
    return ~_widened(~_widened(mask))


def _sides(covered: Flags) -> Ints:
    """(H, W) on how many of four sides a covered cell lies somewhere."""
    seen = covered.astype(np.int64)
    count = np.maximum.accumulate(seen, 0) + np.maximum.accumulate(seen[::-1], 0)[::-1]
    count += np.maximum.accumulate(seen, 1) + np.maximum.accumulate(seen[:, ::-1], 1)[:, ::-1]
    return np.asarray(count)


def _in_surface(hole: Flags, covered: Flags, config: HoleConfig) -> Flags:
    """Holes of some cells that touch, most of whose surroundings are covered: what lies between the
    legs of a table is none.
    """
    kept = np.zeros_like(hole)
    for mine in _pieces(hole):
        if len(mine) < config.smallest:
            continue
        rings = max(2, round(config.ring * len(mine) ** 0.5))
        low, high = np.maximum(mine.min(0) - rings, 0), mine.max(0) + rings + 1
        window = np.s_[low[0] : high[0], low[1] : high[1]]
        inside = np.zeros_like(hole[window])
        inside[tuple((mine - low).T)] = True
        wide = inside
        for _ in range(rings):
            wide = _widened(wide)
        if covered[window][wide & ~inside].mean() >= config.surrounded:
            kept[window] |= inside
    return kept


def _pieces(mask: Flags) -> list[Ints]:
    """Rows and columns (P, 2) of each piece of cells that touch."""
    number = np.cumsum(mask).reshape(mask.shape) - 1
    pairs = [
        np.stack([number[a][mask[a] & mask[b]], number[b][mask[a] & mask[b]]], 1)
        for a, b in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1]))
    ]
    part = connected(int(mask.sum()), np.concatenate(pairs))
    order = np.argsort(part, kind="stable")
    places = np.argwhere(mask)[order]
    return np.split(places, np.flatnonzero(np.diff(part[order])) + 1) if len(part) else []
