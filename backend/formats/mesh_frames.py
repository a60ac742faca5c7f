"""A moving mesh with a topology of its own in every frame, and what ties the frames together: every
vertex names the vertex of a canonical mesh that it comes from. numpy alone. World axes and units
are the capture's.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats, Ints32
from ..protocol import InputError
from .npz_file import NUMBERS, WHOLE, Array, read_npz

NAME = "mesh_frames.npz"
MOST = 400_000_000  # vertices of all frames
WANTED = {
    "seconds": Array(NUMBERS, ("T",)),
    "canonical": Array(NUMBERS, ("W", 3)),
    "canonical_faces": Array(WHOLE, ("G", 3)),
    "canonical_tracks": Array(NUMBERS, ("T", "W", 3)),
    "vertices": Array(NUMBERS, ("V", 3)),
    "faces": Array(WHOLE, ("F", 3)),
    "ids": Array(WHOLE, ("V",)),
    "colors": Array(NUMBERS, ("V", 3)),
    "vertex_counts": Array(WHOLE, ("T",)),
    "face_counts": Array(WHOLE, ("T",)),
}


@dataclass(frozen=True)
class MeshFrame:
    vertices: Floats  # (V, 3)
    faces: Ints32  # (F, 3)
    colors: Floats  # (V, 3) sRGB 0..1
    ids: Ints32  # (V,) the same number is the same place of the object, in every frame


@dataclass(frozen=True, kw_only=True)
class MeshFrames:
    """T frames; `canonical_tracks` (T, W, 3) is where the canonical mesh's vertices are carried."""

    frames: list[MeshFrame]
    seconds: NDArray[np.floating]  # (T,)
    canonical: Floats  # (W, 3)
    canonical_faces: Ints32  # (G, 3)
    canonical_tracks: Floats

    @property
    def one_topology(self) -> float:
        """The share of frames that have the first one's faces."""
        first = self.frames[0].faces
        return float(np.mean([np.array_equal(f.faces, first) for f in self.frames]))


def write(path: Path, sequence: MeshFrames) -> None:
    """Writes meshes of changing topology as .npz."""
    frames = sequence.frames
    np.savez_compressed(
        path,
        allow_pickle=False,
        seconds=sequence.seconds,
        canonical=sequence.canonical,
        canonical_faces=sequence.canonical_faces,
        canonical_tracks=sequence.canonical_tracks,
        vertices=np.concatenate([f.vertices for f in frames]),
        faces=np.concatenate([f.faces for f in frames]),
        ids=np.concatenate([f.ids for f in frames]),
        colors=(np.concatenate([f.colors for f in frames]) * 255)
        .round()
        .clip(0, 255)
        .astype(np.uint8),
        vertex_counts=np.array([len(f.vertices) for f in frames], np.int64),
        face_counts=np.array([len(f.faces) for f in frames], np.int64),
    )


def _damaged(path: Path, why: str) -> InputError:
    return InputError(f"{path.name} is no usable sequence of meshes: {why}.", "Make it again.")


def read(path: Path) -> MeshFrames:
    """InputError for anything that is not a whole sequence."""
    arrays = read_npz(path, WANTED, "a sequence of meshes", "Make it again.")
    vertices, canonical, tracks = (
        arrays[name].astype(np.float32) for name in ("vertices", "canonical", "canonical_tracks")
    )
    faces, canonical_faces, counts, face_counts = (
        arrays[name].astype(np.int64)
        for name in ("faces", "canonical_faces", "vertex_counts", "face_counts")
    )
    colors, ids = np.asarray(arrays["colors"] / 255, np.float32), arrays["ids"].astype(np.int32)
    seconds = arrays["seconds"].astype(np.float64)
    fits = (
        len(seconds) > 0
        and 0 < counts.min() <= counts.max() <= MOST
        and 0 <= face_counts.min() <= face_counts.max() <= len(faces)
        and len(vertices) == counts.sum() <= MOST
        and len(faces) == face_counts.sum()
    )
    if not fits:
        raise _damaged(path, "its parts do not fit together")
    if not all(np.isfinite(values).all() for values in (vertices, seconds, canonical, tracks)):
        raise _damaged(path, "it holds numbers that are none")
    if not (np.diff(seconds) > 0).all():
        raise _damaged(path, "its times do not rise")
    limit = np.repeat(counts, face_counts)[:, None]
    if (
        not ((faces >= 0) & (faces < limit)).all()
        or not ((canonical_faces >= 0) & (canonical_faces < len(canonical))).all()
    ):
        raise _damaged(path, "its parts do not fit together")
    parted = (
        (vertices, counts),
        (faces.astype(np.int32), face_counts),
        (colors, counts),
        (ids, counts),
    )
    parts = zip(
        *(np.split(a, np.cumsum(n)[:-1]) for a, n in parted),
        strict=True,
    )
    return MeshFrames(
        frames=[MeshFrame(*part) for part in parts],
        seconds=seconds,
        canonical=canonical,
        canonical_faces=canonical_faces.astype(np.int32),
        canonical_tracks=tracks,
    )
