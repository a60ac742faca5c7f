"""Counts that a binary COLMAP model declares, held against what its files hold: COLMAP's own reader
believes them, and asks for as much memory. Standard library only.
"""

import mmap
import struct
from pathlib import Path

from ...formats.colmap_names import PARTS
from ...protocol import InputError

COUNT = struct.Struct("<Q")
CAMERA = 24  # bytes: number, model, width, height; parameters follow
POINT = 51  # number, place, color, error, and how many pictures see it
SEEN = 8  # a picture's number, and the place in it


def check_counts(folder: Path) -> None:
    """Raises InputError where a model in .bin declares more cameras or points than it holds; of
    its pictures `colmap_names.image_names` says it.
    """
    if not all((folder / f"{part}.bin").is_file() for part in PARTS):
        return
    try:
        _check_cameras(folder / "cameras.bin")
        _check_points(folder / "points3D.bin")
    except (OSError, ValueError, struct.error) as error:
        raise InputError(
            "The COLMAP model is damaged: it declares more than it holds.",
            "Export it again, as .bin or .txt.",
        ) from error


def _check_cameras(path: Path) -> None:
    with open(path, "rb") as file:
        (count,) = COUNT.unpack(file.read(COUNT.size))
    if count * CAMERA > path.stat().st_size:
        raise ValueError("more cameras than the file holds")


def _check_points(path: Path) -> None:
    """Point by point, for each says itself how many pictures see it."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        (count,) = COUNT.unpack_from(data)
        at, size = COUNT.size, len(data)
        if count * POINT > size:
            raise ValueError("more points than the file holds")
        for _ in range(count):
            (seen,) = COUNT.unpack_from(data, at + POINT - COUNT.size)
            at += POINT + seen * SEEN
            if at > size:
                raise ValueError("more pictures than the file holds")
