"""Splats that reach into another object, cut to the part within their own. numpy only.

Space near an object belongs, cell by cell, to it or to others: to whose splats lie there most. A
splat that reaches well across is split into tiles, and those in its own object's space are kept.
Needles, which trainings leave along outlines, are cut where they leave what other splats of the
object cover, too.
"""

from dataclasses import dataclass

import numpy as np

from ..formats.splat_arrays import SplatArrays, joined, take
from ..geometry.arrays import Flags, Floats, Ints
from .cells import cells
from .footprints import CoveredPoints, Footprints, cover
from .splitting import COUNTS, split, tile_size

COARSER = 1.25  # than wanted, that tiles may be


@dataclass(frozen=True, kw_only=True)
class BorderConfig:
    """What counts as across."""

    reach: float = 2.0  # standard deviations
    cell: float = 1.25  # of the usual size of the object's splats
    across: float = 0.2  # share of a splat in others' space from which it is cut
    tile: float = 0.6  # of a cell: the size of tiles
    flat: float = 1.5  # tiles are so many times wider than the splat is thick
    needle: float = 4.0  # times longer than wide, and than the usual splat


@dataclass(frozen=True, kw_only=True)
class BorderCut:
    """Splats within their object."""

    arrays: SplatArrays
    source: Ints  # (M,) which of the object's splats each is, or is a tile of
    is_tile: Flags  # (M,)
    split: int  # how many were split
    outside: int  # how many lay wholly in others


class Space:
    """Whose the space around an object is."""

    def __init__(
        self, mine: Footprints, others: Footprints, config: BorderConfig = BorderConfig()
    ) -> None:
        self.config, self.count = config, len(mine)
        usual = max(float(np.median(mine.sizes)) if len(mine) else 1.0, 1e-9)
        self.cell = config.cell * usual
        lengths = np.linalg.norm(mine.axes, axis=2)
        self.needles: Flags = lengths[:, 0] > config.needle * np.maximum(lengths[:, 1], usual)
        self._mine, self._others = self._covered(mine), self._covered(others)
        self._weights = np.concatenate(
            [
                self._mine.weights * mine.opacities[self._mine.owner],
                -self._others.weights * others.opacities[self._others.owner],
            ]
        )

    def _covered(self, prints: Footprints) -> CoveredPoints:
        reach = np.full(len(prints), self.config.reach, np.float32)
        return cover(prints, reach, self.cell)

    def across(self) -> Floats:
        """(N,) the share of each of the object's splats that lies outside its space."""
        owner, weights = self._mine.owner, self._mine.weights
        outside = ~self.holds(None, owner)
        return np.bincount(owner, weights * outside, self.count).astype(np.float32)

    def holds(self, points: Floats | None, owner: Ints) -> Flags:
        """(P,) whether places (P, 3) of the object's splats `owner` (P,) are in its space: not in
        others', and where the splat is a needle, near what its other splats cover. Without places,
        all that they cover.
        """
        known = len(self._weights)
        places = [self._mine.points, self._others.points, *([] if points is None else [points])]
        grid = cells(np.concatenate(places), self.cell, touching=bool(self.needles.any()))
        balance = np.bincount(grid.of[:known], self._weights, grid.count)
        at = grid.of[: len(self._mine.points)] if points is None else grid.of[known:]
        within = balance[at] >= 0
        if not self.needles.any():
            return np.asarray(within)
        covers = ~self.needles[self._mine.owner]
        filled = np.bincount(grid.of[: len(covers)], covers, grid.count).astype(np.int64)
        return np.asarray(within & (~self.needles[owner] | (grid.around(filled)[at] > 0)))


def cut_to(arrays: SplatArrays, space: Space) -> BorderCut:
    """The object's splats (N,), those that reach across cut to the part within."""
    config, across = space.config, space.across()
    reaches = across > config.across
    if not reaches.any():
        return BorderCut(
            arrays=arrays,
            source=np.arange(len(arrays)),
            is_tile=np.zeros(len(arrays), bool),
            split=0,
            outside=0,
        )
    which = np.flatnonzero(reaches)
    counts = _counts(take(arrays, which), config.tile * space.cell, config.flat)
    tiles, source = split(take(arrays, which), counts)
    inside = space.holds(tiles.means, which[source])
    whole = np.bincount(source, inside, len(which)) == np.bincount(source, minlength=len(which))
    none = np.bincount(source, inside, len(which)) == 0
    kept = inside & ~whole[source]
    # what all of its tiles would be kept of stays as it was
    plain = np.concatenate([np.flatnonzero(~reaches), which[whole]])
    within = joined([take(arrays, plain), take(tiles, kept)])
    at = np.concatenate([plain, which[source[kept]]])
    rank = np.argsort(at, kind="stable")
    return BorderCut(
        arrays=take(within, rank),
        source=at[rank],
        is_tile=rank >= len(plain),
        split=int((~whole & ~none).sum()),
        outside=int(none.sum()),
    )


def _counts(arrays: SplatArrays, size: float, flat: float) -> Ints:
    """(N, 2) into how many tiles to split along the longest axis and the next: down to `size`, but
    never so far that tiles are thicker than wide.
    """
    scales = np.exp(-np.sort(-arrays.log_scales, axis=1).astype(np.float64))
    wanted = np.maximum(size, flat * scales[:, 2:]) / scales[:, :2]
    counts = np.full((len(arrays), 2), COUNTS[-1])
    for count in COUNTS[-2:0:-1]:
        counts[tile_size(count) <= COARSER * wanted] = count
    counts[wanted > 1 / COARSER] = 1
    return counts
