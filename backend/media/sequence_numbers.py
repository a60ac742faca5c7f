"""Numbered files as the sequence that their numbers make, gaps and all."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from ..formats.natural_order import DIGITS, frame_number


def _around(name: str) -> tuple[str, ...]:
    """What stands around the last number of a name."""
    path = PurePosixPath(name)
    words = DIGITS.split(path.stem)
    return (path.parent.as_posix(), "".join(words[:-2]), words[-1])


def by_number(names: Sequence[str]) -> dict[int, int]:
    """Frames from the first, 0, and which of the names, in their order, is that frame's. Names
    that differ in more than one number are no sequence, and count by their places.
    """
    numbers = [frame_number(name) for name in names]
    known = [n for n in numbers if n is not None]
    one_row = len({_around(name) for name in names}) == 1
    if one_row and len(set(known)) == len(names):
        return {n - min(known): at for at, n in enumerate(known)}
    return {at: at for at in range(len(names))}
