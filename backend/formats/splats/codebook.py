"""Numbers as a byte each: which of 256 values is nearest (Lloyd's quantizer in one dimension)."""

import numpy as np

from ...geometry.arrays import Doubles, Floats, Pixels, Reals

BINS = 1 << 14
ROUNDS = 40
ENTRIES = 256


def codebook(values: Reals) -> Floats:
    """(256,) rising, that stand for the values with little squared error."""
    flat = np.asarray(values, np.float32).ravel()
    if not flat.size:
        return np.zeros(ENTRIES, np.float32)
    low, high = float(flat.min()), float(flat.max())
    if high - low < 1e-12:
        return np.full(ENTRIES, low, np.float32)
    counts, edges = np.histogram(flat, BINS, (low, high))
    middles = (edges[1:] + edges[:-1]) / 2
    if np.count_nonzero(counts) <= ENTRIES:
        few = np.unique(flat)
        if len(few) <= ENTRIES:
            return np.pad(few, (0, ENTRIES - len(few)), mode="edge").astype(np.float32)
    return _settled(_spread(counts.astype(np.float64), middles), counts, middles)


def _spread(counts: Doubles, middles: Doubles) -> Doubles:
    """A start: as dense as the cube root of the values' density, which is best for many entries."""
    share = np.cumsum(np.cbrt(counts + 1e-9 * counts.sum()))
    wanted = (np.arange(ENTRIES) + 0.5) / ENTRIES * share[-1]
    return np.asarray(np.interp(wanted, share, middles), np.float64)


def _settled(entries: Doubles, counts: Reals, middles: Doubles) -> Floats:
    """Each entry in the mean of what is nearest to it, again and again."""
    mass = np.concatenate([[0], np.cumsum(counts)])
    moment = np.concatenate([[0], np.cumsum(counts * middles)])
    for _ in range(ROUNDS):
        cuts = np.searchsorted(middles, (entries[1:] + entries[:-1]) / 2)
        ends = np.concatenate([[0], cuts, [len(middles)]])
        weight, total = np.diff(mass[ends]), np.diff(moment[ends])
        entries = np.sort(np.where(weight > 0, total / np.maximum(weight, 1), entries))
    return entries.astype(np.float32)


def nearest(values: Floats, entries: Floats) -> Pixels:
    """Which entry is nearest, by value."""
    cuts = (entries[1:] + entries[:-1]) / 2
    return np.searchsorted(cuts, values).astype(np.uint8)
