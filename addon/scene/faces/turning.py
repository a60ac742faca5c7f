"""Angles as keys of whatever rotation mode a bone or object has: the artist's mode stays."""

import math
from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Euler, Quaternion

from ....backend.geometry.arrays import Floats
from .face_curves import Keys

AXES = "XYZ"


def about_one_axis(
    path: str, mode: str, axis: int, frames: np.ndarray, angles: np.ndarray
) -> list[Keys]:
    """Keys of a rotation about one of a bone's own axes, by angles (N,) in radians; `path` leads to
    the bone.
    """
    if mode == "QUATERNION":
        values = np.zeros((4, len(angles)))
        values[0], values[1 + axis] = np.cos(angles / 2), np.sin(angles / 2)
        return [Keys(f"{path}.rotation_quaternion", k, frames, v) for k, v in enumerate(values)]
    if mode == "AXIS_ANGLE":
        values = np.zeros((4, len(angles)))
        values[0], values[1 + axis] = angles, 1.0
        return [Keys(f"{path}.rotation_axis_angle", k, frames, v) for k, v in enumerate(values)]
    return [Keys(f"{path}.rotation_euler", axis, frames, angles)]


def of_delta(
    obj: bpy.types.Object, turns: Sequence[tuple[int, np.ndarray, np.ndarray]]
) -> list[Keys]:
    """Keys of an object's delta rotation by turns about its axes: axis, frames (N,) and radians
    (N,) of each. Objects in axis-angle mode have none.
    """
    if obj.rotation_mode == "AXIS_ANGLE":
        return []
    if obj.rotation_mode != "QUATERNION":
        return [Keys("delta_rotation_euler", axis, at, angles) for axis, at, angles in turns]
    if not turns:
        return []
    frames = np.unique(np.concatenate([at for _, at, _ in turns]))
    angles = np.zeros((len(frames), 3))
    for axis, at, values in turns:
        angles[:, axis] = np.interp(frames, at, values)
    quats = np.array([Euler(row, "XYZ").to_quaternion()[:] for row in angles.tolist()])
    return [Keys("delta_rotation_quaternion", k, frames, v) for k, v in enumerate(quats.T)]


def delta_angles(obj: bpy.types.Object) -> Floats:
    """(3,) radians about an object's axes by which its delta rotation turns it now."""
    if obj.rotation_mode == "QUATERNION":
        euler = Quaternion(obj.delta_rotation_quaternion).to_euler("XYZ")
    else:
        euler = obj.delta_rotation_euler
    return np.array(euler[:], np.float32)


def angle_between(one: Quaternion, other: Quaternion) -> float:
    """Radians of the shorter way."""
    return float(2 * math.acos(min(1.0, abs(one.dot(other)))))
