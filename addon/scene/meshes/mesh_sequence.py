"""A moving mesh as one native object: it plays in true time, renders with motion blur and can be
painted without the add-on.

Short ones get absolute shape keys, inside the .blend; long ones a PC2 file beside the result and a
Mesh Cache modifier, because keys would make the .blend huge.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeGuard

import bpy
import numpy as np

from ....backend.formats.mesh_sequence import MeshSequence
from ....backend.geometry.arrays import Doubles, Floats
from ....backend.protocol import InputError
from ..splats import radiance, splats
from . import mesh_playback, timeline
from .mesh_materials import new_material

SEQUENCE_KEY = "splatsmith_sequence"  # on the object: its mesh.npz
BONES_KEY = "splatsmith_bone_frames"  # on the object: frames of the moments in that file
MOST_KEYED = 4_500_000  # vertices times frames that go into shape keys


def import_sequence(
    sequence: MeshSequence,
    path: Path,
    texture: Path | None,
    name: str,
    collection: bpy.types.Collection,
    root: bpy.types.Object | None,
    fps: float = 0.0,
) -> bpy.types.Object:
    """The animated object, each of its moments where its seconds say, 0 at frame 1, under the root
    of its capture, whose frames a second are `fps`; 0: the scene's.
    """
    mesh = bpy.data.meshes.new(name)
    fill(mesh, sequence)
    mesh.materials.append(new_material(name, "Color", texture))
    animated = _placed(mesh, name, collection)
    animated.parent = root
    animated[SEQUENCE_KEY] = str(path)
    frames = timeline.frames_at(sequence.seconds, fps or timeline.rate(bpy.context.scene))
    if sequence.positions[..., 0].size <= MOST_KEYED:
        mesh_playback.play_keys(animated, sequence.positions, frames)
    else:
        cache = path.with_suffix(".pc2")
        moments = iter(sequence.positions)
        mesh_playback.write_cache(cache, moments, len(sequence.rest), len(frames))
        mesh_playback.play_cache(animated, cache, frames)
    timeline.remember(animated, frames, sequence.seconds)
    animated[BONES_KEY] = animated[timeline.MOMENTS_KEY]
    return animated


def import_moving(
    mesh: bpy.types.Mesh,
    moments: Iterable[Floats] | Path,
    seconds: Doubles,
    name: str,
    collection: bpy.types.Collection,
) -> bpy.types.Object:
    """A mesh that another program has made, with all that is on it, and its vertices (V, 3) at T
    times, or the cache that holds them.
    """
    animated = _placed(mesh, name, collection)
    frames = timeline.frames_at(seconds, timeline.rate(bpy.context.scene))
    if isinstance(moments, Path):
        mesh_playback.play_cache(animated, moments, frames)
    else:
        mesh_playback.play_keys(animated, moments, frames)
    timeline.remember(animated, frames, seconds)
    return animated


def _placed(mesh: bpy.types.Mesh, name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    animated = bpy.data.objects.new(name, mesh)
    collection.objects.link(animated)
    return animated


def fill(mesh: bpy.types.Mesh, sequence: MeshSequence) -> None:
    """Vertices as they are at the first moment, triangles, colours, uvs."""
    corners = sequence.faces.astype(np.int32).ravel()
    mesh.vertices.add(len(sequence.rest))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(sequence.positions[0], np.float32).ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(sequence.faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, len(corners), 3, dtype=np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(sequence.faces), bool))
    mesh.update(calc_edges=True)
    colors = np.ones((len(sequence.rest), 4), np.float32)
    colors[:, :3] = radiance.srgb_to_linear(sequence.colors)
    mesh.attributes.new("Color", "FLOAT_COLOR", "POINT").data.foreach_set("color", colors.ravel())
    if sequence.uvs is not None:
        mesh.uv_layers.new(name="UVMap").data.foreach_set(
            "uv", np.ascontiguousarray(sequence.uvs, np.float32).ravel()
        )
    mesh.validate(
        clean_customdata=False
    )  # a face that is there twice: exporters would mend copies, and spoil what those share with it


def is_animated_mesh(animated: bpy.types.Object | None) -> TypeGuard[bpy.types.Object]:
    """Whether it can be baked: any mesh can, whatever moves it. Splats can't, though they are a
    mesh of points where Blender can't make point clouds, as 4.3.
    """
    return animated is not None and animated.type == "MESH" and not splats.is_splats(animated)


def evaluated_frames(
    context: bpy.types.Context, animated: bpy.types.Object, frames: list[int]
) -> Floats:
    """(T, V, 3) in the world, modifiers and all; InputError where their number changes."""
    scene, now, moments = context.scene, context.scene.frame_current, []
    try:
        for frame in frames:
            scene.frame_set(frame)
            moments.append(world_vertices(context, animated))
            if len(moments[-1]) != len(moments[0]):
                raise InputError(
                    f"{animated.name} has {len(moments[0]):,} vertices in frame {frames[0]} and "
                    f"{len(moments[-1]):,} in frame {frame}.",
                    "Choose USD, which can keep such a mesh; or give it one topology first.",
                )
    finally:
        scene.frame_set(now)
    return np.stack(moments)


def as_sequence(context: bpy.types.Context, animated: bpy.types.Object) -> MeshSequence:
    """The object over the scene's frames, in its own space as of the first."""
    scene, render, now = context.scene, context.scene.render, context.scene.frame_current
    frames = list(range(scene.frame_start, scene.frame_end + 1))
    shown = evaluated_frames(context, animated, frames)
    try:
        scene.frame_set(frames[0])
        back = np.linalg.inv(np.array(animated.matrix_world, np.float64))
        mesh = animated.evaluated_get(context.evaluated_depsgraph_get()).to_mesh()
        mesh.calc_loop_triangles()
        corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
        mesh.loop_triangles.foreach_get("vertices", corners)
        animated.evaluated_get(context.evaluated_depsgraph_get()).to_mesh_clear()
    finally:
        scene.frame_set(now)
    positions = np.asarray(shown @ back[:3, :3].T + back[:3, 3], np.float32)
    seconds = np.arange(len(frames)) * render.fps_base / render.fps
    return MeshSequence(
        rest=positions[0],
        faces=corners.reshape(-1, 3),
        positions=positions,
        seconds=seconds,
        colors=np.full_like(positions[0], 0.8),
    )


def world_vertices(context: bpy.types.Context, animated: bpy.types.Object) -> Floats:
    """(V, 3) as the object stands in this frame."""
    shown = animated.evaluated_get(context.evaluated_depsgraph_get())
    mesh = shown.to_mesh()
    co = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", co)
    shown.to_mesh_clear()
    world = np.array(shown.matrix_world, np.float64)
    return np.asarray(co.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3], np.float32)
