"""Which splats lie near which, in cells of a grid: growing, flooding and loose parts of a million
splats in a moment. No bpy.

"Near" means in the same cell or in one of the 26 around it; cells are as wide as the reach.
"""

import numpy as np
from numpy.typing import NDArray

from ....backend.cutting.cells import cells, connected
from ....backend.geometry.arrays import Flags, Ints

Points = NDArray[np.float32]  # (N, 3)


def typical_reach(points: Points) -> float:
    """A hundredth of the diagonal of the box that holds the middle nine tenths along every axis."""
    some = points[:: max(1, len(points) // 100_000)]
    some = some[np.isfinite(some).all(1)]
    if not len(some):
        return 1.0
    low, high = np.percentile(some, (5, 95), axis=0)
    return max(float(np.linalg.norm(high - low)) / 100, 1e-6)


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
    part = connected(grouped.count, grouped.pairs)[grouped.of]
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
