"""Splats between the axes of PLY files (y down, z forward) and those of SPZ and glTF (y up, z
back): half a turn about x, which only changes signs.
"""

from dataclasses import replace

import numpy as np

from ...geometry.arrays import Doubles
from ..splat_arrays import SplatArrays

HALF_TURN: Doubles = np.diag([1.0, -1.0, -1.0, 1.0])
# of the coefficients, degree by degree: odd in y and z together or not
SIGNS = np.array([1, -1, -1, 1, -1, 1, 1, -1, 1, -1, 1, -1, -1, 1, -1, 1], np.float32)
Y_UP: Doubles = np.array(
    [[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]]
)  # from Z up, as Blender is


def half_turned(a: SplatArrays) -> SplatArrays:
    """From either axes to the other; nothing is rounded."""
    return replace(
        a,
        means=a.means * np.array([1, -1, -1], np.float32),
        quats=a.quats * np.array([1, 1, -1, -1], np.float32),
        sh=a.sh * SIGNS[: a.sh.shape[1], None],
    )


def placed(a: SplatArrays) -> Doubles:
    """(4, 4) that sets the splats upright where y is up: by what they say, else as half a turn."""
    return HALF_TURN if a.notes.upright is None else Y_UP @ a.notes.upright
