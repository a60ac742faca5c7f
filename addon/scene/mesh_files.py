"""Sequences of mesh files, one a frame, as one animated object: OBJ, PLY, STL or GLB, read by Blender itself."""

import re
from pathlib import Path

import bpy
import numpy as np

from ...backend.formats.mesh_sequence import MOST, MeshSequence
from ...backend.protocol import InputError

KINDS = (".obj", ".ply", ".stl", ".glb", ".gltf")


def natural(path: Path) -> list[int | str]:
    """frame_2 before frame_10."""
    return [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", path.name)]


def files_of(folder: Path) -> list[Path]:
    """The sequence of a folder, in order; InputError where there is none, or more than one kind."""
    found = sorted((p for p in folder.iterdir() if p.suffix.lower() in KINDS), key=natural)
    if len(found) < 2:
        raise InputError(f"{folder.name} holds fewer than two mesh files.", f"Choose a folder with one file a frame ({', '.join(KINDS)}).")
    kinds = {p.suffix.lower() for p in found}
    if len(kinds) > 1:
        raise InputError(f"{folder.name} holds several kinds of mesh files ({', '.join(sorted(kinds))}).", "Leave only one kind in it.")
    return found


def read_files(files: list[Path], fps: float) -> MeshSequence:
    """All of them, of one topology; InputError that names the file that does not fit."""
    faces, uvs, positions = None, None, []
    for path in files:
        if not path.stat().st_size:
            raise InputError(f"{path.name} is empty.", "Remove it, or export it again.")
        places, triangles, map_ = _read(path)
        if not len(places) or not len(triangles):
            raise InputError(f"{path.name} holds no mesh.", "Remove it, or export it again.")
        if not np.isfinite(places).all():
            raise InputError(f"{path.name} has vertices at no finite place.", "Export it again.")
        if faces is None:
            faces, uvs = triangles, map_
            if len(places) * len(files) > MOST:
                raise InputError(
                    f"{len(places):,} vertices in {len(files)} frames are more than fits into memory.", "Decimate the meshes first."
                )
        elif len(places) != len(positions[0]) or not np.array_equal(triangles, faces):
            raise InputError(
                f"{path.name} has {len(places):,} vertices, {files[0].name} has {len(positions[0]):,}: they are not one mesh that moves.",
                "Export the sequence with one topology; or import it as Alembic or USD, which may change theirs.",
            )
        positions.append(places)
    assert faces is not None
    stacked = np.stack(positions)
    return MeshSequence(stacked[0], faces, stacked, np.arange(len(files)) / fps, np.full_like(stacked[0], 0.8), uvs)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Vertices (V, 3) in the world, triangles (F, 3), corner uvs (F, 3, 2) of everything in a file; what was imported is removed."""
    before = {
        kind: set(getattr(bpy.data, kind)) for kind in ("objects", "meshes", "materials", "images", "armatures", "actions", "collections")
    }
    try:
        _import(path)
        made = [o for o in bpy.data.objects if o not in before["objects"] and o.type == "MESH"]
        bpy.context.view_layer.update()
        parts = [_triangles(o) for o in made]
    except RuntimeError as error:  # what an importer reports
        raise InputError(f"{path.name} can't be read: {str(error).strip().splitlines()[-1]}", "Remove it, or export it again.") from error
    finally:
        for kind, old in before.items():
            for block in [b for b in getattr(bpy.data, kind) if b not in old]:
                getattr(bpy.data, kind).remove(block)
    if not parts:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), None
    offsets = np.cumsum([0] + [len(p[0]) for p in parts[:-1]])
    uvs = np.concatenate([p[2] for p in parts]) if all(p[2] is not None for p in parts) else None
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] + o for p, o in zip(parts, offsets, strict=True)]), uvs


def _import(path: Path) -> None:
    kind = path.suffix.lower()
    if kind == ".obj":
        bpy.ops.wm.obj_import(filepath=str(path))
    elif kind == ".ply":
        bpy.ops.wm.ply_import(filepath=str(path))
    elif kind == ".stl":
        bpy.ops.wm.stl_import(filepath=str(path))
    else:
        bpy.ops.import_scene.gltf(filepath=str(path), merge_vertices=False)


def _triangles(thing: bpy.types.Object) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    mesh = thing.data
    mesh.calc_loop_triangles()
    co, count = np.empty(len(mesh.vertices) * 3, np.float32), len(mesh.loop_triangles)
    corners, loops = np.empty(count * 3, np.int32), np.empty(count * 3, np.int32)
    mesh.vertices.foreach_get("co", co)
    mesh.loop_triangles.foreach_get("vertices", corners)
    mesh.loop_triangles.foreach_get("loops", loops)
    uvs = None
    if mesh.uv_layers.active is not None:
        flat = np.empty(len(mesh.loops) * 2, np.float32)
        mesh.uv_layers.active.data.foreach_get("uv", flat)
        uvs = flat.reshape(-1, 2)[loops].reshape(-1, 3, 2)
    world = np.array(thing.matrix_world, np.float64)
    places = co.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]
    return np.asarray(places, np.float32), corners.reshape(-1, 3), uvs
