"""What is texture: edges that count for less because the surface beside them is as full of edges,
and colours that whole things have.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from ...geometry.arrays import Doubles, Ints, Ints32
from .fused_surface import FusedSurface
from .seen_surface import SeenView

LEVELS = 6  # of each channel, in histograms
LOWEST, HIGHEST = np.array([0.0, -40.0, -40.0]), np.array([100.0, 40.0, 40.0])  # CIELAB


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


def color_histograms(
    surface: FusedSurface, views: Sequence[SeenView], patches: Ints32, count: int
) -> Doubles:
    """(P, 3 x LEVELS) of the patches (V,) of a surface's voxels: what share of their pixels has
    which lightness, a and b, over all views; soft between levels, and 1 in sum.
    """
    pixels = np.zeros((count, 3, LEVELS))
    for view, shown in zip(views, surface.maps, strict=True):
        lab = cv2.cvtColor(view.image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[shown >= 0]
        level = np.clip((lab - LOWEST) / (HIGHEST - LOWEST), 0, 1) * (LEVELS - 1)
        below = np.minimum(level.astype(np.int64), LEVELS - 2)
        above, at = level - below, patches[shown[shown >= 0]].astype(np.int64) * LEVELS
        for k in range(3):
            for step, share in ((0, 1 - above[:, k]), (1, above[:, k])):
                sums = np.bincount(at + below[:, k] + step, share, count * LEVELS)
                pixels[:, k] += sums.reshape(count, LEVELS)
    table = pixels.reshape(count, -1)
    return np.asarray(table / np.maximum(table.sum(1, keepdims=True), 1e-9))
