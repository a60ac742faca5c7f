"""A head that can be animated: mesh, shapes, colours, in a numpy archive that Blender's side reads.
numpy alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError
from .npz_file import NUMBERS, TEXT, WHOLE, Array, read_npz

NAME = "head.npz"
MOST = 2_000_000  # vertices
WANTED = {
    "name": Array(TEXT),
    "vertices": Array(NUMBERS, ("V", 3)),
    "faces": Array(WHOLE, ("F", 4)),
    "names": Array(TEXT, ("K",)),
    "shapes": Array(NUMBERS, ("K", "V", 3)),
    "colors": Array(NUMBERS, ("V", 3)),
    "lowest": Array(NUMBERS, ("K",)),
    "pieces": Array(TEXT, ("P",), optional=True),
    "materials": Array(TEXT, ("P",), optional=True),
    "piece": Array(WHOLE, ("F",), optional=True),
    "uvs": Array(NUMBERS, ("F", 4, 2), optional=True),
}


@dataclass(frozen=True, kw_only=True)
class HeadPieces:
    """What a head's faces belong to, where its meshes are told apart: the face comes first."""

    names: list[str]  # P pieces: Head, Eye Left, Teeth, …
    materials: list[str]  # P: Skin, Eye, Teeth, Tongue, Hair
    piece: NDArray[np.int32]  # (F,) number of each face's piece
    uvs: NDArray[np.float32]  # (F, 4, 2) of each face's corners


@dataclass(frozen=True, kw_only=True)
class Head:
    """Axes: x to the person's left, y up, z out of the face; centimetres."""

    name: str
    vertices: NDArray[np.float32]  # (V, 3) at rest
    faces: NDArray[np.int32]  # (F, 4); -1 in the last place of triangles
    names: list[str]  # K shapes
    shapes: NDArray[np.float32]  # (K, V, 3) added to the rest
    colors: NDArray[np.float32]  # (V, 3) sRGB 0..1
    lowest: NDArray[np.float32]  # (K,) 0, or -1 for shapes that go both ways
    pieces: HeadPieces | None = None  # None: one mesh


def write(path: Path, head: Head) -> None:
    """Writes a head as .npz."""
    np.savez_compressed(
        path,
        name=head.name,
        vertices=head.vertices,
        faces=head.faces,
        names=np.array(head.names, str),
        shapes=head.shapes.astype(np.float16),
        colors=(head.colors * 255).round().astype(np.uint8),
        lowest=head.lowest,
        **_of_pieces(head.pieces),
    )


def _of_pieces(pieces: HeadPieces | None) -> dict[str, Any]:
    if pieces is None:
        return {}
    return {
        "pieces": np.array(pieces.names, str),
        "materials": np.array(pieces.materials, str),
        "piece": pieces.piece.astype(np.int32),
        "uvs": pieces.uvs.astype(np.float16),
    }


def _pieces(path: Path, data: dict[str, NDArray[Any]]) -> HeadPieces | None:
    present = [name in data for name in ("pieces", "materials", "piece", "uvs")]
    if not any(present):
        return None
    names = [str(name) for name in data["pieces"]] if all(present) else []
    fits = names and 0 <= data["piece"].min(initial=0) <= data["piece"].max(initial=0) < len(names)
    if not fits or not np.isfinite(data["uvs"]).all():
        raise InputError(
            f"{path.name} is damaged: its parts do not fit together.", "Make the head again."
        )
    return HeadPieces(
        names=names,
        materials=[str(material) for material in data["materials"]],
        piece=data["piece"].astype(np.int32),
        uvs=data["uvs"].astype(np.float32),
    )


def read(path: Path) -> Head:
    """InputError for anything that is not a whole head."""
    data = read_npz(path, WANTED, "a head", "Make the head again.")
    vertices, faces = data["vertices"].astype(np.float32), data["faces"].astype(np.int64)
    shapes, colors = (
        data["shapes"].astype(np.float32),
        np.asarray(data["colors"].astype(np.float32) / 255, np.float32),
    )
    names, lowest = [str(n) for n in data["names"]], data["lowest"].astype(np.float32)
    name, count = str(data["name"]), len(vertices)
    if not 0 < count <= MOST or faces.max(initial=-1) >= count or faces[:, :3].min(initial=0) < 0:
        raise InputError(
            f"{path.name} is damaged: its parts do not fit together.", "Make the head again."
        )
    if not all(np.isfinite(a).all() for a in (vertices, shapes, colors, lowest)):
        raise InputError(
            f"{path.name} is damaged: it holds numbers that are none.", "Make the head again."
        )
    return Head(
        name=name,
        vertices=vertices,
        faces=faces.astype(np.int32),
        names=names,
        shapes=shapes,
        colors=colors,
        lowest=lowest,
        pieces=_pieces(path, data),
    )
