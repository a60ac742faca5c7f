"""A moving mesh into files that game engines read, each read back and compared with what was on
screen, frame by frame.

Blender's own exporters do the writing; a copy of the object, made for them and removed afterwards,
knows their traps: absolute shape keys lose their animation in glTF and FBX, modifiers on top of
keys are ignored, FBX's importer puts everything a frame late.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ....backend.formats import vertex_animation
from ....backend.geometry.arrays import Floats
from ....backend.protocol import DiskError, InputError
from ....backend.runtime import atomic
from . import mesh_playback, mesh_read_back, mesh_vat, passing, timeline
from .engine_looks import lent_names
from .mesh_export_copy import export_copy, nodes_of
from .mesh_frames import FRAMES_KEY
from .mesh_read_back import ReadBack
from .mesh_sequence import evaluated_frames

KINDS = {
    "SKIN_GLB": ".glb",
    "SKIN_FBX": ".fbx",
    "SKIN_USD": ".usdc",
    "MORPH_GLB": ".glb",
    "VAT": ".png",
    "ALEMBIC": ".abc",
    "USD": ".usdc",
}
FITS = 1e-3  # of the box: an error that nobody sees


@dataclass(frozen=True, kw_only=True)
class Baked:
    """What was written, and how far it is from what was shown: the largest error of any vertex in
    any frame, in shares of the box; how long the file lasts, and how long it should.
    """

    path: Path
    megabytes: float
    frames: int
    error: float
    seconds: float
    wanted: float
    notes: tuple[str, ...] = ()

    @property
    def in_time(self) -> bool:
        """Whether the file lasts as long as what was shown, to half a frame."""
        frame = self.wanted / max(self.frames - 1, 1)
        return abs(self.seconds - self.wanted) <= max(0.5 * frame, 1e-3)


def bake(context: bpy.types.Context, animated: bpy.types.Object, path: Path, kind: str) -> Baked:
    """Writes the object as `kind` over the scene's frames and checks the file; an older one stays
    until the new one is whole.
    """
    scene = context.scene
    frames = list(range(scene.frame_start, scene.frame_end + 1))
    if FRAMES_KEY in animated and kind == "USD":
        return _bake_changing(context, animated, path, frames)
    shown = evaluated_frames(context, animated, frames)
    if not np.isfinite(shown).all():
        raise InputError(
            f"{animated.name} has vertices at no finite place.",
            "Look at its modifiers and its cache.",
        )
    nodes = nodes_of(animated, shown, frames) if kind.startswith("SKIN") else None
    part = path.with_name(f"part-{path.name}")  # Blender hides names that begin with a dot
    try:
        with explained(path):
            with lent_names() as take, without_trace():
                made = export_copy(context, animated, shown, frames, kind, nodes, take)
                select_only(context, made)
                read = _written(context, part, kind, made[0], shown, frames)
            for one in mesh_vat.files(part) if kind == "VAT" else [part]:
                atomic.sync_file(one)
                one.replace(one.with_name(one.name.removeprefix("part-")))
            atomic.sync_folder(path.parent)
    finally:
        for one in mesh_vat.files(part):
            one.unlink(missing_ok=True)
    return _baked(context, animated, path, frames, read)


def _written(
    context: bpy.types.Context,
    part: Path,
    kind: str,
    made: bpy.types.Object,
    shown: Floats,
    frames: list[int],
) -> ReadBack:
    """Writes what is selected, and reads it back."""
    if kind == "VAT":
        error = mesh_vat.write(context, part, made, shown)
        return ReadBack(error, vertex_animation.seconds(part))
    _export(part, kind, frames)
    return mesh_read_back.compare(context, part, kind, shown, frames)


def _bake_changing(
    context: bpy.types.Context, animated: bpy.types.Object, path: Path, frames: list[int]
) -> Baked:
    """As USD, which may have other vertices in every frame."""
    part = path.with_name(f"part-{path.name}")
    try:
        with without_trace():
            select_only(context, [animated])
            _export(part, "USD", frames)
            read = mesh_read_back.compare_changing(context, part, animated, frames)
        atomic.sync_file(part)
        part.replace(path)
        atomic.sync_folder(path.parent)
    except RuntimeError as problem:
        raise InputError(
            f"{path.name} can't be written: {str(problem).strip().splitlines()[-1]}",
            "Choose another place.",
        ) from problem
    finally:
        part.unlink(missing_ok=True)
    return _baked(context, animated, path, frames, read)


def _baked(
    context: bpy.types.Context,
    animated: bpy.types.Object,
    path: Path,
    frames: list[int],
    read: ReadBack,
) -> Baked:
    """With notes on what the file can't show, or shows in another time than it had."""
    notes = [timeline.out_of_time(animated, context.scene)]
    if mesh_playback.is_hidden_at_times(animated):
        notes.append("It is hidden in some frames, which the file does not know")
    return Baked(
        path=path,
        megabytes=path.stat().st_size / 1e6,
        frames=len(frames),
        error=read.error,
        seconds=read.seconds,
        wanted=(len(frames) - 1) / timeline.rate(context.scene),
        notes=tuple(note for note in notes if note),
    )


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """InputError for what an exporter reports, DiskError for a folder that nothing may be written
    into.
    """
    try:
        yield
    except RuntimeError as problem:
        raise InputError(
            f"{path.name} can't be written: {str(problem).strip().splitlines()[-1]}",
            "Choose another place or kind.",
        ) from problem
    except PermissionError as problem:
        raise DiskError(
            f"No permission to write into {path.parent}.", "Choose another folder."
        ) from problem


@contextlib.contextmanager
def without_trace() -> Iterator[None]:
    """Whatever is made meanwhile is removed afterwards; the scene's time, the selection and the
    active object are what they were.
    """
    scene, before = bpy.context.scene, passing.blocks()
    kept = (
        scene.frame_start,
        scene.frame_end,
        scene.render.fps,
        scene.render.fps_base,
        scene.frame_current,
    )
    layer = bpy.context.view_layer
    selected, active = [o for o in layer.objects if o.select_get()], layer.objects.active
    try:
        yield
    finally:
        passing.remove(passing.since(before))
        scene.frame_start, scene.frame_end, scene.render.fps, scene.render.fps_base = kept[:4]
        scene.frame_set(kept[4])
        for one in layer.objects:
            one.select_set(one in selected)
        layer.objects.active = active


def select_only(context: bpy.types.Context, objs: list[bpy.types.Object]) -> None:
    for one in context.view_layer.objects:
        one.select_set(one in objs)
    context.view_layer.objects.active = objs[0]


def _export(path: Path, kind: str, frames: list[int]) -> None:
    if kind.endswith("GLB"):
        with timeline.as_gltf_reads_it(bpy.context.scene):
            _export_gltf(path)
    elif kind.endswith("FBX"):
        bpy.ops.export_scene.fbx(
            filepath=str(path),
            use_selection=True,
            bake_anim=True,
            add_leaf_bones=False,
            bake_anim_use_all_actions=False,
            bake_anim_use_nla_strips=False,
            bake_anim_simplify_factor=0.0,
            apply_scale_options="FBX_SCALE_UNITS",  # or engines see it a hundred times as large
            path_mode="COPY",
            embed_textures=True,
        )
    elif kind == "ALEMBIC":
        bpy.ops.wm.alembic_export(
            filepath=str(path),
            start=frames[0],
            end=frames[-1],
            selected=True,
            uvs=True,
            vcolors=True,
            as_background_job=False,
        )
    else:
        bpy.ops.wm.usd_export(
            filepath=str(path),
            selected_objects_only=True,
            export_animation=True,
            export_shapekeys=False,
            convert_world_material=False,
            export_lights=False,
            export_cameras=False,
        )


def _export_gltf(path: Path) -> None:
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        use_selection=True,
        export_animations=True,
        export_animation_mode="SCENE",
        export_morph_normal=False,
        export_morph_tangent=False,
        export_optimize_animation_size=True,
        export_influence_nb=4,
        export_frame_range=True,
        export_anim_slide_to_zero=True,
        export_image_format="JPEG",
        export_jpeg_quality=85,
    )
