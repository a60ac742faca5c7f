"""An object cut clean out of its splats: one piece, no haze, nothing of other objects. numpy
only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..formats.splat_arrays import SplatArrays, joined, take
from ..geometry.arrays import Flags, Floats, Ints
from .borders import Space, cut_to
from .footprints import footprints_of
from .parts import object_parts

NEAR = 3.0  # standard deviations to which a splat, and tiles of it, may reach


@dataclass(frozen=True, kw_only=True)
class CleanCut:
    """What was cut out, and what was left behind."""

    arrays: SplatArrays
    source: Ints  # (M,) which of all splats each is, or is a tile of
    is_tile: Flags  # (M,) of a splat that was cut; all others are as they were
    floaters: int
    halo: int
    split: int  # at the border, into tiles of which those within were kept
    outside: int  # wholly within other objects

    @classmethod
    def plain(cls, arrays: SplatArrays, source: Ints) -> "CleanCut":
        """Splats as they are."""
        whole = np.zeros(len(arrays), bool)
        return cls(
            arrays=arrays, source=source, is_tile=whole, floaters=0, halo=0, split=0, outside=0
        )

    def told(self) -> str:
        """For people."""
        left = [_count(self.floaters, "floater")] if self.floaters else []
        left += [_count(self.halo, "halo splat")] if self.halo else []
        left += [f"{_count(self.outside, 'splat')} within other objects"] if self.outside else []
        parts = [f"kept {len(np.unique(self.source)):,}"]
        parts += [f"cut {self.split:,} at the border"] if self.split else []
        parts += [f"left behind {_listed(left)}"] if left else []
        return ", ".join(parts)


def summed(cuts: Sequence[CleanCut]) -> CleanCut:
    """Several, one at least, as one."""
    return CleanCut(
        arrays=joined([cut.arrays for cut in cuts]),
        source=np.concatenate([cut.source for cut in cuts]),
        is_tile=np.concatenate([cut.is_tile for cut in cuts]),
        floaters=sum(cut.floaters for cut in cuts),
        halo=sum(cut.halo for cut in cuts),
        split=sum(cut.split for cut in cuts),
        outside=sum(cut.outside for cut in cuts),
    )


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def clean_cut(arrays: SplatArrays, mine: Flags, others: Flags, largest: bool = True) -> CleanCut:
    """Some splats (N,) as an object of one piece, or without `largest` of all pieces that are not
    small; those that reach into `others` (N,) are cut.
    """
    index = np.flatnonzero(mine)
    own = take(arrays, index)
    first = object_parts(footprints_of(own), largest)
    index, own = index[first.body], take(own, first.body)
    rivals = take(arrays, near(arrays, others, own))
    cut = cut_to(own, Space(footprints_of(own), footprints_of(rivals)))
    kept = _one_piece(cut.arrays, largest, first.widened)
    lost = np.setdiff1d(cut.source, cut.source[kept])
    return CleanCut(
        arrays=take(cut.arrays, kept),
        source=index[cut.source[kept]],
        is_tile=cut.is_tile[kept],
        floaters=int(first.floaters.sum()) + len(lost),
        halo=int(first.halo.sum()),
        split=cut.split,
        outside=cut.outside,
    )


def _one_piece(arrays: SplatArrays, largest: bool, widened: int) -> Ints:
    """Which splats are left once what a cut, or haze that is gone, has parted from the rest is."""
    kept, prints = np.arange(len(arrays)), footprints_of(arrays)
    while True:
        parts = object_parts(prints.some(kept), largest, widened)
        floats, widened = parts.floaters, parts.widened
        if not floats.any():
            return kept
        kept = kept[~floats]


def near(arrays: SplatArrays, mask: Flags, around: SplatArrays) -> Flags:
    """Those of a mask (N,) that reach into the box around some splats."""
    low, high = (e.astype(np.float32) for e in _box(around))
    reach = _reach(arrays)[:, None]
    inside = (arrays.means + reach >= low) & (arrays.means - reach <= high)
    return np.asarray(mask & inside.all(1))


def _box(arrays: SplatArrays) -> tuple[Floats, Floats]:
    if not len(arrays):
        return np.zeros(3, np.float32), np.zeros(3, np.float32)
    reach = _reach(arrays)[:, None]
    return (arrays.means - reach).min(0), (arrays.means + reach).max(0)


def _reach(arrays: SplatArrays) -> Floats:
    return np.asarray(NEAR * np.exp(arrays.log_scales.max(1)), np.float32)
