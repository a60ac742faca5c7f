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
