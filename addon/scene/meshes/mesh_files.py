"""Sequences of meshes from outside: a folder of files, one a frame, or an Alembic or USD file; read
by Blender itself, one frame at a time.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ....backend.formats import declared_sizes, gate, mesh_numbers
from ....backend.geometry.arrays import Doubles
from ....backend.protocol import InputError
from . import outside_import, passing, timeline, trial, usd
from .numbered_files import NumberedFiles
from .read_mesh import ReadMesh, joined, no_places

CACHES = outside_import.CACHES
HEAD = 1 << 16  # bytes of a file in which it names others


@dataclass(frozen=True, kw_only=True)
class OpenSequence:
    """Frames of the file or folder `name` that are read when they are asked for; `seconds` (N,)
    says when each is. Of the first frame that is not empty, `keep` gets the data-block.
    """

    name: str
    meshes: Iterator[ReadMesh]
    seconds: Doubles
    keep: "Keeper"
    notes: list[str]
    texture: Path | None = None  # that the first file names, but no material


class Keeper:
    """Holds on to the data-block of the first frame that has a mesh, and to what it needs."""

    def __init__(self) -> None:
        self.block: bpy.types.Mesh | None = None

    def offer(self, mesh: ReadMesh, block: bpy.types.Mesh) -> None:
        """Takes it, or removes it."""
        if self.block is None and not mesh.empty:
            self.block = block
        else:
            bpy.data.meshes.remove(block)

    def needs(self) -> set[bpy.types.ID]:
        """Data-blocks that have to stay with it."""
        return set() if self.block is None else {self.block, *passing.used_by(self.block)}

    def drop(self) -> None:
        """Removes it again."""
        if self.block is not None:
            passing.remove_mesh(self.block)
            self.block = None


def open_files(numbered: NumberedFiles, fps: float) -> OpenSequence:
    """One file a frame, at the scene's rate."""
    keep, notes, folder = Keeper(), list(numbered.notes), numbered.files[0].parent
    for path in numbered.files:
        declared_sizes.is_empty(path)  # one sentence says more of these than another's death
    trial.check(numbered.files)
    notes += missing_libraries(numbered.files)
    seconds = np.array(numbered.frames, np.float64) / fps
    return OpenSequence(
        name=folder.name,
        meshes=_noted(_of_files(numbered, keep), notes),
        seconds=seconds,
        keep=keep,
        notes=notes,
        texture=ply_texture(numbered.files[0]),
    )


def _of_files(numbered: NumberedFiles, keep: Keeper) -> Iterator[ReadMesh]:
    """One after the other; InputError that names the file that can't be used."""
    for path, frame in zip(numbered.files, numbered.frames, strict=True):
        if not path.stat().st_size:
            raise InputError(f"{path.name} is empty.", "Remove it, or export it again.")
        if mesh_numbers.is_misread(path):
            raise InputError(
                f"{path.name} is text with a byte order mark; Blender would lose its beginning.",
                "Save it as plain UTF-8 without a byte order mark, or export it again.",
            )
        if mesh_numbers.has_no_places(path):
            raise no_places(path.name)
        if declared_sizes.is_empty(path):  # which not all of Blender's importers take
            mesh, block = joined(path.name, frame, [])
            keep.offer(mesh, block)
        else:
            with _imported(path, keep) as imported:
                mesh, block = joined(path.name, frame, imported)
                keep.offer(mesh, block)
        yield mesh.checked()


def _noted(meshes: Iterator[ReadMesh], notes: list[str]) -> Iterator[ReadMesh]:
    """The same; a note on the first that lies so far away that its places are coarse."""
    is_new = True
    for mesh in meshes:
        if is_new and not mesh.empty:
            is_new = False
            if note := mesh_numbers.far_note(mesh.vertices):
                notes.append(note)
        yield mesh


def missing_libraries(files: list[Path]) -> list[str]:
    """Notes on OBJ files whose material library is not there."""
    lost = set()
    for path in files:
        if path.suffix.lower() != ".obj":
            continue
        with gate.opened(path) as file:
            head = file.read(HEAD).decode("utf-8", "replace")
        for name in re.findall(r"^mtllib[ \t]+(.+?)[ \t]*\r?$", head, re.M):
            if not (path.parent / name.replace("\\", "/")).is_file():
                lost.add(name)
    if not lost:
        return []
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return [f"materials are missing: there is no {min(lost)}{more}"]


def ply_texture(path: Path) -> Path | None:
    """The picture that MeshLab and others name in a comment of a PLY; Blender passes it over."""
    if path.suffix.lower() != ".ply":
        return None
    with gate.opened(path) as file:
        head = file.read(HEAD).partition(b"end_header")[0].decode("utf-8", "replace")
    named = re.search(r"^comment[ \t]+TextureFile[ \t]+(.+?)[ \t]*\r?$", head, re.M)
    return path.parent / named[1].replace("\\", "/") if named else None


@contextlib.contextmanager
def opened_cache(path: Path) -> Iterator[OpenSequence]:
    """An Alembic or USD file; it is in the scene for as long, and the scene is then as before."""
    trial.check([path])
    scene, keep = bpy.context.scene, Keeper()
    kept = (
        scene.frame_start,
        scene.frame_end,
        scene.frame_current,
        scene.render.fps,
        scene.render.fps_base,
    )
    try:
        with _imported(path, keep) as made:
            frames = _frames_of(path)
            rate = timeline.rate(scene)  # Alembic's samples come at the scene's own
            if path.suffix.lower() != ".abc":
                rate = usd.time_codes(path).per_second
            seconds = np.arange(len(frames)) / rate
            meshes = (_at(path, made, frame, keep) for frame in frames)
            yield OpenSequence(name=path.name, meshes=meshes, seconds=seconds, keep=keep, notes=[])
    finally:
        scene.frame_start, scene.frame_end = kept[:2]
        scene.render.fps, scene.render.fps_base = kept[3:]
        scene.frame_set(kept[2])


def _frames_of(path: Path) -> range:
    try:
        return outside_import.frames_of(str(path))
    except RuntimeError as error:
        raise InputError(f"{path.name} can't be read: {error}.", "Export it again.") from error


def _at(path: Path, imported: list[bpy.types.Object], frame: int, keep: Keeper) -> ReadMesh:
    scene = bpy.context.scene
    scene.frame_set(frame)
    mesh, block = joined(f"{path.name}, frame {frame},", frame - scene.frame_start, imported)
    keep.offer(mesh, block)
    return mesh.checked()


@contextlib.contextmanager
def _imported(path: Path, keep: Keeper) -> Iterator[list[bpy.types.Object]]:
    """The objects of a file, in the scene for as long; what is kept of it stays. InputError where
    Blender can't read it.
    """
    before = passing.blocks()
    try:
        outside_import.import_file(str(path))
        bpy.context.view_layer.update()
    except RuntimeError as error:
        passing.remove(passing.since(before))
        reason = str(error).strip().splitlines()[-1].removeprefix("Error: ").rstrip(".")
        raise InputError(
            f"{path.name} can't be read: {reason}.",
            "Remove it, or export it again.",
        ) from error
    made = passing.since(before)
    try:
        yield list(made["objects"])
    finally:
        needed = keep.needs()
        gone = {kind: some - needed for kind, some in passing.since(before).items()}
        passing.remove(gone)
