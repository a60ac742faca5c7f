"""Whose a trained splat is, told by the exact masks of all views."""

import numpy as np

from backend.gaussians.options import Drawables, RasterView
from backend.semantics.regions.view_regions import weigh

FINER = 3  # times as large as the pictures, as the product weighs
LEAST = 1.0  # pixel of weight over all views, from which a splat is visible
MOST = 0.5  # of its weight must lie on one object; other splats lie on an edge, or in mid-air


def surface_owners(
    gaussians: Drawables, views: list[RasterView], owners: list[np.ndarray]
) -> np.ndarray:
    """(N,) the object that most of each splat's blending weight falls on, over masks (H, W) of all
    views; -1 where it is hardly visible, or where no object has most of it.
    """
    count = max(int(whose.max()) for whose in owners) + 1
    nothing = np.zeros((count, 0), np.float32)
    total = np.zeros((len(gaussians.means), count))
    for view, whose in zip(views, owners, strict=True):
        seen = weigh(gaussians, view, whose.astype(np.int32), nothing, FINER)
        total += seen.weights.toarray()
    everything = total.sum(1)
    sure = (everything > LEAST * FINER**2) & (total.max(1) > MOST * everything)
    return np.where(sure, total.argmax(1), -1)
