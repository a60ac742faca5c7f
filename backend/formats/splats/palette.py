"""Many vectors as numbers of a palette's few: k-means in two steps, coarse groups and a share of
the palette in each, so that a million splats take seconds.
"""

import numpy as np

from ...geometry.arrays import Doubles, Floats, Ints

ENTRIES = 1 << 16  # that two bytes can tell apart
GROUPS = 256
SAMPLE = 1 << 15  # vectors that groups are found from
BLOCK = 1 << 14
COARSE_ROUNDS, FINE_ROUNDS = 6, 4


def palette_size(count: int) -> int:
    """Entries for so many vectors: a vector's own while there are few, one for four to eight of
    more, as far as two bytes reach.
    """
    return min(count, ENTRIES, max(1024, (1 << int(np.log2(max(count, 1)))) // 4))


def palette(vectors: Floats, size: int, seed: int = 0) -> tuple[Floats, Ints]:
    """Of vectors (N, D): entries (at most `size`, D), and (N,) the entry of each. Equal seeds give
    equal palettes.
    """
    if size >= len(vectors):
        return vectors, np.arange(len(vectors))
    random = np.random.default_rng(seed)
    groups = min(GROUPS, max(1, size // 16))
    picked = random.permutation(len(vectors))[: max(SAMPLE, groups)]
    centers = _settled(vectors[picked], vectors[picked[:groups]], COARSE_ROUNDS)
    group, errors = _nearest(vectors, centers)
    counts = np.asarray(np.bincount(group, minlength=groups), np.int64)
    shares = _shares(np.bincount(group, errors, groups).astype(np.float64), counts, size)
    entries, labels, used = [], np.empty(len(vectors), np.int64), 0
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(groups + 1))
    for number in range(groups):
        members = order[ends[number] : ends[number + 1]]
        if not len(members):
            continue
        own = vectors[members]
        start = own[random.permutation(len(own))[: shares[number]]]
        fine = _settled(own, start, FINE_ROUNDS) if len(start) < len(own) else own
        labels[members] = used + _nearest(own, fine)[0]
        entries.append(fine)
        used += len(fine)
    return np.concatenate(entries), labels


def _shares(errors: Doubles, counts: Ints, size: int) -> Ints:
    """How many entries each group gets: one at least, more where more is amiss, no more than it
    has members.
    """
    present = counts > 0
    weight = np.sqrt(errors * counts) + 1e-30 * counts
    spare = size - int(present.sum())
    shares = present + np.floor(spare * weight / max(float(weight.sum()), 1e-300)).astype(np.int64)
    return np.asarray(np.minimum(shares, counts), np.int64)


def _settled(vectors: Floats, centers: Floats, rounds: int) -> Floats:
    """Centers in the means of what is nearest to them; those that nothing is near stay."""
    for _ in range(rounds):
        labels, _ = _nearest(vectors, centers)
        counts = np.bincount(labels, minlength=len(centers))
        order = np.argsort(labels, kind="stable")
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[counts > 0]
        sums = np.add.reduceat(vectors[order], starts, axis=0)
        centers = centers.copy()
        centers[counts > 0] = sums / counts[counts > 0, None]
    return centers


def _nearest(vectors: Floats, centers: Floats) -> tuple[Ints, Doubles]:
    """(N,) the center that is nearest to each, and its squared distance."""
    labels = np.empty(len(vectors), np.int64)
    errors = np.empty(len(vectors), np.float64)
    norms = np.einsum("kd,kd->k", centers, centers)
    for first in range(0, len(vectors), BLOCK):
        block = vectors[first : first + BLOCK]
        scores = block @ centers.T
        scores *= -2
        scores += norms
        best = scores.argmin(1)
        labels[first : first + BLOCK] = best
        least = scores[np.arange(len(block)), best] + np.einsum("nd,nd->n", block, block)
        errors[first : first + BLOCK] = np.maximum(least, 0)
    return labels, errors
