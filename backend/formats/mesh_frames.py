"""A moving mesh with a topology of its own in every frame, and what ties the frames together: every
vertex names the vertex of a canonical mesh that it comes from. numpy alone. World axes and units
are the capture's.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats, Ints32
from ..protocol import InputError

NAME = "mesh_frames.npz"
MOST = 400_000_000  # vertices of all frames


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
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: np.asarray(data[name]) for name in data.files}
        vertices, colors = (
            arrays["vertices"].astype(np.float32),
            np.asarray(arrays["colors"] / 255, np.float32),
        )
        faces, ids = arrays["faces"].astype(np.int32), arrays["ids"].astype(np.int32)
        counts, face_counts = (
            arrays["vertex_counts"].astype(np.int64),
            arrays["face_counts"].astype(np.int64),
        )
        seconds, canonical = (
            arrays["seconds"].astype(np.float64),
            arrays["canonical"].astype(np.float32),
        )
        canonical_faces, tracks = (
            arrays["canonical_faces"].astype(np.int32),
            arrays["canonical_tracks"].astype(np.float32),
        )
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise _damaged(path, "it can't be read") from error
    fits = (
        seconds.ndim == counts.ndim == face_counts.ndim == 1
        and len(seconds) == len(counts) == len(face_counts) > 0
        and counts.min() > 0
        and face_counts.min() >= 0
        and len(vertices) == counts.sum() <= MOST
        and len(faces) == face_counts.sum()
        and len(ids) == len(colors) == len(vertices)
        and vertices.shape[1:] == colors.shape[1:] == canonical.shape[1:] == (3,)
        and faces.shape[1:] == canonical_faces.shape[1:] == (3,)
        and tracks.shape == (len(seconds), len(canonical), 3)
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
    parts = zip(
        *(
            np.split(a, np.cumsum(n)[:-1])
            for a, n in ((vertices, counts), (faces, face_counts), (colors, counts), (ids, counts))
        ),
        strict=True,
    )
    return MeshFrames(
        frames=[MeshFrame(*part) for part in parts],
        seconds=seconds,
        canonical=canonical,
        canonical_faces=canonical_faces,
        canonical_tracks=tracks,
    )
