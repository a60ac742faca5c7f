"""Sequences of meshes from outside: a folder of OBJ, PLY, STL or GLB files, one a frame, or an
Alembic or USD file; read by Blender itself, one frame at a time.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ....backend.formats.mesh_frames import MeshFrame, MeshFrames
from ....backend.formats.mesh_sequence import MeshSequence
from ....backend.protocol import InputError
from . import passing

KINDS = (".obj", ".ply", ".stl", ".glb", ".gltf")
CACHES = (".abc", ".usd", ".usdc", ".usda", ".usdz")


@dataclass(frozen=True)
class ReadMesh:
    """One frame: vertices (V, 3) in the world, triangles (F, 3), corner uvs (F, 3, 2); `name` is
    for people.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray | None

    def checked(self) -> "ReadMesh":
        """Itself; InputError where it is empty or not finite."""
        if not len(self.vertices) or not len(self.faces):
            raise InputError(f"{self.name} holds no mesh.", "Remove it, or export it again.")
        if not np.isfinite(self.vertices).all():
            raise InputError(f"{self.name} has vertices at no finite place.", "Export it again.")
        return self

    def fits(self, first: "ReadMesh") -> bool:
        """Whether it is the same mesh, moved."""
        return len(self.vertices) == len(first.vertices) and np.array_equal(self.faces, first.faces)


def natural(path: Path) -> list[int | str]:
    """frame_2 before frame_10."""
    return [int(part) if part.isdigit() else part.lower() for part in re.split(r"(\d+)", path.name)]


def files_of(folder: Path) -> list[Path]:
    """The sequence of a folder, in order; InputError where there is none, or more than one kind."""
    files = sorted((p for p in folder.iterdir() if p.suffix.lower() in KINDS), key=natural)
    if len(files) < 2:
        raise InputError(
            f"{folder.name} holds fewer than two mesh files.",
            f"Choose a folder with one file a frame ({', '.join(KINDS)}).",
        )
    kinds = {p.suffix.lower() for p in files}
    if len(kinds) > 1:
        raise InputError(
            f"{folder.name} holds several kinds of mesh files ({', '.join(sorted(kinds))}).",
            "Leave only one kind in it.",
        )
    return files


def frames_of_files(files: list[Path]) -> Iterator[ReadMesh]:
    """One after the other; InputError that names the file that can't be used."""
    for path in files:
        if not path.stat().st_size:
            raise InputError(f"{path.name} is empty.", "Remove it, or export it again.")
        with _imported(path) as imported:
            mesh = _joined(path.name, imported)
        yield mesh.checked()


@contextlib.contextmanager
def opened_cache(path: Path) -> Iterator[tuple[int, Iterator[ReadMesh]]]:
    """How many frames an Alembic or USD file has, and these; it is in the scene for as long, and
    the scene is then as before.
    """
    scene = bpy.context.scene
    kept = (
        scene.frame_start,
        scene.frame_end,
        scene.frame_current,
        scene.render.fps,
        scene.render.fps_base,
    )
    try:
        with _imported(path) as made:
            frames = list(range(scene.frame_start, scene.frame_end + 1))
            yield len(frames), (_at(path, made, frame) for frame in frames)
    finally:
        scene.frame_start, scene.frame_end, scene.render.fps, scene.render.fps_base = (
            kept[0],
            kept[1],
            kept[3],
            kept[4],
        )
        scene.frame_set(kept[2])


def _at(path: Path, imported: list[bpy.types.Object], frame: int) -> ReadMesh:
    bpy.context.scene.frame_set(frame)
    return _joined(f"{path.name}, frame {frame},", imported).checked()


def as_sequence(meshes: list[ReadMesh], fps: float) -> MeshSequence | None:
    """Of meshes that are one mesh which moves; None if they are not."""
    return of_one_topology(meshes, fps) if all(m.fits(meshes[0]) for m in meshes) else None


def of_one_topology(meshes: list[ReadMesh], fps: float) -> MeshSequence:
    """Of meshes that are known to be one mesh which moves."""
    first = meshes[0]
    positions = np.stack([m.vertices for m in meshes])
    return MeshSequence(
        rest=positions[0],
        faces=first.faces,
        positions=positions,
        seconds=np.arange(len(meshes)) / fps,
        colors=np.full_like(positions[0], 0.8),
        uvs=first.uvs,
    )


def require_one(meshes: list[ReadMesh]) -> None:
    """InputError that names the first one that is another mesh."""
    for _ in one_mesh(meshes[0], iter(meshes[1:])):
        pass


def one_mesh(first: ReadMesh, others: Iterator[ReadMesh]) -> Iterator[np.ndarray]:
    """Vertices (V, 3) of all, as long as they are one mesh that moves; InputError that names the
    one that is not.
    """
    yield first.vertices
    for other in others:
        if not other.fits(first):
            raise InputError(
                f"{other.name} has {len(other.vertices):,} vertices, {first.name} has "
                f"{len(first.vertices):,}: they are not one mesh that"
                " moves.",
                "Export the sequence with one topology; or let one of them follow the others "
                "(Follow), which smaller ones can.",
            )
        yield other.vertices


def as_frames(meshes: list[ReadMesh], fps: float) -> MeshFrames:
    """What the backend can make one mesh of."""
    frames = [
        MeshFrame(
            m.vertices, m.faces, np.full_like(m.vertices, 0.8), np.zeros(len(m.vertices), np.int32)
        )
        for m in meshes
    ]
    first = meshes[0]
    tracks = np.broadcast_to(first.vertices[:1], (len(meshes), 1, 3)).copy()
    return MeshFrames(
        frames=frames,
        seconds=np.arange(len(meshes)) / fps,
        canonical=first.vertices[:1],
        canonical_faces=np.zeros((0, 3), np.int32),
        canonical_tracks=tracks,
    )


@contextlib.contextmanager
def _imported(path: Path) -> Iterator[list[bpy.types.Object]]:
    """The objects of a file, in the scene for as long; InputError where Blender can't read it."""
    before = passing.blocks()
    try:
        _import(path)
        bpy.context.view_layer.update()
    except RuntimeError as error:
        passing.remove(passing.since(before))
        raise InputError(
            f"{path.name} can't be read: {str(error).strip().splitlines()[-1]}",
            "Remove it, or export it again.",
        ) from error
    made = passing.since(before)
    try:
        yield list(made["objects"])
    finally:
        passing.remove(made)


def _import(path: Path) -> None:
    kind = path.suffix.lower()
    if kind == ".obj":
        bpy.ops.wm.obj_import(filepath=str(path))
    elif kind == ".ply":
        bpy.ops.wm.ply_import(filepath=str(path))
    elif kind == ".stl":
        bpy.ops.wm.stl_import(filepath=str(path))
    elif kind == ".abc":
        bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False, set_frame_range=True)
    elif kind in CACHES:
        passing.import_usd(str(path), set_frame_range=True)
    else:
        bpy.ops.import_scene.gltf(filepath=str(path), merge_vertices=False)


def _joined(name: str, imported: list[bpy.types.Object]) -> ReadMesh:
    """All meshes as they stand now, as one."""
    graph = bpy.context.evaluated_depsgraph_get()
    parts = [_triangles(o.evaluated_get(graph)) for o in imported if o.type == "MESH"]
    if not parts:
        return ReadMesh(name, np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), None)
    offsets = np.cumsum([0] + [len(p[0]) for p in parts[:-1]])
    uvs = np.concatenate([p[2] for p in parts]) if all(p[2] is not None for p in parts) else None
    faces = np.concatenate([p[1] + o for p, o in zip(parts, offsets, strict=True)])
    return ReadMesh(name, np.concatenate([p[0] for p in parts]), faces.astype(np.int32), uvs)


def _triangles(obj: bpy.types.Object) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    mesh = obj.to_mesh()
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
    obj.to_mesh_clear()
    world = np.array(obj.matrix_world, np.float64)
    places = co.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]
    return np.asarray(places, np.float32), corners.reshape(-1, 3), uvs
