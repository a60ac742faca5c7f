"""What a motion moves: shape keys of meshes by a table that can be changed, a jaw bone, a head."""

import math
from collections.abc import Collection, Iterator
from typing import Any, Protocol

import bpy
import numpy as np

from ....backend.formats import face_names
from ....backend.formats.arkit import BLENDSHAPES
from ....backend.formats.motion_file import LAYERS, Motion
from ....backend.protocol import InputError
from ..meshes import timeline
from . import face_bones, face_turns
from .face_curves import Keys, write_layer
from .face_turns import Curves
from .unmoved import Unmoved, of_keys, told, value_path

SPOKEN_LAYERS = ("speech", "blink", "head")  # what a sound moves; a filmed face moves all
TABLED = {*BLENDSHAPES, *face_names.VISEME_CURVES}  # what rows of a table can name


class FaceRow(Protocol):
    """One curve of a motion and the shape key that it moves: SplatsmithFaceRow in properties/."""

    curve: str
    key: str
    gain: float


class FaceTarget(Protocol):
    """A mesh that is moved: SplatsmithFaceTarget in properties/, which Blender makes."""

    obj: bpy.types.Object
    rows: Any  # a collection of FaceRow
    bones: str  # file of an armature's table; empty: the one that fits
    row: int


def shape_keys(obj: bpy.types.Object | None) -> list[str]:
    """Names of a mesh's shape keys but the first, which is its rest."""
    keys = obj.data.shape_keys if obj is not None and obj.type == "MESH" else None
    return [block.name for block in keys.key_blocks[1:]] if keys else []


def fill(target: FaceTarget) -> int:
    """Makes the table of a target anew from the names of its shape keys; how many it moves."""
    target.rows.clear()
    for match in face_names.matches(shape_keys(target.obj)):
        row = target.rows.add()
        row.curve, row.key, row.gain = match.curve, match.key, match.gain
    return len({row.key for row in target.rows})


def add_target(scene: bpy.types.Scene, obj: bpy.types.Object) -> str:
    """Takes a mesh with shape keys into the list; a line about it. InputError where it can't be
    moved.
    """
    settings = scene.splatsmith
    if obj.library or (obj.data.library if obj.data else None):
        raise InputError(
            f"{obj.name} is linked from another file, and can't hold animation here.",
            "Make a library override of it first: Object > Library Override > Make.",
        )
    if obj.type != "ARMATURE" and not shape_keys(obj):
        raise InputError(
            f"{obj.name} has no shape keys.",
            "Choose a mesh with shape keys or a face rig, or press Add ARKit Shapes.",
        )
    for number in reversed(range(len(settings.face_targets))):
        if settings.face_targets[number].obj is None:  # deleted since
            settings.face_targets.remove(number)
    if any(target.obj == obj for target in settings.face_targets):
        return f"{obj.name} is in the list already"
    if obj.type == "ARMATURE":
        return _add_bones(settings, obj)
    target = settings.face_targets.add()
    target.obj = obj
    count = fill(target)
    settings.face_target = len(settings.face_targets) - 1
    if not count:
        return f"None of {obj.name}'s shape keys has a name that is known: fill the table by hand"
    return f"{obj.name}: {count} of {len(shape_keys(obj))} shape keys matched"


def _add_bones(settings: Any, obj: bpy.types.Object) -> str:
    table = face_bones.table_of(obj, settings.bone_table)
    if table is None:
        raise InputError(
            f"{obj.name} has the bones of no face rig that is known.",
            "Choose a table of its bones under Shape Keys, Jaw, Head.",
        )
    rows, line = face_bones.usable(obj, table)
    if not rows:
        raise InputError(f"{obj.name} has none of the bones of {table.name}.", "Choose its table.")
    target = settings.face_targets.add()
    target.obj, target.bones = obj, settings.bone_table
    settings.face_target = len(settings.face_targets) - 1
    return line


def apply(
    scene: bpy.types.Scene,
    motion: Motion,
    start: float,
    title: str,
    objs: Collection[bpy.types.Object] | None = None,
) -> str:
    """Writes the motion onto the targets, or onto those that are among `things`; a line about it.
    Frames are laid on the scene's, whatever its rate has become.
    """
    settings = scene.splatsmith
    scale = scene.render.fps / scene.render.fps_base / motion.fps
    curves = {
        curve.name: (start + curve.frames * scale, curve.values, curve.layer)
        for curve in motion.curves
    }
    span = (start, start + motion.length * scale)
    present = {curve.layer for curve in motion.curves}  # a layer that is turned off stays as it was
    layers = [layer for layer in LAYERS if layer in SPOKEN_LAYERS or layer in present]
    targets = [
        t for t in settings.face_targets if shape_keys(t.obj) and (objs is None or t.obj in objs)
    ]
    counts = [_write(target, curves, layers, title, span) for target in targets]
    unmoved: list[Unmoved] = []
    now = scene.frame_current_final
    counts += [
        _on_bones(target, curves, layers, title, span, unmoved)
        for target in settings.face_targets
        if _is_rig(target.obj) and (objs is None or target.obj in objs)
    ]
    try:
        if objs is None:
            counts.append(face_turns.move_jaw(scene, settings, curves, title, span, unmoved))
        if objs is None or settings.head_object in objs:
            counts.append(face_turns.move_head(scene, settings, curves, title, span, unmoved))
        for target in targets:
            written = [(name, key) for key, _, name in _of_keys(target, curves)]
            unmoved += of_keys(scene, target.obj, written)
    finally:
        timeline.go_to(scene, now)
    scene.frame_end = max(scene.frame_end, math.ceil(span[1]))
    if not any(counts) and not unmoved:
        return "no target: choose meshes with shape keys in panel 5, and press again"
    return "; ".join(filter(None, [f"{sum(counts)} curves", told(unmoved, sum(counts))]))


def _is_rig(obj: bpy.types.Object | None) -> bool:
    return obj is not None and obj.type == "ARMATURE"


def _on_bones(
    target: FaceTarget,
    curves: Curves,
    layers: Collection[str],
    title: str,
    span: tuple[float, float],
    unmoved: list[Unmoved],
) -> int:
    table = face_bones.table_of(target.obj, target.bones)
    if table is None:
        unmoved.append(Unmoved(target.obj.name, "its face's bones are gone"))
        return 0
    return face_bones.apply(target.obj, table, curves, layers, title, span, unmoved)


def _write(
    target: FaceTarget,
    curves: Curves,
    layers: Collection[str],
    title: str,
    span: tuple[float, float],
) -> int:
    """The curves that are a mesh's own, layer by layer; how many."""
    keys = list(_of_keys(target, curves))
    for layer in layers:
        own = [key for key, of, _ in keys if of == layer]
        write_layer(target.obj.data.shape_keys, layer, own, f"{title} {target.obj.name}", span)
    return len(keys)


def _of_keys(target: FaceTarget, curves: Curves) -> Iterator[tuple[Keys, str, str]]:
    """Every shape key that has a row, with its layer and its name; several rows of one key are
    added.
    """
    blocks = set(shape_keys(target.obj))
    for key in dict.fromkeys(row.key for row in target.rows if row.key in blocks):
        parts = [
            (*curves[row.curve], row.gain)
            for row in target.rows
            if row.key == key and row.curve in curves
        ]
        if not parts:
            continue
        frames = np.unique(np.concatenate([part[0] for part in parts]))
        values = sum(gain * np.interp(frames, at, value) for at, value, _, gain in parts)
        yield Keys(value_path(key), 0, frames, values), parts[0][2], key
    for name in sorted(
        blocks & curves.keys() - TABLED
    ):  # a face model's own terms: FLAME's expressions
        frames, values, layer = curves[name]
        yield Keys(value_path(name), 0, frames, values), layer, name
