"""A fitted face's motion for the scene: at its rate, with the head's angles, as keys, a table and a
picture.
"""

from pathlib import Path

import numpy as np

from ...formats.motion_file import HEAD
from ...geometry.arrays import Floats
from ..fitting.head_motion import HeadMotion
from ..rigs.drawing import TO_CAMERA
from ..speech.smoothing import smoothed
from .keys import sparse_tolerance
from .motion_output import frame_times, write_motion

SPOKEN = (
    "jaw",
    "mouth",
    "cheekPuff",
    "tongue",
    "expression",
)  # beginnings of the coefficients that a sound tells


def write(
    folder: Path, source: Path, motion: HeadMotion, fps: float, smoothing: float, tolerance: float
) -> tuple[int, float]:
    """At `fps`, or the video's own rate for 0. How many keys it took, and the tolerance: as much of
    the given one as few keys need.
    """
    fps = fps or _pace(motion)
    times = frame_times(motion.times[-1] - motion.times[0], fps) + motion.times[0]
    values = np.concatenate([motion.coefficients, head_angles(motion)], 1)
    values = smoothed(resampled(values, motion.times, times), smoothing * fps)
    heard = (
        str(source.resolve()) if motion.times[0] * fps < 1 else ""
    )  # a part's sound begins elsewhere
    names = [*motion.names, *HEAD]
    tolerance = sparse_tolerance(names, values, fps, tolerance)
    return write_motion(folder, fps, names, values, tolerance, heard), tolerance


def _pace(motion: HeadMotion) -> float:
    return float(round(1 / np.median(np.diff(motion.times)), 3)) if len(motion.times) > 1 else 25.0


def resampled(values: Floats, times: np.ndarray, wanted: np.ndarray) -> Floats:
    """Rows (T, K) at `times`, straight between them at those wanted."""
    return np.stack([np.interp(wanted, times, column) for column in values.T], 1).astype(np.float32)


def head_angles(motion: HeadMotion) -> Floats:
    """(T, 3) pitch up, yaw to the person's left, roll to the person's left shoulder, in radians,
    against their middle.
    """
    turned = TO_CAMERA @ motion.rotations
    pitch, yaw = (
        np.arcsin(turned[:, 1, 2].clip(-1, 1)),
        np.arctan2(turned[:, 0, 2], turned[:, 2, 2]),
    )
    roll = -np.arctan2(turned[:, 1, 0], turned[:, 1, 1])
    angles = np.stack([pitch, yaw, roll], 1)
    return np.asarray(angles - np.median(angles, 0), np.float32)
