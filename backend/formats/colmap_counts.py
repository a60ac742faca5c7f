"""Counts in COLMAP's binary files, held against what the files hold: COLMAP itself believes them,
and goes on reading behind a file's end for as long as they say. Standard library only.
"""

import struct
from pathlib import Path

from ..protocol import InputError
from . import gate
from .limits import GIB

MOST = 16 * GIB  # bytes of a file
CAMERA = struct.Struct("<IiQQ")  # camera, model, width, height; then its numbers
FEWEST_NUMBERS = 24  # bytes of the smallest lens: a focal length and a principal point
POINT = struct.Struct("<Q3d3BdQ")  # id, place, colour, error, how often it is seen
SIGHT, SENSOR, POSE, DATA = 8, 8, 56, 16  # bytes


def check_counts(model: Path) -> None:
    """Of the parts that are there, but images.bin, which `colmap_names` reads.

    Raises:
        InputError: a file can't hold what it tells of.
    """
    for name, walk in (("rigs", _rigs), ("frames", _frames), ("points3D", _points)):
        path = model / f"{name}.bin"
        if not gate.is_file(path):
            continue
        data = gate.read_bytes(path, MOST)
        try:
            walk(data, struct.unpack_from("<Q", data)[0])
        except (struct.error, ValueError) as error:
            raise _damaged(path) from error
    cameras = model / "cameras.bin"
    if gate.is_file(cameras):
        size = gate.check_file(cameras, MOST)
        with gate.opened(cameras) as file:
            count = int.from_bytes(file.read(8), "little")
        if size < 8 or count * (CAMERA.size + FEWEST_NUMBERS) > size - 8:
            raise _damaged(cameras)


def _damaged(path: Path) -> InputError:
    return InputError(
        f"The COLMAP model is damaged: {path.name} ends before all that it tells of.",
        "Export it again.",
    )


def _points(data: bytes, count: int) -> None:
    at, size = 8, len(data)
    if count * POINT.size > size:
        raise ValueError
    for _ in range(count):
        at += POINT.size + SIGHT * struct.unpack_from("<Q", data, at + POINT.size - 8)[0]
        if at > size:
            raise ValueError


def _rigs(data: bytes, count: int) -> None:
    """Sensors: the first alone, the others with a byte that says whether a pose follows."""
    at = 8
    for _ in range(count):
        (sensors,) = struct.unpack_from("<I", data, at + 4)
        at += 8 + SENSOR * bool(sensors)
        for _ in range(sensors - 1):
            at += SENSOR + 1 + POSE * bool(data[at + SENSOR : at + SENSOR + 1] != b"\0")
            if at > len(data):
                raise ValueError
        if at > len(data):
            raise ValueError


def _frames(data: bytes, count: int) -> None:
    at = 8
    for _ in range(count):
        at += 8 + POSE
        at += 4 + DATA * struct.unpack_from("<I", data, at)[0]
        if at > len(data):
            raise ValueError
