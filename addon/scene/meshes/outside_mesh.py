"""Frames of a mesh from outside, gathered: one mesh that moves becomes one object at once; meshes
that have nothing in common but their shape become the input of a job.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np

from ....backend.formats.mesh_frames import MeshFrame, MeshFrames
from ....backend.geometry.arrays import Doubles, Floats
from ....backend.protocol import InputError
from . import mesh_looks, mesh_playback, mesh_sequence, timeline
from .mesh_files import OpenSequence
from .read_mesh import ReadMesh


@dataclass
class Gathered:
    """What was read so far: `times` (N,) of all frames, `empty` of those without a mesh, `looks`
    of those with one.
    """

    first: ReadMesh
    times: list[float]
    empty: list[bool]
    looks: list[mesh_looks.Looks] = field(default_factory=list)

    def seconds(self) -> Doubles:
        """(T,) of the frames that have a mesh."""
        return np.array(
            [t for t, gone in zip(self.times, self.empty, strict=True) if not gone], np.float64
        )

    def hide_empty(self, animated: bpy.types.Object) -> None:
        """Keeps an object that shows them out of sight where there is no mesh."""
        fps = timeline.rate(bpy.context.scene)
        frames = timeline.frames_at(np.array(self.times), fps)
        mesh_playback.hide_empty(animated, frames, self.empty)

    def notes(self) -> list[str]:
        """What could not be shown."""
        count, notes = sum(self.empty), mesh_looks.changes(self.looks[0], self.looks[1:])
        if count:
            many = "1 frame is" if count == 1 else f"{count} frames are"
            notes.append(f"{many} empty, and the object is hidden there")
        return notes


def begin(opened: OpenSequence) -> tuple[Gathered, Iterator[ReadMesh]]:
    """What was gathered up to the first frame that has a mesh, and the frames from there on, which
    are gathered as they are read. InputError where none has a mesh.
    """
    meshes = zip(opened.meshes, opened.seconds.tolist(), strict=False)
    times, empty = [], []
    for first, time in meshes:
        times.append(time)
        empty.append(first.empty)
        if not first.empty:
            break
    else:
        raise InputError(f"{opened.name} holds no mesh in any frame.", "Export it again.")
    gathered = Gathered(first, times, empty, [first.looks])
    return gathered, _noted(gathered, meshes)


def _noted(gathered: Gathered, meshes: Iterator[tuple[ReadMesh, float]]) -> Iterator[ReadMesh]:
    yield gathered.first
    for mesh, time in meshes:
        gathered.times.append(time)
        gathered.empty.append(mesh.empty)
        if not mesh.empty:
            gathered.looks.append(mesh.looks)
        yield mesh


def one_mesh(first: ReadMesh, meshes: Iterator[ReadMesh]) -> Iterator[Floats]:
    """Vertices (V, 3) of all, as long as they are one mesh that moves, an empty one's as before;
    InputError that names the one that is not.
    """
    before = first.vertices
    for mesh in meshes:
        if mesh.empty:
            yield before
            continue
        if not mesh.fits(first):
            raise InputError(
                f"{mesh.name} has {_counts(mesh)}, {first.name} has {_counts(first)}: they are not "
                f"one mesh that moves.",
                "Export the sequence with one topology; or let one of them follow the others "
                "(Follow), which smaller ones can.",
            )
        before = mesh.vertices
        yield before


def _counts(mesh: ReadMesh) -> str:
    return f"{len(mesh.vertices):,} vertices in {len(mesh.sizes):,} faces"


def become_object(
    block: bpy.types.Mesh,
    gathered: Gathered,
    moments: Iterable[Floats] | Path,
    seconds: Doubles,
    name: str,
    collection: bpy.types.Collection,
    texture: Path | None = None,
) -> tuple[bpy.types.Object, list[str]]:
    """One object that has all that the first mesh brings, its vertices (V, 3) at T times, or in a
    cache; and notes.
    """
    notes = mesh_looks.finish(block, name, texture)
    animated = mesh_sequence.import_moving(block, moments, seconds, name, collection)
    block.name = name
    gathered.hide_empty(animated)
    return animated, [*notes, *gathered.notes()]


def as_frames(meshes: list[ReadMesh], seconds: Doubles, colors: Floats) -> MeshFrames:
    """What the backend can make one mesh of; `colors` (V, 3) of the first."""
    frames = [
        MeshFrame(m.vertices, m.triangles, _colors(m), np.zeros(len(m.vertices), np.int32))
        for m in meshes
    ]
    first = frames[0]
    frames[0] = MeshFrame(first.vertices, first.faces, colors, first.ids)
    tracks = np.broadcast_to(first.vertices[:1], (len(meshes), 1, 3)).copy()
    return MeshFrames(
        frames=frames,
        seconds=seconds,
        canonical=first.vertices[:1],
        canonical_faces=np.zeros((0, 3), np.int32),
        canonical_tracks=tracks,
    )


def _colors(mesh: ReadMesh) -> Floats:
    return np.full_like(mesh.vertices, 0.8) if mesh.colors is None else mesh.colors
