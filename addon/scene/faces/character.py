"""A character's meshes for the backend, and the shape keys that it gives them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ....backend.formats import character_file
from ....backend.formats.arkit import BLENDSHAPES
from ....backend.formats.character_file import Character, ShapeKeys
from ....backend.geometry.arrays import Doubles, Ints
from ....backend.protocol import InputError
from . import face_targets, landmarks

# Blender's axes from a rig's (x to the left, y up, z out of the face); characters look along -y
TO_BLENDER = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def gather(head: bpy.types.Object, meshes: Sequence[bpy.types.Object]) -> Character:
    """The head's mesh and others at rest, in the world's space, with the head's landmarks.

    Raises:
        InputError: a mesh can't hold shape keys, or is no mesh to carry shapes over to.
    """
    vertices, triangles, count = [], [], 0
    for obj in meshes:
        _check(obj)
        matrix = np.array(obj.matrix_world)
        if abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
            raise InputError(f"{obj.name} has a scale of zero.", "Give it another scale.")
        world = _rest(obj) @ matrix[:3, :3].T + matrix[:3, 3]
        corners = _triangles(obj.data)
        if np.linalg.det(matrix[:3, :3]) < 0:  # mirrored by its scale: the faces' other side is out
            corners = corners[:, ::-1]
        vertices.append(world @ TO_BLENDER)
        triangles.append(corners + count)
        count += len(world)
    return Character(
        vertices=np.concatenate(vertices),
        triangles=np.concatenate(triangles),
        meshes=[obj.name for obj in meshes],
        sizes=np.array([len(part) for part in vertices]),
        landmarks={name: place @ TO_BLENDER for name, place in landmarks.places(head).items()},
    )


def _check(obj: bpy.types.Object) -> None:
    if obj.library or obj.data.library:
        raise InputError(
            f"{obj.name} is linked from another file, and can't get shape keys here.",
            "Make it local first: Object > Relations > Make Local.",
        )
    vertices = np.empty(len(obj.data.vertices) * 3, np.float32)
    obj.data.vertices.foreach_get("co", vertices)
    obj.data.calc_loop_triangles()
    character_file.check_mesh(vertices.reshape(-1, 3), len(obj.data.loop_triangles), obj.name)


def _rest(obj: bpy.types.Object) -> Doubles:
    """(V, 3) in its own space, before shape keys and modifiers."""
    keys = obj.data.shape_keys
    source = keys.reference_key.data if keys else obj.data.vertices
    places = np.empty(len(obj.data.vertices) * 3, np.float32)
    source.foreach_get("co", places)
    return places.reshape(-1, 3).astype(np.float64)


def _triangles(mesh: bpy.types.Mesh) -> Ints:
    corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    return corners.reshape(-1, 3).astype(np.int64)


def own_shapes(meshes: Sequence[bpy.types.Object]) -> list[str]:
    """ARKit's names that shape keys of these meshes have already."""
    present = {name for obj in meshes for name in face_targets.shape_keys(obj)}
    return [name for name in BLENDSHAPES if name in present]


def context_of(meshes: Sequence[bpy.types.Object], replace: bool) -> dict[str, Any]:
    """What a result is laid on: names, vertices and axes of the meshes as they were handed in."""
    return {
        "objects": [obj.name for obj in meshes],
        "vertices": [len(obj.data.vertices) for obj in meshes],
        "axes": [[list(row[:3]) for row in obj.matrix_world[:3]] for obj in meshes],
        "replace": replace,
    }


def bring_in(context: bpy.types.Context, asked: dict[str, Any], folder: Path) -> str:
    """Adds a result's shape keys to the meshes that it was made for, or its landmarks to the first;
    a line about it.
    """
    result = character_file.read_keys(folder / character_file.KEYS_NAME)
    meshes = [
        _still_there(name, count)
        for name, count in zip(asked["objects"], asked["vertices"], strict=True)
    ]
    if result.shapes.shape[1] != sum(asked["vertices"]):
        raise InputError("The result belongs to another mesh.", "Press Add ARKit Shapes again.")
    if not result.names:
        return _mark(meshes[0], result)
    kept: list[str] = []
    start = 0
    for obj, count, axes in zip(meshes, asked["vertices"], asked["axes"], strict=True):
        inverse = np.linalg.inv(np.array(axes, float))
        local = result.shapes[:, start : start + count] @ TO_BLENDER.T @ inverse.T
        kept += _add_keys(obj, result.names, local, bool(asked["replace"]), obj == meshes[0])
        start += count
    lines = [
        face_targets.add_target(context.scene, obj)
        for obj in meshes
        if face_targets.shape_keys(obj)
    ]
    if kept:
        lines.append(
            f"{len(kept)} that were there stay: {', '.join(kept[:3])}{' …' * (len(kept) > 3)}"
        )
    return "; ".join(lines)


def _still_there(name: str, count: int) -> bpy.types.Object:
    obj = bpy.data.objects.get(name)
    if obj is None or obj.type != "MESH" or len(obj.data.vertices) != count:
        raise InputError(
            f"{name} is gone, or has other vertices than before.", "Press Add ARKit Shapes again."
        )
    return obj


def _add_keys(
    obj: bpy.types.Object, names: Sequence[str], shapes: np.ndarray, replace: bool, every: bool
) -> list[str]:
    """Shape keys by movements (K, V, 3) in the mesh's own space; those that move nothing only where
    `every` is wanted. Names that were there and stay.
    """
    rest, kept = _rest(obj), []
    size = max(float(np.ptp(rest, axis=0).max(initial=0)), 1e-12)
    for name, shape in zip(names, shapes, strict=True):
        if not every and float(np.abs(shape).max(initial=0)) < 1e-6 * size:
            continue
        blocks = obj.data.shape_keys.key_blocks if obj.data.shape_keys else {}
        if name in blocks and not replace:
            kept.append(name)
            continue
        if not len(blocks):
            obj.shape_key_add(name="Basis", from_mix=False)
        key = blocks[name] if name in blocks else obj.shape_key_add(name=name, from_mix=False)
        key.relative_key = obj.data.shape_keys.reference_key
        key.data.foreach_set("co", (rest + shape).astype(np.float32).ravel())
        key.value = 0.0  # Blender 5.2 begins with 1
    obj.data.update()
    return kept


def _mark(head: bpy.types.Object, result: ShapeKeys) -> str:
    inverse = head.matrix_world.inverted_safe()
    for name, place in result.landmarks.items():
        landmarks.mark(head, name, inverse @ Vector((TO_BLENDER @ place).tolist()))
    return f"{len(result.landmarks)} landmarks on {head.name}: move those that are off"
