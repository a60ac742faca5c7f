"""A Gaussian head that rides on a head's mesh (head_file.py): a numpy archive that Blender's side
reads. numpy alone.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats
from ..protocol import InputError

NAME = "gaussian_head.npz"
NOTE = "Synthetic: a head of Gaussians that Splatsmith trained on footage of a person."


@dataclass(frozen=True, kw_only=True)
class GaussianHead:
    """N Gaussians in frames of triangles of a mesh with V vertices and K shapes; centimetres at
    rest.

    A frame's axes: along the first edge, along the normal, across both; its origin is the
    triangle's centre, its size the mean of the edge's length and of the height upon it. Lengths
    grow with that size. L shapes of their own are added to places and colours, by tanh(weights c +
    bias) - tanh(bias) of the mesh's coefficients c.
    """

    corners: NDArray[np.int32]  # (N, 3) vertices of each one's triangle
    rest_sizes: Floats  # (N,) of the triangle's frame when the mesh is at rest
    means: Floats  # (N, 3)
    quats: Floats  # (N, 4) wxyz
    scales: Floats  # (N, 3) standard deviations
    opacities: Floats  # (N,)
    sh: Floats  # (N, 4, 3) in the mesh's axes
    mean_shapes: Floats  # (L, N, 3)
    color_shapes: Floats  # (L, N, 3) RGB
    latent_weights: Floats  # (L, K)
    latent_bias: Floats  # (L,)


_HALF = (
    "means",
    "quats",
    "scales",
    "opacities",
    "sh",
    "mean_shapes",
    "color_shapes",
)  # 16 bits are enough for these
_FIELDS = ("corners", "rest_sizes", *_HALF, "latent_weights", "latent_bias")


def write(path: Path, head: GaussianHead) -> None:
    """Writes the head's Gaussians as .npz."""
    arrays = {
        name: getattr(head, name).astype(np.float16) if name in _HALF else getattr(head, name)
        for name in _FIELDS
    }
    np.savez_compressed(path, note=NOTE, **arrays)


def read(path: Path, vertices: int, shapes: int) -> GaussianHead:
    """For a mesh with so many vertices and shapes; InputError for anything that is not a whole
    Gaussian head of such a mesh.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {
                name: data[name].astype(np.int32 if name == "corners" else np.float32)
                for name in _FIELDS
            }
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path.name} is not a Gaussian head, or it is damaged.", "Read the face again."
        ) from error
    head = GaussianHead(**arrays)
    n, modes = len(head.corners), len(head.latent_bias)
    wanted = {
        "corners": (n, 3),
        "rest_sizes": (n,),
        "means": (n, 3),
        "quats": (n, 4),
        "scales": (n, 3),
        "opacities": (n,),
        "sh": (n, 4, 3),
        "mean_shapes": (modes, n, 3),
        "color_shapes": (modes, n, 3),
        "latent_weights": (modes, shapes),
    }
    if not n or any(arrays[name].shape != shape for name, shape in wanted.items()):
        raise InputError(
            f"{path.name} is damaged, or belongs to another head: its parts do not fit together.",
            "Read the face again.",
        )
    if (
        head.corners.min() < 0
        or head.corners.max() >= vertices
        or not all(np.isfinite(values).all() for values in arrays.values())
    ):
        raise InputError(
            f"{path.name} is damaged, or belongs to another head.", "Read the face again."
        )
    return head
