"""Facial motion as Live Link Face writes it: a table that Unreal, Unity and other tools take. numpy
alone.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import gate
from .arkit import BLENDSHAPES
from .limits import MOST_TEXT
from .motion_file import HEAD

HEADER = (
    "Timecode",
    "BlendshapeCount",
    *(name[0].upper() + name[1:] for name in BLENDSHAPES),
    "HeadYaw",
    "HeadPitch",
    "HeadRoll",
    "LeftEyeYaw",
    "LeftEyePitch",
    "LeftEyeRoll",
    "RightEyeYaw",
    "RightEyePitch",
    "RightEyeRoll",
)


def write(path: Path, fps: float, names: list[str], values: NDArray[np.floating]) -> None:
    """`values` (T, K) of coefficients `names`, one row a frame; what is not named is zero."""
    column = {name: k for k, name in enumerate(names)}
    order = [column.get(name, -1) for name in (*BLENDSHAPES, HEAD[1], HEAD[0], HEAD[2])]
    padded = np.concatenate([values, np.zeros((len(values), 1))], 1)[:, order]
    whole = round(fps)
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        for frame, row in enumerate(padded):
            seconds, rest = divmod(frame, max(whole, 1))
            clock = (
                f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{rest:02d}.000"
            )
            table.writerow(
                [clock, len(BLENDSHAPES) + 9, *(f"{value:.6f}" for value in row), *["0.000000"] * 6]
            )


def seconds(path: Path, fps: float) -> float | None:
    """From the first row to the last by their timecodes, at `fps` rounded to whole frames, as
    timecodes count; None for fewer than two rows.
    """
    gate.check_file(path, MOST_TEXT)
    with open(path, encoding="utf-8", newline="") as file:
        clocks = [row[0] for row in csv.reader(file) if row][1:]
    if len(clocks) < 2:
        return None
    first, last = (_clock(text, max(round(fps), 1)) for text in (clocks[0], clocks[-1]))
    return last - first


def _clock(text: str, whole: int) -> float:
    """Seconds of hours:minutes:seconds:frames."""
    hours, minutes, clock, frames = (float(word) for word in text.split(":"))
    return 3600 * hours + 60 * minutes + clock + frames / whole
