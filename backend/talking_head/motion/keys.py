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
MOST_KEYS = 3.0  # a second, of a curve that a person is to edit
SHARES = (0.2, 0.4, 0.6, 0.8)  # of a tolerance, tried in turn
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
            kept, shown = reduced(column.astype(np.float64), allowed)
            if name not in HEAD:
                shown = shown.clip(column.min(), column.max())  # no lid beyond what is shut
            curves.append(Curve(name, layer_of(name), kept.astype(np.float32), shown))
    return curves


def sparse_tolerance(names: list[str], values: Floats, fps: float, most: float) -> float:
    """The least part of the tolerance `most` at which curves take MOST_KEYS keys a second in the
    mean, or `most` itself.
    """
    seconds = max((len(values) - 1) / fps, 1.0)
    for share in SHARES:
        curves = curves_of(names, values, share * most)
        keys = sum(len(curve.frames) for curve in curves)
        if keys <= MOST_KEYS * seconds * len(curves):
            return share * most
    return most


def reduced(values: Floats, tolerance: float) -> tuple[NDArray[np.int64], Floats]:
    """Rows and values of the keys of values (T,), so that straight lines between them are within
    `tolerance` everywhere: each line goes on for as long as one of its slopes meets all rows that
    it passes (the swing filter, Elmeleegy et al. 2009), so keys may lie beside the values, as much.
    """
    kept, shown, first, value = [0], [float(values[0])], 0, float(values[0])
    while first < len(values) - 1:
        low, high, last = -np.inf, np.inf, first
        for row in range(first + 1, len(values)):
            lower, upper = (
                max(low, (values[row] - tolerance - value) / (row - first)),
                min(high, (values[row] + tolerance - value) / (row - first)),
            )
            if lower > upper:
                break
            low, high, last = lower, upper, row
        slope = min(max((values[last] - value) / (last - first), low), high)
        value, first = float(value + slope * (last - first)), last
        kept.append(first)
        shown.append(value)
    return np.array(kept), np.array(shown, np.float32)
