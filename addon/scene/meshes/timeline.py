"""Seconds on the scene's timeline: where something lies that happened at a time."""

import contextlib
import math
from collections.abc import Iterator

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.geometry.arrays import Doubles
from ....backend.protocol import InputError

LAST = 1_048_574  # frame of Blender's timeline
ROUNDED, SNAP = 0.0015, 0.1  # seconds to which files round times; at most so many frames
MOMENTS_KEY = "splatsmith_moments"  # on an object: the scene's frames at which its moments lie
SECONDS_KEY = "splatsmith_seconds"  # on an object: how long it lasts, whatever the scene's rate


def rate(scene: bpy.types.Scene) -> float:
    """Frames a second."""
    return float(scene.render.fps / scene.render.fps_base)


def go_to(scene: bpy.types.Scene, frame: float) -> None:
    """Sets the scene to a frame that may lie between whole ones."""
    scene.frame_set(math.floor(frame), subframe=frame - math.floor(frame))


def set_rate(scene: bpy.types.Scene, fps: float) -> None:
    """30000 / 1001 becomes 30 / 1.001, as Blender tells it."""
    scene.render.fps = max(1, min(math.ceil(fps - 1e-3), 32_767))
    scene.render.fps_base = scene.render.fps / fps


@contextlib.contextmanager
def as_gltf_reads_it(scene: bpy.types.Scene) -> Iterator[None]:
    """Blender's glTF add-on multiplies by the frame rate's base instead of dividing by it (4.5 to
    5.3): at 24 / 1.001 frames a second its files are 0.2 % short. It is shown the inverse.
    """
    base = scene.render.fps_base
    scene.render.fps_base = 1 / base
    try:
        yield
    finally:
        scene.render.fps_base = base


def frames_at(seconds: NDArray[np.floating], fps: float, start: float = 1.0) -> Doubles:
    """(T,) frames of times (T,) in seconds, 0 at `start`. On whole frames if all lie near them.
    InputError where the timeline ends before.
    """
    frames = start + np.asarray(seconds, np.float64) * fps
    if len(frames) and not np.abs(frames).max() < LAST:
        raise InputError(
            f"Its last frame would be {np.abs(frames).max():.0f}, beyond the timeline's end.",
            "Check the times that the file tells.",
        )
    whole = np.round(frames)
    near = np.abs(frames - whole) < min(SNAP, ROUNDED * fps)
    return whole if near.all() else frames


def shown_range(frames: Doubles, start: int = 1) -> tuple[int, int]:
    """First and last frame of the scene that shows all of frames (T,), from `start` on."""
    return start, max(start, math.ceil(float(np.max(frames)) - 1e-6))


def remember(animated: bpy.types.Object, frames: Doubles, seconds: NDArray[np.floating]) -> None:
    """Writes down on an object where its moments (T,) lie, and how long it lasts by its source."""
    animated[MOMENTS_KEY] = [float(frame) for frame in frames]
    animated[SECONDS_KEY] = float(np.ptp(seconds))


def moments(animated: bpy.types.Object) -> Doubles | None:
    """(T,) the scene's frames of its moments; None where that is not known."""
    frames = animated.get(MOMENTS_KEY)
    return None if frames is None else np.array(frames, np.float64)


def out_of_time(animated: bpy.types.Object, scene: bpy.types.Scene) -> str:
    """A sentence where it plays longer or shorter than what it was made of lasted; else empty."""
    frames, lasted = moments(animated), float(animated.get(SECONDS_KEY, 0.0))
    if frames is None or len(frames) < 2:
        return ""
    plays = float(np.ptp(frames)) / rate(scene)
    if abs(plays - lasted) <= max(1.0 / rate(scene), 0.01 * lasted):
        return ""
    return (
        f"It plays {plays:.2f} s, but was {lasted:.2f} s long: the scene's frame rate has changed"
    )
