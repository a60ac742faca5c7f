"""Coloured point clouds as PLY: points3D.ply of a capture."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Doubles
from ..protocol import InputError
from . import ply

COLOR_NAMES = (
    ("red", "green", "blue"),
    ("diffuse_red", "diffuse_green", "diffuse_blue"),  # MeshLab's
    ("r", "g", "b"),
)
GREY = 128


class Points(NamedTuple):
    """A point cloud as it was read."""

    positions: NDArray[np.float32]  # (N, 3), finite
    colors: NDArray[np.uint8]  # (N, 3)
    told: str  # what was left out, as a sentence; empty where nothing was


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Colours of any type as 0..255: floats are in 0..1 (Open3D, trimesh) or in 0..255, whole
    numbers of 16 bits in 0..65535.
    """
    if values.dtype == np.uint8:
        return np.asarray(values, np.uint8)
    wide = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    largest = wide.max(initial=0.0)
    if values.dtype.kind == "f":
        wide = wide * 255 if largest <= 1.0 else wide
    elif largest > 255:
        wide = wide / 257 if largest <= 65535 else wide / largest * 255
    return np.asarray(wide.round().clip(0, 255), np.uint8)


def read(path: Path, offset: Doubles | None = None) -> Points:
    """Positions less `offset` (3,), in double precision before they are rounded; colours are grey
    where the file has none; points that are not finite are left out, and told of.
    """
    vertices = ply.read_vertices(path)
    names = vertices.dtype.names or ()
    if not {"x", "y", "z"} <= set(names):
        raise InputError(f"{path.name} has no point positions.", "Choose another file.")
    exact = np.stack([vertices[n] for n in "xyz"], 1).astype(np.float64)
    with np.errstate(all="ignore"):
        points = (exact if offset is None else exact - offset).astype(np.float32)
    colors = np.full((len(points), 3), GREY, np.uint8)
    for channels in COLOR_NAMES:
        if set(channels) <= set(names):
            colors = _eight_bits(np.stack([vertices[n] for n in channels], 1))
            break
    finite = np.isfinite(points).all(1)
    lost = int((~finite).sum())
    told = f"{path.name}: {lost:,} of {len(points):,} points left out, without a usable position."
    return Points(points[finite], colors[finite], told if lost else "")


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
