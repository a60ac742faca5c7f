"""Colours of splats: spherical-harmonic coefficients of degree 0, sRGB, linear light, and what lies
over them. No bpy.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....backend.formats.splat_arrays import COEFFICIENTS

SH_C0 = 0.28209479177387814  # the basis function of degree 0
SELECTION = np.array([1.0, 0.5, 0.05], np.float32)  # sRGB, Blender's own orange


@dataclass(frozen=True)
class Over:
    """How a colour lies over the splats' own."""

    kept: float  # share of the own colour that stays
    floor: float  # brightness of the other one over black; over white it is 1


TINTED, SELECTED = Over(0.3, 0.35), Over(0.25, 0.4)


def laid_over(
    own: NDArray[np.float32], over: NDArray[np.float32], how: Over
) -> NDArray[np.float32]:
    """(N, 3) sRGB: `over` (3,) or (N, 3) as bright as `own` (N, 3)."""
    light = own.mean(1, keepdims=True).clip(0, 1)
    bright = how.floor + (1 - how.floor) * light
    return np.asarray(how.kept * own + (1 - how.kept) * over * bright, np.float32)


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


def whole_degrees(rest: list[NDArray[np.float32] | None]) -> list[NDArray[np.float32]]:
    """Coefficients (N, 3) beyond the first: of the degrees that are there in full."""
    known = list(itertools.takewhile(lambda values: values is not None, rest))
    count = max(c - 1 for c in COEFFICIENTS if c - 1 <= len(known))
    return [values for values in known[:count] if values is not None]
