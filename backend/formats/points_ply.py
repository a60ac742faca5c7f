"""Coloured point clouds as PLY: points3D.ply of a capture."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError
from . import ply


def read(path: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Positions (N, 3) and colours (N, 3), grey where the file has none; points that are not finite
    are left out.
    """
    vertices = ply.read_vertices(path)
    names = vertices.dtype.names or ()
    if not {"x", "y", "z"} <= set(names):
        raise InputError(f"{path.name} has no point positions.", "Choose another file.")
    points = np.stack([vertices[n] for n in "xyz"], 1).astype(np.float32)
    colors = np.full((len(points), 3), 128, np.uint8)
    if {"red", "green", "blue"} <= set(names):
        colors = np.stack([vertices[n] for n in ("red", "green", "blue")], 1).astype(np.uint8)
    finite = np.isfinite(points).all(1)
    return points[finite], colors[finite]


def write(path: Path, points: NDArray[np.floating], colors: NDArray[np.uint8]) -> None:
    """positions (N, 3), colours (N, 3) in 0..255."""
    vertices = np.empty(
        len(points), [(n, "f4") for n in "xyz"] + [(n, "u1") for n in ("red", "green", "blue")]
    )
    for i, name in enumerate("xyz"):
        vertices[name] = points[:, i]
    for i, name in enumerate(("red", "green", "blue")):
        vertices[name] = colors[:, i]
    ply.write_vertices(path, vertices)
