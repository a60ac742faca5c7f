"""A moving mesh whose vertices keep their identity: one topology, a place of every vertex at every
moment. numpy alone.

World axes and units are the capture's. Where sparse nodes carry the mesh, they are kept too: they
are the bones of a game engine.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats
from ..protocol import InputError
from .npz_file import NUMBERS, WHOLE, Array, Arrays, read_npz

NAME = "mesh.npz"
TEXTURE = "texture.png"
MOST = 400_000_000  # vertices times moments
WANTED = {
    "rest": Array(NUMBERS, ("V", 3)),
    "faces": Array(WHOLE, ("F", 3)),
    "positions": Array(NUMBERS, ("T", "V", 3)),
    "seconds": Array(NUMBERS, ("T",)),
    "colors": Array(NUMBERS, ("V", 3)),
    "uvs": Array(NUMBERS, ("F", 3, 2), optional=True),
    "node_rest": Array(NUMBERS, ("N", 3), optional=True),
    "node_transforms": Array(NUMBERS, ("T", "N", 3, 4), optional=True),
    "node_skin": Array(WHOLE, ("V", "I"), optional=True),
    "node_weights": Array(NUMBERS, ("V", "I"), optional=True),
}
AGAIN = "Make the animated mesh again."


@dataclass(frozen=True)
class Nodes:
    """N nodes that carry the mesh: x -> A x + b, each vertex the weighted mean of what its few
    say.
    """

    rest: Floats  # (N, 3)
    transforms: Floats  # (T, N, 3, 4) A and b
    skin: NDArray[np.int32]  # (V, I)
    weights: Floats  # (V, I), rows sum to 1


@dataclass(frozen=True, kw_only=True)
class MeshSequence:
    """V vertices, F triangles, T moments."""

    rest: Floats  # (V, 3)
    faces: NDArray[np.int32]  # (F, 3)
    positions: Floats  # (T, V, 3)
    seconds: NDArray[np.floating]  # (T,)
    colors: Floats  # (V, 3) sRGB 0..1
    uvs: Floats | None = None  # (F, 3, 2) of the corners, from the lower left
    nodes: Nodes | None = None


def skinned(rest: Floats, nodes: Nodes) -> Floats:
    """(T, V, 3) where the nodes carry the vertices."""
    positions = np.empty((len(nodes.transforms), len(rest), 3), np.float32)
    for places, moment in zip(positions, nodes.transforms, strict=True):
        blended = (moment[nodes.skin] * nodes.weights[..., None, None]).sum(1)
        places[:] = np.einsum("vij,vj->vi", blended[..., :3], rest) + blended[..., 3]
    return positions


def write(path: Path, sequence: MeshSequence) -> None:
    """Writes a mesh sequence as .npz."""
    arrays: dict[str, NDArray] = {
        "rest": sequence.rest,
        "faces": sequence.faces,
        "positions": sequence.positions,
        "seconds": sequence.seconds,
    }
    arrays["colors"] = (sequence.colors * 255).round().clip(0, 255).astype(np.uint8)
    if sequence.uvs is not None:
        arrays["uvs"] = sequence.uvs
    if sequence.nodes is not None:
        arrays |= {
            f"node_{name}": getattr(sequence.nodes, name)
            for name in ("rest", "transforms", "skin", "weights")
        }
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _damaged(path: Path, why: str) -> InputError:
    return InputError(
        f"{path.name} is no usable mesh sequence: {why}.", "Make the animated mesh again."
    )


def read(path: Path) -> MeshSequence:
    """InputError for anything that is not a whole sequence."""
    arrays = read_npz(path, WANTED, "a mesh sequence", AGAIN)
    rest, positions = arrays["rest"].astype(np.float32), arrays["positions"].astype(np.float32)
    faces, seconds = arrays["faces"].astype(np.int64), arrays["seconds"].astype(np.float64)
    colors = np.asarray(arrays["colors"] / 255, np.float32)
    uvs = arrays["uvs"].astype(np.float32) if "uvs" in arrays else None
    nodes, count = _nodes(path, arrays), len(rest)
    if not count or not len(seconds) or positions.size > 3 * MOST:
        raise _damaged(path, "its parts do not fit together")
    if faces.min(initial=0) < 0 or faces.max(initial=-1) >= count:
        raise _damaged(path, "its parts do not fit together")
    if not all(np.isfinite(values).all() for values in (rest, positions, seconds)):
        raise _damaged(path, "it holds numbers that are none")
    if not (np.diff(seconds) > 0).all():
        raise _damaged(path, "its times do not rise")
    return MeshSequence(
        rest=rest,
        faces=faces.astype(np.int32),
        positions=positions,
        seconds=seconds,
        colors=colors,
        uvs=uvs,
        nodes=nodes,
    )


def _nodes(path: Path, arrays: Arrays) -> Nodes | None:
    """InputError where there are some and they are not whole."""
    given = [arrays.get(f"node_{name}") for name in ("rest", "transforms", "skin", "weights")]
    rest, transforms, skin, weights = given
    if rest is None:
        return None
    if transforms is None or skin is None or weights is None:
        raise _damaged(path, "its parts do not fit together")
    if int(skin.min(initial=0)) < 0 or int(skin.max(initial=-1)) >= len(rest):
        raise _damaged(path, "its parts do not fit together")
    if not all(np.isfinite(values).all() for values in (rest, transforms, weights)):
        raise _damaged(path, "it holds numbers that are none")
    return Nodes(
        rest.astype(np.float32),
        transforms.astype(np.float32),
        skin.astype(np.int32),
        weights.astype(np.float32),
    )
