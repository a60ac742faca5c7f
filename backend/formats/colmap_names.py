"""The pictures that a COLMAP model names, read from its list alone. Standard library only.

COLMAP's own reader cuts names in text models at their first space, and knows no byte order mark.
"""

import codecs
import os
import struct
from pathlib import Path

from ..protocol import InputError
from . import gate

PARTS = ("cameras", "images", "points3D")
LISTS = ("images.bin", "images.txt")
LONGEST_NAME = 4096  # bytes
POSE = struct.Struct("<I7dI")  # id, quaternion, translation, camera
POINT = 24  # bytes of an observation: x, y, point


def is_model(folder: Path) -> bool:
    """Whether the folder holds a COLMAP model, or enough of one to tell what is missing."""
    files = {kind: ((folder / f"{kind}.bin"), (folder / f"{kind}.txt")) for kind in PARTS}
    there = {kind for kind, both in files.items() if any(path.is_file() for path in both)}
    return "cameras" in there and len(there) > 1


def image_names(model: Path) -> dict[int, str]:
    """Names by their images' numbers. As for COLMAP, a whole model in .bin counts before .txt.

    Raises:
        InputError: the list is damaged.
    """
    try:
        whole = all((model / f"{part}.bin").is_file() for part in PARTS)
        if whole or not (model / LISTS[1]).is_file():
            return _binary_names(model / LISTS[0])
        return _text_names(model / LISTS[1])
    except (OSError, ValueError, OverflowError, struct.error) as error:
        raise InputError(
            "The COLMAP model is damaged or incomplete.",
            "It needs cameras, images and points3D, as .bin or .txt.",
        ) from error


def _binary_names(path: Path) -> dict[int, str]:
    size, names = os.path.getsize(path), {}
    with gate.opened(path) as file:
        (count,) = struct.unpack("<Q", file.read(8))
        if count * (POSE.size + 9) > size:
            raise ValueError("more pictures than the file holds")
        for _ in range(count):
            image_id = POSE.unpack(file.read(POSE.size))[0]
            word = bytearray()
            while (byte := file.read(1)) != b"\0":
                if not byte or len(word) > LONGEST_NAME:
                    raise ValueError("a name without an end")
                word += byte
            (points,) = struct.unpack("<Q", file.read(8))
            if points * POINT > size - file.tell():
                raise ValueError("more observations than the file holds")
            file.seek(points * POINT, os.SEEK_CUR)
            names[image_id] = _spelled(bytes(word))
    return names


def _text_names(path: Path) -> dict[int, str]:
    """Two lines a picture: its pose and name, then its observations, which may be empty."""
    names, is_pose = {}, True
    for number, raw in enumerate(gate.lines(path)):
        line = (raw.removeprefix(codecs.BOM_UTF8) if not number else raw).strip()
        if is_pose and (not line or line.startswith(b"#")):
            continue
        if is_pose:
            words = line.split(None, 9)
            if len(words) < 10:
                raise ValueError("a picture without a name")
            names[int(words[0])] = _spelled(words[9])
        is_pose = not is_pose
    return names


def _spelled(name: bytes) -> str:
    """In UTF-8, else as Windows' tools in western countries write; never what can't be said."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name.decode("latin-1")
