"""A moving mesh whose vertices keep their identity: one topology, a place of every vertex at every
moment. numpy alone.

World axes and units are the capture's. Where sparse nodes carry the mesh, they are kept too: they
are the bones of a game engine.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats
from ..protocol import InputError

NAME = "mesh.npz"
TEXTURE = "texture.png"
MOST = 400_000_000  # vertices times moments


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
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: np.asarray(data[name]) for name in data.files}
        rest, positions = arrays["rest"].astype(np.float32), arrays["positions"].astype(np.float32)
        faces, seconds = arrays["faces"].astype(np.int32), arrays["seconds"].astype(np.float64)
        colors = np.asarray(arrays["colors"] / 255, np.float32)
        uvs = arrays["uvs"].astype(np.float32) if "uvs" in arrays else None
        nodes = _nodes(arrays) if "node_rest" in arrays else None
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
    count = len(rest)
    fits = (
        rest.shape == (count, 3)
        and faces.ndim == 2
        and faces.shape[1] == 3
        and positions.shape == (len(seconds), count, 3)
        and colors.shape == (count, 3)
        and (uvs is None or uvs.shape == (*faces.shape, 2))
    )
    if not fits or not count or not len(seconds) or positions.size > 3 * MOST:
        raise _damaged(path, "its parts do not fit together")
    if (
        faces.min(initial=0) < 0
        or faces.max(initial=-1) >= count
        or not _nodes_fit(nodes, count, len(seconds))
    ):
        raise _damaged(path, "its parts do not fit together")
    if not all(np.isfinite(values).all() for values in (rest, positions, seconds)):
        raise _damaged(path, "it holds numbers that are none")
    if not (np.diff(seconds) > 0).all():
        raise _damaged(path, "its times do not rise")
    return MeshSequence(
        rest=rest,
        faces=faces,
        positions=positions,
        seconds=seconds,
        colors=colors,
        uvs=uvs,
        nodes=nodes,
    )


def _nodes(arrays: dict[str, NDArray]) -> Nodes:
    return Nodes(
        arrays["node_rest"].astype(np.float32),
        arrays["node_transforms"].astype(np.float32),
        arrays["node_skin"].astype(np.int32),
        arrays["node_weights"].astype(np.float32),
    )


def _nodes_fit(nodes: Nodes | None, vertices: int, moments: int) -> bool:
    if nodes is None:
        return True
    count = len(nodes.rest)
    return (
        nodes.rest.shape == (count, 3)
        and nodes.transforms.shape == (moments, count, 3, 4)
        and nodes.skin.shape == nodes.weights.shape
        and len(nodes.skin) == vertices
        and int(nodes.skin.min(initial=0)) >= 0
        and int(nodes.skin.max(initial=-1)) < count
        and bool(np.isfinite(nodes.transforms).all() and np.isfinite(nodes.weights).all())
    )
