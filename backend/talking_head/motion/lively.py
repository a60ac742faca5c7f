"""What a face does as it speaks, beside the lips: brows rise where the voice stresses, the eyes
look away in pauses and come back, and are wider while it is lively.
"""

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ..speech.log_mel import FEATURE_RATE
from ..speech.prosody import Prosody

RAISED, RISING, FALLING = 0.45, 0.12, 0.35  # of a brow; seconds up and down
STRONG, SOME = 0.55, 0.7  # of the strong accents so many are shown: none of them by a clockwork
ASIDE, UP_OR_DOWN, SACCADE = 0.35, 0.25, 0.05  # of a gaze; seconds of its way
LONGEST = 1.2  # seconds that the eyes stay away
LIVELY = {"eyeWide": 0.12, "cheekSquint": 0.15, "browOuterUp": 0.08}


def expression(
    times: NDArray[np.float64], told: Prosody, amount: float, seed: int
) -> dict[str, Floats]:
    """Curves (T,) by ARKit's names: brows at accents, and how lively the eyes are."""
    random = np.random.default_rng(seed + 2)
    shown = (random.random(len(told.accents)) < SOME) & (told.strengths > STRONG)
    raised = bumps(times, told.accents[shown], told.strengths[shown])
    lively = np.interp(times * FEATURE_RATE, np.arange(len(told.lively)), told.lively) if len(
        told.lively) else np.zeros(len(times))  # fmt: skip
    curves = {"browInnerUp": RAISED * raised}
    for side in ("Left", "Right"):
        for name, most in LIVELY.items():
            curves[name + side] = most * (2 * lively - 1).clip(0, 1)
        curves["browOuterUp" + side] = curves["browOuterUp" + side] + 0.6 * RAISED * raised
    return {name: np.asarray((amount * c).clip(0, 1), np.float32) for name, c in curves.items()}


def bumps(times: NDArray[np.float64], at: NDArray[np.float64], strengths: Floats) -> Floats:
    """(T,) up to each strength at its moment and back, smoothly; the higher where two meet."""
    shown = np.zeros(len(times), np.float32)
    for moment, strength in zip(at.tolist(), strengths.tolist(), strict=True):
        since = times - moment
        way = np.where(since < 0, 1 + since / RISING, 1 - since / FALLING).clip(0, 1)
        shown = np.maximum(shown, (strength * way * way * (3 - 2 * way)).astype(np.float32))
    return shown


def gaze(times: NDArray[np.float64], told: Prosody, amount: float, seed: int) -> dict[str, Floats]:
    """Curves (T,) by ARKit's names: both eyes look to one side, up or down where a speaker pauses
    (Kendon 1967), and back before the next phrase begins.
    """
    random = np.random.default_rng(seed + 3)
    aside, up = np.zeros(len(times)), np.zeros(len(times))
    for begin, end in told.pauses.tolist():
        where = random.uniform(0.4, 1) * random.choice([-1, 1]), random.uniform(-1, 1)
        back = min(end, begin + random.uniform(0.5, 1) * LONGEST)
        away = np.interp(times, [begin, begin + SACCADE, back, back + SACCADE], [0, 1, 1, 0])
        aside, up = aside + ASIDE * where[0] * away, up + UP_OR_DOWN * where[1] * away
    left, right = (np.asarray((amount * sign * aside).clip(0, 1), np.float32) for sign in (1, -1))
    above, below = (np.asarray((amount * sign * up).clip(0, 1), np.float32) for sign in (1, -1))
    return {
        "eyeLookOutLeft": left,
        "eyeLookInRight": left,
        "eyeLookInLeft": right,
        "eyeLookOutRight": right,
        **{f"eyeLookUp{side}": above for side in ("Left", "Right")},
        **{f"eyeLookDown{side}": below for side in ("Left", "Right")},
    }
