"""Colours of splats: spherical-harmonic coefficients of degree 0, sRGB, linear light. No bpy."""

import numpy as np
from numpy.typing import NDArray

SH_C0 = 0.28209479177387814  # the basis function of degree 0


def srgb_to_linear(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The exact curve, for values at or above 0."""
    low = values <= 0.04045
    return np.where(
        low, values / 12.92, ((np.maximum(values, 0.04045) + 0.055) / 1.055) ** 2.4
    ).astype(np.float32)


def linear_to_srgb(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The exact curve, for values at or above 0."""
    low = values <= 0.0031308
    return np.where(
        low, values * 12.92, 1.055 * np.maximum(values, 0.0031308) ** (1 / 2.4) - 0.055
    ).astype(np.float32)
