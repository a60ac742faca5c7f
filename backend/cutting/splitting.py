"""A Gaussian split into smaller ones that look like it together: so that it can be cut where a
border runs through it. numpy only.

Along an axis, an odd number of narrower Gaussians stand evenly spaced. Drawn, they lie over each
other, so their opacities do not add up: they are fitted until 1 - prod(1 - alpha) is the alpha of
the one, which keeps what it hides (mass) and, as all have its colour, what it shows. The tiles of
one axis are split along the next.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from ..formats.splat_arrays import SplatArrays, joined, logits_of, opacities_of, take
from ..formats.splat_moves import matrices_of
from ..geometry.arrays import Doubles, Floats, Ints
from .footprints import by_length

COUNTS = (1, 5, 7, 9, 11, 13, 15)  # along an axis; an even number has no peak in the middle
APART = 1.3  # of a tile's standard deviations, between tiles
COVERED = 2.8  # of the splat's standard deviations, to which tiles reach with one of their own
BINS = 64  # of opacity, for which tiles are fitted
STEPS = 25  # of Gauss and Newton


@dataclass(frozen=True)
class Tiles:
    """Of a Gaussian of standard deviation 1."""

    offsets: Doubles  # (T,)
    size: float  # standard deviation of each
    opacities: Doubles  # (T,)


def tile_size(count: int) -> float:
    """Standard deviation of `count` tiles of a Gaussian with that of 1."""
    return 1.0 if count == 1 else COVERED / ((count - 1) / 2 * APART + 1)


@functools.cache
def tiles(count: int, opacity_bin: int) -> Tiles:
    """For an opacity of (bin + 1/2) / BINS."""
    opacity = (opacity_bin + 0.5) / BINS
    size = tile_size(count)
    offsets = (np.arange(count) - (count - 1) / 2) * APART * size
    x = np.linspace(-3.5, 3.5, 141)
    bells = np.exp(-0.5 * ((x[None] - offsets[:, None]) / size) ** 2)
    alpha = opacity * np.exp(-0.5 * x**2)
    start = np.maximum(0.7 * opacity * np.exp(-0.5 * offsets**2), 1e-4)
    logits = np.log(start) - np.log1p(-start)
    for _ in range(STEPS):
        each = 1 / (1 + np.exp(-logits))
        clear = 1 - each[:, None] * bells
        through = clear.prod(0)
        slopes = (through / clear * bells * (each * (1 - each))[:, None]).T
        pull = slopes.T @ slopes + 1e-5 * np.eye(count)
        logits = logits - np.linalg.solve(pull, slopes.T @ (1 - through - alpha))
        logits = logits.clip(-12, 7)
    return Tiles(
        np.asarray(offsets, np.float64), size, np.asarray(1 / (1 + np.exp(-logits)), np.float64)
    )


def split(arrays: SplatArrays, counts: Ints) -> tuple[SplatArrays, Ints]:
    """Every splat as counts (N, 2) tiles along its longest and its next axis, each of COUNTS; and
    whose tile each is (M,).
    """
    order = by_length(arrays)
    source = np.arange(len(arrays))
    for rank in (0, 1):
        arrays, kept = _split_along(arrays, order[source, rank], counts[source, rank])
        source = source[kept]
    return arrays, source


def _split_along(arrays: SplatArrays, axis: Ints, counts: Ints) -> tuple[SplatArrays, Ints]:
    """The tiles along one axis (N,) each, and whose each is (M,)."""
    opacities = opacities_of(arrays)
    bins = (opacities * BINS).astype(np.int64).clip(0, BINS - 1)
    parts, sources = [], []
    for count, which in np.unique(np.stack([counts, bins], 1), axis=0):
        mine = np.flatnonzero((counts == count) & (bins == which))
        if count == 1:
            parts.append(take(arrays, mine))
            sources.append(mine)
            continue
        cut = tiles(int(count), int(which))
        # the bin's own opacity is near, not equal: the tiles' optical depth follows
        deep = np.log1p(-opacities[mine].clip(0, 0.9999)) / np.log1p(-(which + 0.5) / BINS)
        shares = 1 - (1 - cut.opacities[None]) ** deep[:, None]  # (n, T)
        parts.append(_tiled(take(arrays, np.repeat(mine, count)), axis[mine], cut, shares))
        sources.append(np.repeat(mine, count))
    source = np.concatenate(sources) if sources else np.zeros(0, np.int64)
    if not parts:
        return arrays, source
    rank = np.argsort(source, kind="stable")
    return take(joined(parts), rank), source[rank]


def _tiled(arrays: SplatArrays, axis: Ints, cut: Tiles, shares: Floats) -> SplatArrays:
    """n splats, each repeated T times, moved along their axes (n,) and made smaller."""
    number = np.repeat(axis, len(cut.offsets))
    rows = np.arange(len(number))
    directions = matrices_of(arrays.quats)[rows, :, number]
    sizes = np.exp(arrays.log_scales[rows, number].astype(np.float64))
    along = np.tile(cut.offsets, len(axis)) * sizes
    log_scales = arrays.log_scales.copy()
    log_scales[rows, number] += np.float32(np.log(cut.size))
    return replace(
        arrays,
        means=(arrays.means + along[:, None] * directions).astype(np.float32),
        log_scales=log_scales,
        opacity_logits=logits_of(shares.ravel()),
    )
