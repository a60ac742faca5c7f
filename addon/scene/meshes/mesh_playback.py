"""What moves a mesh from one moment to the next: absolute shape keys, or a PC2 cache beside the
result; each moment at its own time.
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import bpy
import numpy as np

from ....backend.geometry.arrays import Doubles, Floats
from ....backend.runtime.atomic import atomic_path

SPACING = 10.0  # of absolute shape keys, in their own time


def play_keys(animated: bpy.types.Object, positions: Iterable[Floats], frames: Doubles) -> None:
    """One absolute key for each moment (V, 3), shown at its frame, and a straight way between."""
    count = 0
    for count, moment in enumerate(positions, 1):
        key = animated.shape_key_add(name=f"{count:04d}", from_mix=False)
        key.data.foreach_set("co", np.ascontiguousarray(moment, np.float32).ravel())
        key.interpolation = "KEY_LINEAR"
    keys = animated.data.shape_keys
    keys.use_relative = False
    with bpy.context.temp_override(object=animated, active_object=animated):
        bpy.ops.object.shape_key_retime()
    spacing = keys.key_blocks[1].frame - keys.key_blocks[0].frame if count > 1 else SPACING
    times = keys.key_blocks[0].frame + spacing * np.arange(count)
    for number in turning_points(frames):
        keys.eval_time = times[number]
        keys.keyframe_insert("eval_time", frame=frames[number])
    straighten(keys)


def turning_points(frames: Doubles) -> list[int]:
    """Which of frames (T,) have to be keyed, so that straight lines between them meet all."""
    if len(frames) < 3:
        return list(range(len(frames)))
    steps = np.diff(frames)
    inner = 1 + np.flatnonzero(np.abs(np.diff(steps)) > 1e-6)
    return [0, *inner.tolist(), len(frames) - 1]


def straighten(keys: bpy.types.Key | bpy.types.Object) -> None:
    """All curves run straight from key to key."""
    for curve in curves_of(keys):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def curves_of(block: bpy.types.Key | bpy.types.Object | bpy.types.Camera) -> list[bpy.types.FCurve]:
    """Of its action; actions have slots from 4.4 on."""
    action = block.animation_data.action
    layers = getattr(action, "layers", None) or []
    curves = [
        c
        for layer in layers
        for strip in layer.strips
        for bag in strip.channelbags
        for c in bag.fcurves
    ]
    return curves or list(action.fcurves)


def write_cache(path: Path, moments: Iterator[Floats], vertices: int, count: int) -> None:
    """PC2 version 1: a header of 32 bytes, then every moment's places as little-endian floats."""
    with atomic_path(path) as part, open(part, "wb") as file:
        file.write(struct.pack("<12siiffi", b"POINTCACHE2\0", 1, vertices, 1.0, 1.0, count))
        for moment in moments:
            file.write(np.ascontiguousarray(moment, "<f4").tobytes())


def play_cache(animated: bpy.types.Object, path: Path, frames: Doubles) -> None:
    """By a Mesh Cache modifier, whose own frame is keyed where moments are not one a frame."""
    cache = animated.modifiers.new("Mesh Cache", "MESH_CACHE")
    cache.cache_format, cache.filepath = "PC2", str(path)
    cache.forward_axis, cache.up_axis = "POS_Y", "POS_Z"
    if np.array_equal(frames, frames[0] + np.arange(len(frames))):
        cache.frame_start = float(frames[0])
        return
    cache.play_mode, cache.time_mode = "CUSTOM", "FRAME"
    for number in turning_points(frames):
        cache.eval_frame = float(number)
        cache.keyframe_insert("eval_frame", frame=frames[number])
    straighten(animated)


def hide_empty(animated: bpy.types.Object, frames: Doubles, empty: list[bool]) -> None:
    """Keeps the object out of sight from each of frames (N,) that is empty, until the next that is
    not.
    """
    if not any(empty):
        return
    for path in ("hide_viewport", "hide_render"):
        hidden = None
        for frame, gone in zip(frames, empty, strict=True):
            if gone is not hidden:
                hidden = gone
                setattr(animated, path, hidden)
                animated.keyframe_insert(path, frame=frame)
        for curve in curves_of(animated):
            if curve.data_path == path:
                for point in curve.keyframe_points:
                    point.interpolation = "CONSTANT"


def is_hidden_at_times(animated: bpy.types.Object) -> bool:
    """Whether keys hide it from renders in some frames."""
    data = animated.animation_data
    if data is None or data.action is None:
        return False
    return any(curve.data_path == "hide_render" for curve in curves_of(animated))
