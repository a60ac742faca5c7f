"""The colours of a heat map, for pictures, panels and the viewport alike. numpy only."""

import numpy as np

from .arrays import Floats, Reals

HEAT = np.array(
    [[0.12, 0.1, 0.3], [0.1, 0.35, 0.65], [0.2, 0.7, 0.55], [0.98, 0.85, 0.25], [0.95, 0.2, 0.1]],
    np.float32,
)


def heat(values: Reals) -> Floats:
    """(…, 3) sRGB of values (…) from 0, dark blue, through green to 1, red."""
    at = np.nan_to_num(values).clip(0, 1) * (len(HEAT) - 1)
    low = np.minimum(at.astype(np.int32), len(HEAT) - 2)
    share = (at - low)[..., None].astype(np.float32)
    return np.asarray(HEAT[low] * (1 - share) + HEAT[low + 1] * share, np.float32)
