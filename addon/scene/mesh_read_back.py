"""A baked file, read by Blender again and compared with what was on screen, vertex by vertex and frame by frame."""

from pathlib import Path

import bpy
import numpy as np
from mathutils import kdtree

from ...backend.formats.mesh_sequence import Floats
from ...backend.protocol import InputError
from .mesh_sequence import world_vertices


def largest_error(context: bpy.types.Context, path: Path, kind: str, shown: Floats, frames: list[int]) -> float:
    """The largest distance of any vertex of the file, in any frame, from where it was shown, in shares of the box."""
    before, render = set(bpy.data.objects), context.scene.render
    rate = render.fps, render.fps_base
    _import(path, kind)
    render.fps, render.fps_base = rate
    meshes = [
        o for o in bpy.data.objects if o not in before and o.type == "MESH" and not o.name.startswith("Icosphere")
    ]  # a bone's picture
    if not meshes:
        raise InputError(f"{path.name} holds no mesh when it is read back.", "Choose another kind.")
    shift = frames[0] if kind.endswith("GLB") else 0  # engines play from 0, so these files begin there
    return _compared(context, max(meshes, key=lambda o: len(o.data.vertices)), shown, [f - shift for f in frames])


def largest_error_of_changing(context: bpy.types.Context, path: Path, thing: bpy.types.Object, frames: list[int]) -> float:
    """The same of an object whose vertices are others in every frame: they keep their order in a USD file."""
    before = set(bpy.data.objects)
    _import(path, "USD")
    found = next((o for o in bpy.data.objects if o not in before and o.type == "MESH"), None)
    if found is None:
        raise InputError(f"{path.name} holds no mesh when it is read back.", "Choose another place.")
    worst, low, high = 0.0, np.full(3, np.inf), np.full(3, -np.inf)
    for frame in frames:
        context.scene.frame_set(frame)
        here, there = world_vertices(context, thing), world_vertices(context, found)
        if here.shape != there.shape:
            raise InputError(f"Frame {frame} has {len(there):,} vertices when it is read back, not {len(here):,}.", "Choose another place.")
        worst = max(worst, float(np.linalg.norm(here - there, axis=1).max(initial=0)))
        low, high = np.minimum(low, here.min(0)), np.maximum(high, here.max(0))
    return worst / max(float((high - low).max()), 1e-12)


def _import(path: Path, kind: str) -> None:
    if kind.endswith("GLB"):
        bpy.ops.import_scene.gltf(filepath=str(path), merge_vertices=False)
    elif kind.endswith("FBX"):
        bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0.0)
    elif kind == "ALEMBIC":
        bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False, set_frame_range=False)
    else:
        bpy.ops.wm.usd_import(filepath=str(path), set_frame_range=False)


def _compared(context: bpy.types.Context, found: bpy.types.Object, shown: Floats, frames: list[int]) -> float:
    """Vertices are matched by the whole way that they go, for a file may split them along seams and order them anew."""
    context.scene.frame_set(frames[0])
    first = world_vertices(context, found)
    tree = kdtree.KDTree(shown.shape[1])
    for index, place in enumerate(shown[0].tolist()):
        tree.insert(place, index)
    tree.balance()
    partner = np.array([tree.find(place)[1] for place in first.tolist()])
    if len(np.unique(partner)) < 0.999 * shown.shape[1]:
        missing = shown.shape[1] - len(np.unique(partner))
        raise InputError(f"{missing} vertices are missing when the file is read back.", "Choose another kind.")
    worst = 0.0
    for frame, places in zip(frames, shown, strict=True):
        context.scene.frame_set(frame)
        worst = max(worst, float(np.linalg.norm(world_vertices(context, found) - places[partner], axis=1).max()))
    return worst / float(np.ptp(shown, axis=(0, 1)).max())
