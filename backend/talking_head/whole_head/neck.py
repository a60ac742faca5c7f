"""A neck that bends, as shapes of the rig: like FLAME's joints (flame.py), each stands for a turn
of the head to one side, as far as heads go.

The mesh stays in the head's own axes, so it is the shoulders that a shape turns, the other way.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ...geometry.arrays import Floats
from .anatomy import Anatomy

# pitch up, yaw to the person's left, roll to the person's left shoulder: as in face_motion.py
NAMES = ("neckUp", "neckDown", "neckLeft", "neckRight", "neckTiltLeft", "neckTiltRight")
AXES = ((0, -1), (0, 1), (1, 1), (1, -1), (2, -1), (2, 1))  # axis of each, and its sense
FULL = 0.5  # radians of a coefficient of 1


def head_turn(angles: Floats) -> NDArray[np.float64]:
    """(..., 3, 3): pitch, yaw and roll (..., 3) as a turn in the rig's axes."""
    pitch, yaw, roll = np.moveaxis(np.asarray(angles, np.float64), -1, 0)
    vector = np.stack([-pitch, yaw, -roll], -1)
    turned = Rotation.from_rotvec(vector.reshape(-1, 3)).as_matrix()
    return np.asarray(turned.reshape(*vector.shape[:-1], 3, 3))


def angles_of(turns: NDArray[np.float64]) -> Floats:
    """(T, 3) pitch, yaw and roll of turns (T, 3, 3): what `head_turn` undoes."""
    vector = Rotation.from_matrix(turns).as_rotvec()
    return np.asarray(vector * [-1, 1, -1], np.float32)


def coefficients(angles: Floats) -> Floats:
    """(T, 6) of pitch, yaw and roll (T, 3) of the head against the shoulders."""
    both = [(sign * angles[:, k] / FULL).clip(0, 1) for k in range(3) for sign in (1, -1)]
    return np.asarray(np.stack(both, 1), np.float32)


def shapes(points: Floats, anatomy: Anatomy) -> Floats:
    """(6, V, 3) of a resting mesh (V, 3): how the shoulders, and the neck by its share, move."""
    stays = 1 - anatomy.follow(points)
    moved = []
    for axis, sense in AXES:
        vector = np.zeros((len(points), 3))
        vector[:, axis] = -sense * FULL * stays  # against the head
        moved.append(
            Rotation.from_rotvec(vector).apply(points - anatomy.joint) + anatomy.joint - points
        )
    return np.asarray(np.stack(moved), np.float32)
