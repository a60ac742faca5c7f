"""The one order that names of files have: folder by folder, numbers by their value, whatever case.
Standard library only.
"""

import re
import unicodedata
from pathlib import PurePosixPath

DIGITS = re.compile(r"([0-9]+)")
LONGEST_NUMBER = 18  # digits; hashes and the like that are longer are words


def slashed(name: str) -> str:
    """The name with forward slashes, without `./`, its letters composed as Windows and Linux
    write them (macOS takes them apart).
    """
    path = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/"))
    return path.as_posix()


def _words(part: str) -> tuple[tuple[int, int, str], ...]:
    words = (w for w in DIGITS.split(part) if w)
    return tuple(
        (0, int(w), "") if w.isdecimal() and len(w) <= LONGEST_NUMBER else (1, 0, w.casefold())
        for w in words
    )


def natural_key(name: str) -> tuple[tuple[tuple[tuple[int, int, str], ...], ...], str]:
    """To sort by: frame_7 comes before frame_10, a/2 before b/1; names that differ in case or in
    leading zeros alone keep one order too.
    """
    parts = slashed(name).split("/")
    last = parts[-1]
    stem, dot, ending = last.rpartition(".")
    named = (stem, dot + ending) if stem else (last,)  # `a.jpg` before `a_2.jpg`
    return tuple(_words(p) for p in (*parts[:-1], *named)), name


def frame_number(name: str) -> int | None:
    """The last number in the name of a numbered picture, its ending aside; None where there is
    none.
    """
    numbers = [w for w in DIGITS.findall(PurePosixPath(slashed(name)).stem) if len(w) <= 9]
    return int(numbers[-1]) if numbers else None
