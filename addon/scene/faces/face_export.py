"""Faces to game engines: glTF and FBX with ARKit's names, and the table that Live Link Face writes.

Blender's own exporters do the work; here is only what they have to be told.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.formats import live_link_csv
from ....backend.formats.arkit import BLENDSHAPES
from ....backend.formats.motion_file import HEAD
from ....backend.protocol import InputError
from ....backend.runtime.atomic import atomic_path
from ..meshes import file_durations, timeline
from . import turning
from .face_targets import FaceTarget, shape_keys

NOTE = "Synthetic: facial animation by Splatsmith."


def export(context: bpy.types.Context, path: Path, kind: str) -> str:
    """Writes all targets as `kind`: GLTF, FBX or CSV; a line about it. An older file stays until
    the new one is whole.
    """
    targets = [
        t for t in context.scene.splatsmith.face_targets if t.obj is not None and shape_keys(t.obj)
    ]
    if not targets:
        raise InputError(
            "There is no face to export.", "Choose meshes with shape keys at the top of panel 5."
        )
    try:
        with atomic_path(path) as part:
            frames = _write(context, targets, part, kind)
    except RuntimeError as error:  # what an exporter reports
        raise InputError(
            f"{path.name} can't be written: {str(error).strip().splitlines()[-1]}",
            "Look at the console for more.",
        ) from error
    meshes = f"{len(targets)} mesh{'es' if len(targets) > 1 else ''}"
    return f"{path.name}: {meshes}, {frames} frames{_in_time(context.scene, path, kind, frames)}"


def _in_time(scene: bpy.types.Scene, path: Path, kind: str, frames: int) -> str:
    """How long the file lasts by what stands in it, and how long the scene where that differs."""
    rate = timeline.rate(scene)
    if kind == "CSV":
        seconds = live_link_csv.seconds(path, rate)
    else:
        seconds = file_durations.of_file(path, {"GLTF": "MORPH_GLB"}.get(kind, kind))
    if seconds is None:
        return ""
    wanted, frame = (frames - 1) / rate, 1 / rate
    apart = abs(seconds - wanted) > 0.5 * frame
    clock = " by its timecode" if kind == "CSV" and apart else ""  # which counts whole frames
    return f", {seconds:.2f} s{clock}" + (f", but the scene lasts {wanted:.2f} s" if apart else "")


def _write(context: bpy.types.Context, targets: list[Any], path: Path, kind: str) -> int:
    """In the chosen format; how many frames."""
    if kind == "CSV":
        return _table(context, targets, path)
    meshes = _with_bones(context, [t.obj for t in targets])
    with _alone(context, meshes), _arkit_names(targets):
        (_gltf if kind == "GLTF" else _fbx)(path)
    return int(context.scene.frame_end - context.scene.frame_start + 1)


def _gltf(path: Path) -> None:
    """One animation of the whole scene's time: every layer as it plays."""
    with timeline.as_gltf_reads_it(bpy.context.scene):
        bpy.ops.export_scene.gltf(
            filepath=str(path),
            export_format="GLB",
            use_selection=True,
            export_animations=True,
            export_animation_mode="SCENE",
            export_morph_tangent=False,
            export_copyright=NOTE,
        )


def _fbx(path: Path) -> None:
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_selection=True,
        object_types={"MESH", "ARMATURE", "EMPTY"},
        use_mesh_modifiers=False,
        mesh_smooth_type="FACE",
        bake_anim=True,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
    )


@contextlib.contextmanager
def _alone(context: bpy.types.Context, meshes: list[bpy.types.Object]) -> Iterator[None]:
    """Only these are selected; afterwards what was."""
    layer = context.view_layer
    hidden = [
        obj.name
        for obj in meshes
        if obj.name not in layer.objects or not obj.visible_get(view_layer=layer)
    ]
    if hidden:
        raise InputError(
            f"{', '.join(hidden)} can't be exported while hidden.",
            "Show it in this view layer, or take it off the list.",
        )
    before, active = [o for o in layer.objects if o.select_get()], layer.objects.active
    try:
        for obj in layer.objects:
            obj.select_set(obj in meshes)
        layer.objects.active = meshes[0]
        yield
    finally:
        for obj in layer.objects:
            obj.select_set(obj in before)
        layer.objects.active = active


def _with_bones(
    context: bpy.types.Context, meshes: list[bpy.types.Object]
) -> list[bpy.types.Object]:
    """And the armatures and the head that move with them."""
    settings = context.scene.splatsmith
    bones = [m.object for obj in meshes for m in obj.modifiers if m.type == "ARMATURE"]
    return list(
        dict.fromkeys(
            [
                *meshes,
                *(t for t in (*bones, settings.jaw_rig, settings.head_object) if t is not None),
            ]
        )
    )


@contextlib.contextmanager
def _arkit_names(targets: list[FaceTarget]) -> Iterator[None]:
    """Shape keys that do just what one of ARKit's does bear its name meanwhile."""
    renamed = []
    for target in targets:
        blocks = target.obj.data.shape_keys.key_blocks
        for key, curve in one_to_one(target).items():
            if key != curve and curve not in blocks:
                blocks[key].name = curve
                renamed.append((blocks[curve], key))
    try:
        yield
    finally:
        for block, name in renamed:
            block.name = name


def one_to_one(target: FaceTarget) -> dict[str, str]:
    """Shape key -> ARKit's name, where the table says that they are the same thing."""
    keys, curves = [row.key for row in target.rows], [row.curve for row in target.rows]
    blocks = set(shape_keys(target.obj))
    return {
        row.key: row.curve
        for row in target.rows
        if row.key in blocks
        and row.curve in BLENDSHAPES
        and row.gain == 1
        and keys.count(row.key) == curves.count(row.curve) == 1
    }


def _table(context: bpy.types.Context, targets: list[FaceTarget], path: Path) -> int:
    """What the shape keys do in every frame of the scene, told in ARKit's terms."""
    scene, now = context.scene, context.scene.frame_current
    matched = [
        (key, curve, target.obj) for target in targets for key, curve in one_to_one(target).items()
    ]
    if not matched:
        raise InputError(
            "No shape key is matched with one of ARKit's names.",
            "Fill the table under Shape Keys, Jaw, Head.",
        )
    frames = range(scene.frame_start, scene.frame_end + 1)
    values = np.zeros((len(frames), len(matched) + 3), np.float32)
    try:
        for row, frame in zip(values, frames, strict=True):
            scene.frame_set(frame)
            row[:-3] = [obj.data.shape_keys.key_blocks[key].value for key, _, obj in matched]
            row[-3:] = _turn(scene.splatsmith.head_object)
    finally:
        scene.frame_set(now)
    live_link_csv.write(
        path,
        scene.render.fps / scene.render.fps_base,
        [curve for _, curve, _ in matched] + list(HEAD),
        values,
    )
    return len(frames)


def _turn(head: bpy.types.Object | None) -> NDArray[np.float32]:
    """(3,) pitch, yaw, roll, as face_targets.py lays them on the head."""
    if head is None:
        return np.zeros(3, np.float32)
    x, y, z = turning.delta_angles(head)
    return np.array([-x, z, y], np.float32)
