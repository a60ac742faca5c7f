"""Depth maps as OpenEXR files: one half-float channel, the distance along the viewing axis; 0 where
there is none.

The channel is called Y, luminance, not Z: Blender 4.5 reads nothing from a file that holds Z alone.
"""

import struct
from pathlib import Path

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from ..protocol import InputError
from . import gate
from .limits import MOST_PICTURE_FILE, MOST_PIXELS

LARGEST = 65504.0  # of a half
MAGIC, WINDOW = b"\x76\x2f\x31\x01", b"dataWindow\0box2i\0"
MOST_HEADER = 1 << 20  # bytes


def write(path: Path, depth: NDArray[np.float32]) -> None:
    """(H, W); what is not a positive number is written as 0."""
    clean = np.where(np.isfinite(depth) & (depth > 0), np.minimum(depth, LARGEST), 0).astype(
        np.float16
    )
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"Y": np.ascontiguousarray(clean)}) as file:
        file.write(str(path))


def read(path: Path) -> NDArray[np.float32]:
    """(H, W) float32."""
    try:
        size = exr_size(path)
        if size[0] * size[1] > MOST_PIXELS:
            raise ValueError("too large")
        with OpenEXR.File(str(path)) as file:
            return np.asarray(file.channels()["Y"].pixels, np.float32)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, struct.error) as error:
        raise InputError(
            f"{path.name} is not a depth map.", "Solve the cameras again with depth."
        ) from error


def exr_size(path: Path) -> tuple[int, int]:
    """Width and height that the header tells; ValueError for no OpenEXR file. The library takes
    the memory for a picture before it sees whether the file holds one.
    """
    with gate.opened(path, MOST_PICTURE_FILE) as file:
        head = file.read(MOST_HEADER)
    if not head.startswith(MAGIC):
        raise ValueError("no OpenEXR")
    at = head.find(WINDOW)
    if at < 0:
        raise ValueError("no data window")
    left, top, right, bottom = struct.unpack_from("<4i", head, at + len(WINDOW) + 4)
    width, height = right - left + 1, bottom - top + 1
    if width < 1 or height < 1:
        raise ValueError("no pixels")
    return width, height
