"""Which splats lie near which, in cells of a grid: growing, flooding and loose parts of a million
splats in a moment. No bpy.

"Near" means in the same cell or in one of the 26 around it; cells are as wide as the reach.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ....backend.geometry.arrays import Flags, Ints

Points = NDArray[np.float32]  # (N, 3)

SIDE = 1 << 20  # cells along an axis at most
BEFORE = [
    offset for offset in product((-1, 0, 1), repeat=3) if offset < (0, 0, 0)
]  # half of the 26: the others mirror them


def typical_reach(points: Points) -> float:
    """A hundredth of the diagonal of the box that holds the middle nine tenths along every axis."""
    some = points[:: max(1, len(points) // 100_000)]
    some = some[np.isfinite(some).all(1)]
    if not len(some):
        return 1.0
    low, high = np.percentile(some, (5, 95), axis=0)
    return max(float(np.linalg.norm(high - low)) / 100, 1e-6)


@dataclass(frozen=True)
class Cells:
    """The cells that hold points, and the pairs of them that touch."""

    of: Ints  # (N,) each point's
    pairs: Ints  # (P, 2)

    @property
    def count(self) -> int:
        """How many cells hold points."""
        return int(self.of.max(initial=-1)) + 1


def cells(points: Points, reach: float) -> Cells:
    """Points that are not finite, or absurdly far away, share the outermost cells."""
    start = (
        np.nanpercentile(points, 50, axis=0) if len(points) else np.zeros(3)
    ) - reach * SIDE / 2
    grid = (
        np.nan_to_num((points.astype(np.float64) - start) / reach, nan=0.0)
        .clip(1, SIDE - 2)
        .astype(np.int64)
    )
    keys, of = np.unique((grid[:, 0] * SIDE + grid[:, 1]) * SIDE + grid[:, 2], return_inverse=True)
    pairs = []
    for x, y, z in BEFORE:
        wanted = keys + (x * SIDE + y) * SIDE + z
        at = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
        there = np.flatnonzero(keys[at] == wanted)
        pairs.append(np.stack([there, at[there]], 1))
    return Cells(of.reshape(-1), np.concatenate(pairs))


def grow(points: Points, chosen: Flags, reach: float) -> Flags:
    """`chosen` and all that lies near it."""
    grouped = cells(points, reach)
    held = np.zeros(grouped.count, bool)
    held[grouped.of[chosen]] = True
    wider = held.copy()
    wider[grouped.pairs[held[grouped.pairs[:, 1]], 0]] = True
    wider[grouped.pairs[held[grouped.pairs[:, 0]], 1]] = True
    return np.asarray(wider[grouped.of])


def shrink(points: Points, chosen: Flags, reach: float) -> Flags:
    """`chosen` without what lies near anything else."""
    return ~grow(points, ~chosen, reach)


def parts(points: Points, reach: float) -> Ints:
    """(N,) which connected part each point is of; the largest is 0."""
    grouped = cells(points, reach)
    label = np.arange(grouped.count)
    while (
        True
    ):  # every cell takes the lowest label around it; then labels are followed to their own
        lowest = label.copy()
        np.minimum.at(lowest, label[grouped.pairs[:, 0]], label[grouped.pairs[:, 1]])
        np.minimum.at(lowest, label[grouped.pairs[:, 1]], label[grouped.pairs[:, 0]])
        while (lowest[lowest] != lowest).any():
            lowest = lowest[lowest]
        following = lowest[label]
        if (following == label).all():
            break
        label = following
    _, part = np.unique(label, return_inverse=True)
    part = part.reshape(-1)[grouped.of]
    sizes = np.bincount(part)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return np.asarray(rank[part])


def alike(colors: Points, chosen: Flags, tolerance: float) -> Flags:
    """What has the colour of `chosen`: within `tolerance` of one of its eight commonest colours;
    sRGB, 0 to 1.
    """
    levels = max(2, round(1 / max(tolerance, 0.02)))
    bins = (colors.clip(0, 1) * (levels - 1) + 0.5).astype(np.int64) @ np.array(
        [levels * levels, levels, 1]
    )
    common, sizes = np.unique(bins[chosen], return_counts=True)
    close = np.zeros(len(colors), bool)
    for value in common[np.argsort(-sizes)][:8]:
        middle = colors[chosen & (bins == value)].mean(0)
        close |= ((colors - middle) ** 2).sum(1) < tolerance**2
    return close


def flood(points: Points, colors: Points, chosen: Flags, reach: float, tolerance: float) -> Flags:
    """`chosen` and whatever is connected with it through splats of its colour."""
    open_ = np.flatnonzero(alike(colors, chosen, tolerance) | chosen)
    part = parts(points[open_], reach)
    reached = np.zeros(int(part.max(initial=-1)) + 1, bool)
    reached[part[chosen[open_]]] = True
    result = chosen.copy()
    result[open_[reached[part]]] = True
    return result
