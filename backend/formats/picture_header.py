"""Width and height of JPEG and PNG files from their headers, where Pillow is not: inside Blender.
Standard library only.
"""

import struct
from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"
MOST_SEGMENTS = 1000  # before the picture of a JPEG file
# start of frame, of every way that JPEG compresses; C4, C8 and CC are other things
FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))


def stored_size(path: Path) -> tuple[int, int] | None:
    """As stored, no turn applied; None for other files, and for damaged ones."""
    try:
        with open(path, "rb") as file:
            start = file.read(24)
            if start.startswith(PNG) and len(start) == 24:
                width, height = struct.unpack(">II", start[16:24])
                return width, height
            if not start.startswith(b"\xff\xd8"):
                return None
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
    except (OSError, ValueError, struct.error):
        return None
    return None
