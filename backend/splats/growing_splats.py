"""A glimpse of splats while they train: few and plain enough to be looked at in a moment."""

import numpy as np

from ..formats.splat_ply import SplatArrays, take

MOST = 60_000


def glimpse(arrays: SplatArrays) -> SplatArrays:
    """Those that show most, at most `MOST`, each of one colour from everywhere."""
    if len(arrays) > MOST:
        two = np.sort(arrays.log_scales, axis=1)[:, 1:].sum(1)  # of their area
        shows = two - np.log1p(np.exp(-arrays.opacity_logits.astype(np.float64)))
        arrays = take(arrays, np.sort(np.argpartition(-shows, MOST)[:MOST]))
    arrays.sh = np.ascontiguousarray(arrays.sh[:, :1])
    return arrays
