"""A Gaussian head that rides on a head's mesh (head_file.py): a numpy archive that Blender's side
reads. numpy alone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Floats
from ..protocol import InputError
from .npz_file import NUMBERS, WHOLE, Array, Arrays, read_npz

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
    invented: Floats | None = None  # (N,) 0..1 where no frame has shown what is here
    follow: Floats | None = None  # (N,) 1 on the head, 0 on shoulders, between on the neck
    joint: Floats | None = None  # (3,) about which the head turns
    yaw_range: Floats | None = None  # (2,) degrees to the person's left that were filmed


_HALF = (
    "means",
    "quats",
    "scales",
    "opacities",
    "sh",
    "mean_shapes",
    "color_shapes",
)  # 16 bits are enough for these
WANTED = {
    "corners": Array(WHOLE, ("N", 3)),
    "rest_sizes": Array(NUMBERS, ("N",)),
    "means": Array(NUMBERS, ("N", 3)),
    "quats": Array(NUMBERS, ("N", 4)),
    "scales": Array(NUMBERS, ("N", 3)),
    "opacities": Array(NUMBERS, ("N",)),
    "sh": Array(NUMBERS, ("N", 4, 3)),
    "mean_shapes": Array(NUMBERS, ("L", "N", 3)),
    "color_shapes": Array(NUMBERS, ("L", "N", 3)),
    "latent_weights": Array(NUMBERS, ("L", "K")),
    "latent_bias": Array(NUMBERS, ("L",)),
    "invented": Array(NUMBERS, ("N",), optional=True),
    "follow": Array(NUMBERS, ("N",), optional=True),
    "joint": Array(NUMBERS, (3,), optional=True),
    "yaw_range": Array(NUMBERS, (2,), optional=True),
}
_OPTIONAL = ("invented", "follow", "joint", "yaw_range")
_FIELDS = ("corners", "rest_sizes", *_HALF, "latent_weights", "latent_bias")


def write(path: Path, head: GaussianHead) -> None:
    """Writes the head's Gaussians as .npz."""
    arrays = {
        name: getattr(head, name).astype(np.float16) if name in _HALF else getattr(head, name)
        for name in _FIELDS
    }
    for name in _OPTIONAL:
        if (values := getattr(head, name)) is not None:
            arrays[name] = values.astype(np.float16)
    np.savez_compressed(path, note=NOTE, **arrays)


def read(path: Path, vertices: int, shapes: int) -> GaussianHead:
    """For a mesh with so many vertices and shapes; InputError for anything that is not a whole
    Gaussian head of such a mesh.
    """
    data = read_npz(path, WANTED, "a Gaussian head", "Read the face again.")
    with np.errstate(over="ignore"):
        arrays: Arrays = {
            n: a.astype(np.int64 if n == "corners" else np.float32) for n, a in data.items()
        }
    if not len(arrays["corners"]) or arrays["latent_weights"].shape[1] != shapes:
        raise InputError(
            f"{path.name} is damaged, or belongs to another head: its parts do not fit together.",
            "Read the face again.",
        )
    corners = arrays["corners"]
    if (
        corners.min() < 0
        or corners.max() >= vertices
        or not all(np.isfinite(values).all() for values in arrays.values())
    ):
        raise InputError(
            f"{path.name} is damaged, or belongs to another head.", "Read the face again."
        )
    return GaussianHead(**{**arrays, "corners": corners.astype(np.int32)})
