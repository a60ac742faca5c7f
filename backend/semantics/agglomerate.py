"""Agglomeration with evidence: the two groups that agree most are merged, and what is known of both
is added up.
"""

import numpy as np

from ..geometry.arrays import Doubles, Ints32


def agglomerate(shared: Doubles, seen: Doubles, least: float) -> Ints32:
    """(R,) groups, numbered from 0. `shared` and `seen` (R, R), symmetric, `seen` positive: two
    groups are merged while the rate of their sums, shared / seen, is at least `least`. Average
    linkage, weighted by evidence. Both tables are used up: they are large.
    """
    labels = np.arange(len(shared))
    rate = shared / seen
    np.fill_diagonal(rate, -1)
    best = rate.argmax(1) if len(rate) else labels
    top = rate[labels, best]
    while len(top) and top.max() >= least:
        a = int(top.argmax())
        b = int(best[a])
        _merge(a, b, shared, seen, rate)
        labels[labels == b] = a
        stale = np.flatnonzero((best == a) | (best == b))
        stale = np.union1d(stale, [a, b])
        best[stale] = rate[stale].argmax(1)
        top[stale] = rate[stale, best[stale]]
        nearer = rate[:, a] > top
        best[nearer], top[nearer] = a, rate[nearer, a]
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)


def _merge(a: int, b: int, shared: Doubles, seen: Doubles, rate: Doubles) -> None:
    """Group b becomes part of a; -1 stands for pairs that can't be merged."""
    shared[a] += shared[b]
    seen[a] += seen[b]
    shared[:, a], seen[:, a] = shared[a], seen[a]
    rate[a] = np.where(rate[a] < 0, -1, shared[a] / seen[a])
    rate[a, a] = rate[a, b] = -1
    rate[:, a] = rate[a]
    rate[b] = rate[:, b] = -1
