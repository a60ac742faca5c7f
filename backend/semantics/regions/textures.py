"""What is texture: edges that count for less as the surface beside them is as full of edges."""

import numpy as np

from ...geometry.arrays import Doubles, Ints


def without_pattern(color: Doubles, lengths: Doubles, planes: Ints, percentile: float) -> Doubles:
    """(E,) edges 0..1 of some lengths (E,) between patches on planes (E,), -1: none, where an edge
    like most of its plane's counts nothing: wallpaper is one thing, a poster on a bare wall is not
    of the wall. By length, for patches are small where there are many edges.
    """
    left = color.copy()
    for plane in np.unique(planes[planes >= 0]):
        on = np.flatnonzero(planes == plane)
        order = on[np.argsort(color[on], kind="stable")]
        sums = np.cumsum(lengths[order])
        usual = float(color[order[np.searchsorted(sums, percentile / 100 * sums[-1])]])
        left[on] = np.maximum(color[on] - usual, 0) / max(1 - usual, 1e-9)
    return left


def outstanding(color: Doubles, contact: Doubles, pairs: Ints, count: int) -> Doubles:
    """(E,) edges 0..1 between `count` patches that touch in pairs (E, 2), as much as `contact`,
    less what is usual around the two: the mean edge of the patches there and of those beside them.
    """
    weights = contact + 1e-6

    def gathered(a: Doubles, b: Doubles) -> Doubles:
        sums = np.bincount(pairs[:, 0], a, count) + np.bincount(pairs[:, 1], b, count)
        return np.asarray(sums, np.float64)

    edges, total = gathered(weights * color, weights * color), gathered(weights, weights)
    edges, total = (v + gathered(v[pairs[:, 1]], v[pairs[:, 0]]) for v in (edges, total))
    usual = (edges / np.maximum(total, 1e-9))[pairs].max(1)
    return np.asarray(np.clip(color - usual, 0, 1) / np.maximum(1 - usual, 1e-9))
