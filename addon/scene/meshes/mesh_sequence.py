"""A moving mesh from mesh.npz as one native object: it plays, renders with motion blur and can be
painted without the add-on.

Short ones get absolute shape keys, inside the .blend; long ones a PC2 file beside the result and a
Mesh Cache modifier, because keys would make the .blend huge.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import bpy
import numpy as np

from ....backend.formats.mesh_sequence import MeshSequence
from ....backend.geometry.arrays import Floats
from ....backend.protocol import InputError
from ....backend.runtime.atomic import atomic_path
from ..splats import radiance

SEQUENCE_KEY = "splatsmith_sequence"  # on the object: its mesh.npz
MOST_KEYED = 4_500_000  # vertices times frames that go into shape keys
SPACING = 10.0  # of absolute shape keys, in their own time


def import_sequence(
    sequence: MeshSequence,
    path: Path,
    texture: Path | None,
    name: str,
    collection: bpy.types.Collection,
    root: bpy.types.Object | None,
) -> bpy.types.Object:
    """The animated object, its first moment at frame 1, under the root of its capture."""
    mesh = bpy.data.meshes.new(name)
    _fill(mesh, sequence)
    mesh.materials.append(_material(name, texture))
    animated = bpy.data.objects.new(name, mesh)
    collection.objects.link(animated)
    animated.parent = root
    animated[SEQUENCE_KEY] = str(path)
    if sequence.positions[..., 0].size <= MOST_KEYED:
        _key(animated, sequence.positions)
    else:
        cache = path.with_suffix(".pc2")
        _write_cache(cache, iter(sequence.positions), len(sequence.rest), len(sequence.positions))
        _play_cache(animated, cache)
    return animated


def import_streamed(
    first: MeshSequence,
    moments: Iterator[Floats],
    count: int,
    path: Path,
    name: str,
    collection: bpy.types.Collection,
) -> bpy.types.Object:
    """A sequence that is too large to hold: `first` is its first moment alone, the others (V, 3) go
    straight into the cache at `path`.
    """
    _write_cache(path, moments, len(first.rest), count)
    mesh = bpy.data.meshes.new(name)
    _fill(mesh, first)
    mesh.materials.append(_material(name, None))
    animated = bpy.data.objects.new(name, mesh)
    collection.objects.link(animated)
    _play_cache(animated, path)
    return animated


def _fill(mesh: bpy.types.Mesh, sequence: MeshSequence) -> None:
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


def _material(name: str, texture: Path | None) -> bpy.types.Material:
    """Matte; the texture goes into the .blend, so that it can be painted and stays."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = 0.9
    if texture is not None and texture.is_file():
        color = nodes.new("ShaderNodeTexImage")
        color.image = bpy.data.images.load(str(texture))
        color.image.name = f"{name} Texture"
        color.image.pack()
        nodes.active = color  # what Texture Paint paints on
    else:
        color = nodes.new("ShaderNodeVertexColor")
        color.layer_name = "Color"
    color.location = (-320, 280)
    links.new(color.outputs["Color"], surface.inputs["Base Color"])
    return material


def _key(animated: bpy.types.Object, positions: Floats) -> None:
    """One absolute key a frame, and a straight curve that runs through them."""
    for number, moment in enumerate(positions, 1):
        key = animated.shape_key_add(name=f"{number:04d}", from_mix=False)
        key.data.foreach_set("co", np.ascontiguousarray(moment, np.float32).ravel())
        key.interpolation = "KEY_LINEAR"
    keys = animated.data.shape_keys
    keys.use_relative = False
    with bpy.context.temp_override(object=animated, active_object=animated):
        bpy.ops.object.shape_key_retime()
    spacing = keys.key_blocks[1].frame - keys.key_blocks[0].frame if len(positions) > 1 else SPACING
    first = keys.key_blocks[0].frame
    for frame, time in ((1, first), (len(positions), first + spacing * (len(positions) - 1))):
        keys.eval_time = time
        keys.keyframe_insert("eval_time", frame=frame)
    straighten(keys)


def straighten(keys: bpy.types.Key | bpy.types.Object) -> None:
    """All curves run straight from key to key; actions have slots from 4.4 on."""
    action = keys.animation_data.action
    layers = getattr(action, "layers", None) or []
    curves = [
        c
        for layer in layers
        for strip in layer.strips
        for bag in strip.channelbags
        for c in bag.fcurves
    ]
    for curve in curves or action.fcurves:
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def _write_cache(path: Path, moments: Iterator[Floats], vertices: int, count: int) -> None:
    """PC2 version 1: a header of 32 bytes, then every frame's places as little-endian floats."""
    with atomic_path(path) as part, open(part, "wb") as file:
        file.write(struct.pack("<12siiffi", b"POINTCACHE2\0", 1, vertices, 1.0, 1.0, count))
        for moment in moments:
            file.write(np.ascontiguousarray(moment, "<f4").tobytes())


def _play_cache(animated: bpy.types.Object, path: Path) -> None:
    cache = animated.modifiers.new("Mesh Cache", "MESH_CACHE")
    cache.cache_format, cache.filepath, cache.frame_start = "PC2", str(path), 1.0
    cache.forward_axis, cache.up_axis = "POS_Y", "POS_Z"


def is_animated_mesh(animated: bpy.types.Object | None) -> TypeGuard[bpy.types.Object]:
    """Whether it can be baked: any mesh can, whatever moves it."""
    return animated is not None and animated.type == "MESH"


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
