"""A character's meshes on their way to the backend, and the shape keys that come back for them.
numpy alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError
from .npz_file import NUMBERS, TEXT, WHOLE, Array, read_npz

NAME, KEYS_NAME = "character.npz", "shape_keys.npz"
MOST_VERTICES, MOST_TRIANGLES = 400_000, 400_000
LANDMARKS = {  # by name: what an artist is told to mark
    "eyeOuterLeft": "outer corner of the left eye",
    "eyeInnerLeft": "inner corner of the left eye",
    "eyeInnerRight": "inner corner of the right eye",
    "eyeOuterRight": "outer corner of the right eye",
    "noseTip": "tip of the nose",
    "mouthLeft": "left corner of the mouth",
    "mouthRight": "right corner of the mouth",
    "chin": "foremost point of the chin",
    "browLeft": "middle of the left brow",
    "browRight": "middle of the right brow",
}
ADVICE = "Select the character's head, and press again."


@dataclass(frozen=True, kw_only=True)
class Character:
    """One or several meshes that share a space. Axes: x to the character's left, y up, z out of the
    face; any unit.
    """

    vertices: NDArray[np.float64]  # (V, 3) of all meshes, one after the other
    triangles: NDArray[np.int64]  # (T, 3)
    meshes: list[str]  # names
    sizes: NDArray[np.int64]  # vertices of each mesh
    landmarks: dict[str, NDArray[np.float64]]  # by name (3,)


@dataclass(frozen=True, kw_only=True)
class ShapeKeys:
    """What the transfer gives, in the character's axes and unit."""

    names: list[str]  # K
    shapes: NDArray[np.float32]  # (K, V, 3) added to the rest
    landmarks: dict[str, NDArray[np.float64]]  # where those of the template lie on the character


def write(path: Path, character: Character) -> None:
    """Writes a character as .npz."""
    np.savez(
        path,
        vertices=character.vertices,
        triangles=character.triangles,
        meshes=np.array(character.meshes, str),
        sizes=character.sizes,
        **_landmark_arrays(character.landmarks),
    )


def read(path: Path) -> Character:
    """InputError for what is no character: no triangles, too many, numbers that are none, names
    twice.
    """
    wanted = {
        "vertices": Array(NUMBERS, ("V", 3)),
        "triangles": Array(WHOLE, ("T", 3)),
        "meshes": Array(TEXT, ("M",)),
        "sizes": Array(WHOLE, ("M",)),
        **LANDMARK_ARRAYS,
    }
    data = read_npz(path, wanted, "a character", ADVICE)
    vertices, triangles = data["vertices"].astype(np.float64), data["triangles"].astype(np.int64)
    sizes, names = data["sizes"].astype(np.int64), [str(name) for name in data["meshes"]]
    if (sizes < 0).any() or sizes.sum() != len(vertices):
        raise InputError(f"{path.name} is damaged: its parts do not fit together.", ADVICE)
    if triangles.min(initial=0) < 0 or triangles.max(initial=-1) >= len(vertices):
        raise InputError(
            f"{path.name} is damaged: its faces name vertices that are missing.", ADVICE
        )
    check_mesh(vertices, len(triangles), ", ".join(names) or path.name)
    return Character(
        vertices=vertices,
        triangles=triangles,
        meshes=names,
        sizes=sizes,
        landmarks=_landmarks(data, path),
    )


def check_mesh(vertices: NDArray[np.floating], triangles: int, name: str) -> None:
    """InputError where nothing can be carried over to a mesh of so many triangles."""
    if not len(vertices) or not triangles:
        raise InputError(f"{name} has no faces.", "Choose the mesh of a head.")
    if bad := int((~np.isfinite(vertices).all(1)).sum()):
        raise InputError(
            f"{bad:,} of the {len(vertices):,} vertices of {name} lie nowhere: their coordinates "
            "are no numbers.",
            "Delete these vertices, or repair the mesh.",
        )
    if triangles > MOST_TRIANGLES or len(vertices) > MOST_VERTICES:
        raise InputError(
            f"{name} has {triangles:,} triangles; shapes are carried over to at most "
            f"{MOST_TRIANGLES:,}.",
            "Reduce it with Decimate, or use the mesh under its Multires or Subdivision.",
        )


def write_keys(path: Path, keys: ShapeKeys) -> None:
    """Writes shape keys as .npz."""
    np.savez_compressed(
        path,
        names=np.array(keys.names, str),
        shapes=keys.shapes,
        **_landmark_arrays(keys.landmarks),
    )


def read_keys(path: Path) -> ShapeKeys:
    """InputError for anything that is not whole shape keys."""
    wanted = {
        "names": Array(TEXT, ("K",)),
        "shapes": Array(NUMBERS, ("K", "V", 3)),
        **LANDMARK_ARRAYS,
    }
    data = read_npz(path, wanted, "a set of shape keys", "Add the shapes again.")
    shapes = data["shapes"].astype(np.float32)
    if not np.isfinite(shapes).all():
        raise InputError(
            f"{path.name} is damaged: it holds numbers that are none.", "Add the shapes again."
        )
    return ShapeKeys(
        names=[str(name) for name in data["names"]], shapes=shapes, landmarks=_landmarks(data, path)
    )


LANDMARK_ARRAYS = {"landmark_names": Array(TEXT, ("L",)), "landmarks": Array(NUMBERS, ("L", 3))}


def _landmark_arrays(landmarks: dict[str, NDArray[np.float64]]) -> dict[str, Any]:
    places = np.array(list(landmarks.values()), np.float64).reshape(-1, 3)
    return {"landmark_names": np.array(list(landmarks), str), "landmarks": places}


def _landmarks(data: dict[str, NDArray], path: Path) -> dict[str, NDArray[np.float64]]:
    names, places = [str(name) for name in data["landmark_names"]], data["landmarks"].astype(float)
    if unknown := [name for name in names if name not in LANDMARKS]:
        raise InputError(
            f"{path.name} marks {unknown[0]!r}, which is no landmark.",
            f"One of: {', '.join(LANDMARKS)}.",
        )
    if len(set(names)) < len(names) or not np.isfinite(places).all():
        raise InputError(f"{path.name} is damaged: a landmark is there twice, or nowhere.", ADVICE)
    return dict(zip(names, places, strict=True))
