"""The weighted lift: a Gaussian's feature is the mean of the regions that it is seen in. The named
baseline and fallback.

What training-free methods share (LUDVIG, Dr.Splat, Occam's LGS): the closed-form solution of
fitting rendered features to the teacher's, one Gaussian at a time.
"""

from collections.abc import Sequence

import numpy as np

from ..geometry.arrays import Floats
from .regions.view_regions import ViewRegions


def lift(views: Sequence[ViewRegions]) -> tuple[Floats, Floats]:
    """Mean features (N, D), zero where nothing was seen, and the total weight (N,) behind each."""
    first = views[0]
    sums = np.zeros((first.weights.shape[0], first.features.shape[1]), np.float32)
    total = np.zeros(len(sums), np.float32)
    for view in views:
        sums += view.weights @ view.features
        total += np.asarray(view.weights.sum(1), np.float32).ravel()
    return np.asarray(sums / np.maximum(total, 1e-6)[:, None], np.float32), total
