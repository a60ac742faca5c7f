"""Points in the cells of a grid, and what hangs together there. numpy only.

"Near" means in the same cell or in one of the 26 around it.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from ..geometry.arrays import Floats, Ints

SIDE = 1 << 20  # cells along an axis at most
BEFORE = [
    offset for offset in product((-1, 0, 1), repeat=3) if offset < (0, 0, 0)
]  # half of the 26: the others mirror them


@dataclass(frozen=True)
class Cells:
    """The cells that hold points, and the pairs of them that touch."""

    of: Ints  # (N,) each point's
    pairs: Ints  # (P, 2)

    @property
    def count(self) -> int:
        """How many cells hold points."""
        return int(self.of.max(initial=-1)) + 1

    def around(self, values: Ints) -> Ints:
        """(C,) of each cell (C,) and the cells that touch it, summed."""
        first, second = self.pairs.T
        summed = values + np.bincount(first, values[second], self.count)
        return np.asarray(summed + np.bincount(second, values[first], self.count))


def cells(points: Floats, reach: float, touching: bool = True) -> Cells:
    """Cells as wide as `reach`; their pairs only where `touching` asks for them. Points (N, 3)
    that are not finite, or absurdly far away, share the outermost cells.
    """
    start = (
        np.nanpercentile(points, 50, axis=0) if len(points) else np.zeros(3)
    ) - reach * SIDE / 2
    grid = (
        np.nan_to_num((points.astype(np.float64) - start) / reach, nan=0.0)
        .clip(1, SIDE - 2)
        .astype(np.int64)
    )
    keys, of = np.unique((grid[:, 0] * SIDE + grid[:, 1]) * SIDE + grid[:, 2], return_inverse=True)
    pairs = [np.zeros((0, 2), np.int64)]
    for x, y, z in BEFORE if touching else ():
        wanted = keys + (x * SIDE + y) * SIDE + z
        at = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
        there = np.flatnonzero(keys[at] == wanted)
        pairs.append(np.stack([there, at[there]], 1))
    return Cells(of.reshape(-1), np.concatenate(pairs))


def connected(count: int, pairs: Ints) -> Ints:
    """(count,) which part each of `count` things is of, that hang together by pairs (P, 2);
    numbered from 0.
    """
    label = np.arange(count)
    while (
        True
    ):  # everything takes the lowest label around it; then labels are followed to their own
        lowest = label.copy()
        np.minimum.at(lowest, label[pairs[:, 0]], label[pairs[:, 1]])
        np.minimum.at(lowest, label[pairs[:, 1]], label[pairs[:, 0]])
        while (lowest[lowest] != lowest).any():
            lowest = lowest[lowest]
        following = lowest[label]
        if (following == label).all():
            break
        label = following
    return np.asarray(np.unique(label, return_inverse=True)[1].reshape(-1))
