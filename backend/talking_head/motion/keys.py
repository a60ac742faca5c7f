"""Few keys for a curve: those that a person would set, and no value between them is off by more
than asked.
"""

import numpy as np
from numpy.typing import NDArray

from ...formats.motion_file import HEAD, Curve
from ...geometry.arrays import Floats

GROUPS = (
    ("blink", ("eyeBlink",)),
    ("gaze", ("eyeLook",)),
    ("expression", ("brow", "eyeWide", "eyeSquint", "cheekSquint", "noseSneer")),
)
STILL = 1e-3  # a curve that never leaves zero by more has no keys
SMALL_TURN = 0.2  # of the tolerance, in radians of the head


def layer_of(name: str) -> str:
    """What belongs together for an artist: speech, blinks, gaze, expression, head."""
    if name in HEAD:
        return "head"
    return next((layer for layer, starts in GROUPS if name.startswith(starts)), "speech")


def curves_of(names: list[str], values: Floats, tolerance: float) -> list[Curve]:
    """Of values (T, K), one row a frame."""
    curves = []
    for name, column in zip(names, values.T, strict=True):
        if np.abs(column).max(initial=0) > STILL:
            allowed = tolerance * (SMALL_TURN if name in HEAD else 1)
            kept = reduced(column, allowed)
            curves.append(
                Curve(
                    name, layer_of(name), kept.astype(np.float32), column[kept].astype(np.float32)
                )
            )
    return curves


def reduced(values: Floats, tolerance: float) -> NDArray[np.int64]:
    """Rows of values (T,) that have to stay for straight lines between them to be within
    `tolerance` (Douglas and Peucker 1973).
    """
    kept = np.zeros(len(values), bool)
    kept[[0, -1]] = True
    open_parts = [(0, len(values) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        line = np.linspace(values[first], values[last], last - first + 1)
        off = np.abs(values[first : last + 1] - line)
        worst = int(off.argmax())
        if off[worst] > tolerance:
            kept[first + worst] = True
            open_parts += [(first, first + worst), (first + worst, last)]
    return np.flatnonzero(kept)
