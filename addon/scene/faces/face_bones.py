"""A motion on the bones of a face rig, by a table: Rigify's, Auto-Rig Pro's, or an artist's own."""

import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Quaternion, Vector

from ....backend.formats import face_bones
from ....backend.formats.face_bones import BoneRow, BoneTable
from ....backend.protocol import InputError
from .face_curves import Keys, write_layer
from .face_turns import Curves, overruled_bone
from .unmoved import Unmoved

TABLES = Path(__file__).with_name("bone_tables")
NAMED = 4  # shapes that are named where many are left out


def table_of(obj: bpy.types.Object, path: str = "") -> BoneTable | None:
    """The artist's table, else the one that fits the armature's bones; None where none does."""
    if path:
        return face_bones.read(Path(bpy.path.abspath(path)))
    bones = obj.data.bones.keys()
    tables = (face_bones.read(own) for own in sorted(TABLES.glob("*.json")))
    return next((table for table in tables if face_bones.fits(table, bones)), None)


def armature_of(obj: bpy.types.Object) -> bpy.types.Object | None:
    """Itself, or the one that deforms a mesh."""
    if obj.type == "ARMATURE":
        return obj
    return next((m.object for m in obj.modifiers if m.type == "ARMATURE" and m.object), None)


def usable(obj: bpy.types.Object, table: BoneTable) -> tuple[list[BoneRow], str]:
    """The rows whose bones are there, and a line about shapes and bones that are left out."""
    bones = set(obj.pose.bones.keys())
    rows = [row for row in table.rows if row.bone in bones]
    moved = {row.shape for row in rows}
    left = [name for name in face_bones.CURVES if name not in moved]
    missing = sorted({row.bone for row in table.rows} - bones)
    line = f"{obj.name}: {len(moved)} curves move bones by {table.name}"
    for what, names in (("not in the table", left), ("missing bones", missing)):
        if names:
            more = " …" if len(names) > NAMED else ""
            line += f"; {len(names)} {what}: {', '.join(names[:NAMED])}{more}"
    return rows, line


def apply(
    obj: bpy.types.Object,
    table: BoneTable,
    curves: Curves,
    layers: Collection[str],
    title: str,
    span: tuple[float, float],
    unmoved: list[Unmoved],
) -> int:
    """Writes the curves of a motion as keys of pose bones, layer by layer, over what the artist has
    animated; how many curves. InputError where the eyes' bones are missing.
    """
    rows, _ = usable(obj, table)
    unit, used = eye_distance(obj, table), set()
    for layer in layers:
        own = [row for row in rows if row.shape in curves and curves[row.shape][2] == layer]
        keys: list[Keys] = []
        for bone in dict.fromkeys(row.bone for row in own):
            mine = [row for row in own if row.bone == bone]
            new = list(_keys(obj.pose.bones[bone], mine, curves, unit))
            why = overruled_bone(obj, new[0].path) if new else ""
            if why:
                unmoved.append(Unmoved(bone, why))
            keys += new
        used |= {row.shape for row in own}
        write_layer(obj, layer, keys, f"{title} {obj.name}", span, combine=True)
    return len(used)


def eye_distance(obj: bpy.types.Object, table: BoneTable) -> float:
    """Between the eyes' bones at rest, in the armature's own unit."""
    bones = obj.data.bones
    missing = [name for name in table.eyes if name not in bones]
    if missing:
        raise InputError(
            f"{obj.name} has no bone {missing[0]}.", f"Name the eyes' bones in {table.name}."
        )
    left, right = (bones[name].head_local for name in table.eyes)
    if (left - right).length < 1e-9:
        raise InputError(f"The eyes of {obj.name} are at one place.", "Name other bones as eyes.")
    return float((left - right).length)


def _keys(bone: Any, rows: list[BoneRow], curves: Curves, unit: float) -> Iterator[Keys]:
    """Of one bone: its location in its own axes, and its rotation in its own mode."""
    frames = np.unique(np.concatenate([curves[row.shape][0] for row in rows]))
    inverse = np.array(bone.bone.matrix_local.to_3x3().inverted())
    sums = {"move": np.zeros((len(frames), 3)), "turn": np.zeros((len(frames), 3))}
    for row in rows:
        at, values, _ = curves[row.shape]
        kind = row.channel.split("_")[0]
        scale = row.gain * (unit if kind == "move" else math.pi / 180)
        axis = inverse @ np.array(face_bones.CHANNELS[row.channel], float)
        sums[kind] += np.interp(frames, at, values)[:, None] * (scale * axis)
    path = f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"]'
    if sums["move"].any():
        for axis in range(3):
            yield Keys(f"{path}.location", axis, frames, sums["move"][:, axis])
    if sums["turn"].any():
        yield from _turned(path, bone.rotation_mode, frames, sums["turn"])


def _turned(path: str, mode: str, frames: np.ndarray, turns: np.ndarray) -> Iterator[Keys]:
    """Rotation vectors (N, 3) as keys of a rotation mode."""
    quats = [_quaternion(turn) for turn in turns]
    if mode == "QUATERNION":
        name, values = "rotation_quaternion", np.array([q[:] for q in quats])
    elif mode == "AXIS_ANGLE":
        name = "rotation_axis_angle"
        values = np.array([(angle, *axis) for axis, angle in (q.to_axis_angle() for q in quats)])
    else:
        name = "rotation_euler"
        values = np.array([q.to_euler(mode)[:] for q in quats])
    for index, column in enumerate(values.T):
        yield Keys(f"{path}.{name}", index, frames, column)


def _quaternion(turn: np.ndarray) -> Quaternion:
    angle = float(np.linalg.norm(turn))
    return Quaternion(Vector((turn / angle).tolist()), angle) if angle > 1e-12 else Quaternion()
