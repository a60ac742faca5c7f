"""What turns with a face: a bone that opens the jaw, and the object that is the head."""

import math
from typing import Any

import bpy
import numpy as np
from mathutils import Quaternion

from ....backend.formats.motion_file import HEAD
from ..meshes import timeline
from . import turning
from .face_curves import Keys, write_layer
from .unmoved import Unmoved, is_driven, layered_over, telling_pair

Curves = dict[str, tuple[np.ndarray, np.ndarray, str]]  # by name: frames, values, layer
LEAST = math.radians(0.5)  # of a turn that is looked for
SHOWN = 0.5  # of a turn that has to be seen


def move_jaw(
    scene: bpy.types.Scene,
    settings: Any,
    curves: Curves,
    title: str,
    span: tuple[float, float],
    unmoved: list[Unmoved],
) -> int:
    """Turns the jaw bone by degrees at full opening, in its own rotation mode, over what the artist
    has animated; how many curves. What does not move is added to `unmoved`.
    """
    rig, bone = settings.jaw_rig, settings.jaw_bone
    if rig is None or bone not in (rig.pose.bones if rig.pose else ()):
        return 0
    path, mode = (
        f'pose.bones["{bpy.utils.escape_identifier(bone)}"]',
        rig.pose.bones[bone].rotation_mode,
    )
    axis, full = turning.AXES.index(settings.jaw_axis), math.radians(settings.jaw_degrees)
    opening = curves.get("jawOpen")
    if opening is None:
        write_layer(rig, "speech", [], f"{title} {rig.name}", span)
        return 0
    frames, values, _ = opening
    keys = turning.about_one_axis(path, mode, axis, frames, values * full)
    combine = mode != "AXIS_ANGLE"  # whose axes can't be added
    write_layer(rig, "speech", keys, f"{title} {rig.name}", span, combine)
    why = overruled_bone(rig, keys[0].path)
    wanted = float(np.ptp(values)) * abs(full)
    if not why and wanted >= LEAST:
        pair = telling_pair(Keys(path, axis, frames, values))
        turns = [_bone_turn(scene, rig, bone, frame) for frame in pair]
        if turning.angle_between(*turns) < SHOWN * wanted:
            held = any(not c.mute and c.influence > 0 for c in rig.pose.bones[bone].constraints)
            why = "constraints hold it" if held else "something else turns it"
    if why:
        unmoved.append(Unmoved(bone, why))
    return 1


def _bone_turn(
    scene: bpy.types.Scene, rig: bpy.types.Object, bone: str, frame: float
) -> Quaternion:
    """Against its parent, as it is shown."""
    timeline.go_to(scene, frame)
    shown = rig.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones[bone]
    matrix = shown.matrix if shown.parent is None else shown.parent.matrix.inverted() @ shown.matrix
    return matrix.to_quaternion()


def overruled_bone(rig: bpy.types.Object, path: str) -> str:
    """What hides our curves of a bone, whether it moves or not; empty where nothing does."""
    if rig.data.pose_position == "REST":
        return "the armature is in Rest Position"
    return "driven" if is_driven(rig, path) else layered_over(rig, path)


def move_head(
    scene: bpy.types.Scene,
    settings: Any,
    curves: Curves,
    title: str,
    span: tuple[float, float],
    unmoved: list[Unmoved],
) -> int:
    """The object that is the head turns: pitch about x, yaw about z, roll about y, for a face that
    looks along -y; how many curves. What does not move is added to `unmoved`.
    """
    obj = settings.head_object
    if obj is None:
        return 0
    turns = [
        (axis, curves[name][0], sign * curves[name][1])
        for name, axis, sign in zip(HEAD, (0, 2, 1), (-1, 1, 1), strict=True)
        if name in curves
    ]
    keys = turning.of_delta(obj, turns)
    write_layer(obj, "head", keys, f"{title} {obj.name}", span)
    if turns and not keys:
        why = "its rotation mode is Axis Angle, which has no delta rotation"
        unmoved.append(Unmoved(obj.name, why))
        return 0
    strongest = max(turns, key=lambda turn: float(np.ptp(turn[2])), default=None)
    if strongest is None or float(np.ptp(strongest[2])) < LEAST:
        return len(turns)
    _, frames, angles = strongest
    low, high = float(frames[angles.argmin()]), float(frames[angles.argmax()])
    seen = [_object_turn(scene, obj, frame) for frame in (low, high)]
    if turning.angle_between(*seen) >= 0.2 * SHOWN * float(np.ptp(angles)):
        return len(turns)
    held = any(not c.mute and c.influence > 0 for c in obj.constraints)
    why = "constraints hold it" if held else layered_over(obj, keys[0].path)
    why = "driven" if is_driven(obj, keys[0].path) else why or "something else turns it"
    unmoved.append(Unmoved(obj.name, why))
    return len(turns)


def _object_turn(scene: bpy.types.Scene, obj: bpy.types.Object, frame: float) -> Quaternion:
    timeline.go_to(scene, frame)
    shown = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    matrix = shown.matrix_world
    if shown.parent is not None:
        matrix = shown.parent.matrix_world.inverted() @ matrix
    return matrix.to_quaternion()
