"""COLMAP models in text that COLMAP's own reader stumbles over: byte order marks of Windows'
editors, and numbers that are none.
"""

import math
from collections.abc import Iterator
from pathlib import Path

from ...formats.gate import lines

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
POSE_WORDS, POINT_WORDS = slice(1, 8), slice(1, 4)  # of a picture's first line, of a point's
NO_POSE = [b"0"] * 7  # a quaternion of length 0, which `gate` leaves out
NOWHERE = [b"1e300"] * 3  # so far that `gate` leaves it out


def _is_finite(words: list[bytes]) -> bool:
    try:
        return all(math.isfinite(float(word)) for word in words)
    except ValueError:
        return True  # COLMAP will tell


def _cleaned(line: bytes, part: slice, instead: list[bytes]) -> bytes:
    words = line.split(None, part.stop)
    if len(words) < part.stop or _is_finite(words[part]):
        return line
    return b" ".join([*words[: part.start], *instead, *words[part.stop :]])


def _lines(path: Path) -> Iterator[bytes]:
    """The file's lines with poses and points that can be read."""
    is_pose = True
    for number, raw in enumerate(lines(path)):
        line = raw.removeprefix(BYTE_ORDER_MARK) if number == 0 else raw
        is_empty = not line.strip() or line.lstrip().startswith(b"#")
        if path.name == "points3D.txt" and not is_empty:
            yield _cleaned(line, POINT_WORDS, NOWHERE)
        elif path.name == "images.txt" and not (is_pose and is_empty):
            yield _cleaned(line, POSE_WORDS, NO_POSE) if is_pose else line
            is_pose = not is_pose
        else:
            yield line


def readable(folder: Path, copy: Path) -> Path:
    """The model's folder, or a copy of its text files that COLMAP can read."""
    if all((folder / f"{part}.bin").is_file() for part in ("cameras", "images", "points3D")):
        return folder
    texts = [p for p in sorted(folder.glob("*.txt")) if p.is_file()]
    if not any(_needs_care(path) for path in texts):
        return folder
    copy.mkdir()
    for path in texts:
        with open(copy / path.name, "wb") as file:
            file.writelines(_lines(path))
    return copy


def _needs_care(path: Path) -> bool:
    for number, line in enumerate(lines(path)):
        if number == 0 and line.startswith(BYTE_ORDER_MARK):
            return True
        low = line[:400].lower()
        if b"nan" in low or b"inf" in low:  # or a name that holds these letters: no harm
            return True
    return False
