"""Width and height of pictures from their headers, where Pillow is not: inside Blender. Standard
library only.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from ..protocol import InputError
from . import gate
from .limits import MOST_PICTURE_FILE

PNG = b"\x89PNG\r\n\x1a\n"
START = 40  # bytes that tell what a file is, and of most kinds its size
MOST_SEGMENTS = 1000  # before the picture of a JPEG file
# start of frame, of every way that JPEG compresses; C4, C8 and CC are other things
FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
TIFF_WIDTH, TIFF_HEIGHT, TIFF_SHORT, MOST_TAGS = 256, 257, 3, 4096
VP8X, VP8L, VP8 = b"VP8X", b"VP8L", b"VP8 "


def stored_size(path: Path) -> tuple[int, int] | None:
    """As stored, no turn applied; None for other files, and for damaged ones."""
    try:
        with gate.opened(path, MOST_PICTURE_FILE) as file:
            size = _size(file, file.read(START))
    except (OSError, ValueError, struct.error, InputError):
        return None
    return size if size and min(size) > 0 else None


def _size(file: BinaryIO, start: bytes) -> tuple[int, int] | None:
    if start.startswith(PNG):
        width, height = struct.unpack(">II", start[16:24])
        return width, height
    if start.startswith(b"\xff\xd8"):
        return _jpeg(file)
    if start.startswith((b"II*\0", b"MM\0*")):
        return _tiff(file, "<" if start.startswith(b"I") else ">")
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return _webp(start[12:16], start[20:])
    if start.startswith(b"BM"):
        width, height = struct.unpack("<ii", start[18:26])
        return width, abs(height)  # below 0: from the top
    return None


def _jpeg(file: BinaryIO) -> tuple[int, int] | None:
    file.seek(2)
    for _ in range(MOST_SEGMENTS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return None
        length = int.from_bytes(head[2:], "big")
        if head[1] in FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)
    return None


def _tiff(file: BinaryIO, order: str) -> tuple[int, int] | None:
    """Of the first picture in it."""
    file.seek(4)
    file.seek(struct.unpack(f"{order}I", file.read(4))[0])
    (count,) = struct.unpack(f"{order}H", file.read(2))
    sizes = {}
    for _ in range(min(count, MOST_TAGS)):
        tag, kind, _, value = struct.unpack(f"{order}HHI4s", file.read(12))
        if tag in (TIFF_WIDTH, TIFF_HEIGHT):
            (sizes[tag],) = struct.unpack_from(
                f"{order}{'H' if kind == TIFF_SHORT else 'I'}", value
            )
    return (sizes[TIFF_WIDTH], sizes[TIFF_HEIGHT]) if len(sizes) == 2 else None


def _webp(kind: bytes, data: bytes) -> tuple[int, int] | None:
    """Of its three ways to pack a picture, from what follows a chunk's length."""
    if len(data) < 10:
        return None
    if kind == VP8X:
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if kind == VP8L:
        bits = struct.unpack_from("<I", data, 1)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == VP8:
        width, height = struct.unpack_from("<HH", data, 6)
        return width & 0x3FFF, height & 0x3FFF
    return None
