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
RAISES_APART = 1.5  # seconds: brows that go up at every accent bob
ASIDE, UP_OR_DOWN, SACCADE = 0.35, 0.25, 0.05  # of a gaze; seconds of its way
LONGEST = 1.2  # seconds that the eyes stay away
BACK_FOR = 2.5  # seconds that they rest on the listener before they leave again
DART, DARTS = (0.05, 0.03), (0.7, 2.6)  # aside, up or down; seconds from one to the next
LIVELY = {"eyeWide": 0.12, "cheekSquint": 0.15, "browOuterUp": 0.08}


def expression(
    times: NDArray[np.float64], told: Prosody, amount: float, seed: int
) -> dict[str, Floats]:
    """Curves (T,) by ARKit's names: brows at accents, and how lively the eyes are."""
    random = np.random.default_rng(seed + 2)
    shown = (random.random(len(told.accents)) < SOME) & (told.strengths > STRONG)
    shown &= _apart(told.accents, np.where(shown, told.strengths, 0))
    raised = bumps(times, told.accents[shown], told.strengths[shown])
    lively = np.interp(times * FEATURE_RATE, np.arange(len(told.lively)), told.lively) if len(
        told.lively) else np.zeros(len(times))  # fmt: skip
    curves = {"browInnerUp": RAISED * raised}
    for side in ("Left", "Right"):
        for name, most in LIVELY.items():
            curves[name + side] = most * (2 * lively - 1).clip(0, 1)
        curves["browOuterUp" + side] = curves["browOuterUp" + side] + 0.6 * RAISED * raised
    return {name: np.asarray((amount * c).clip(0, 1), np.float32) for name, c in curves.items()}


def _apart(at: NDArray[np.float64], strengths: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(A,) the strongest first, none within RAISES_APART of a stronger one."""
    kept: list[int] = []
    for row in np.argsort(-strengths, kind="stable").tolist():
        if strengths[row] > 0 and all(abs(at[row] - at[k]) >= RAISES_APART for k in kept):
            kept.append(row)
    return np.isin(np.arange(len(at)), kept)


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
    (Kendon 1967), back before the next phrase begins, and not in every pause; meanwhile they dart
    a little, as eyes do that rest on a face.
    """
    random = np.random.default_rng(seed + 3)
    aside, up = _darts(times, told, random)
    rested = -np.inf
    for begin, end in told.pauses.tolist():
        if begin < rested:
            continue
        where = random.uniform(0.4, 1) * random.choice([-1, 1]), random.uniform(-1, 1)
        back = min(end, begin + random.uniform(0.5, 1) * LONGEST)
        away = np.interp(times, [begin, begin + SACCADE, back, back + SACCADE], [0, 1, 1, 0])
        aside, up = aside + ASIDE * where[0] * away, up + UP_OR_DOWN * where[1] * away
        rested = back + BACK_FOR
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


def _darts(
    times: NDArray[np.float64], told: Prosody, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(T,) aside and up: from one place of rest to the next; none where nobody speaks."""
    if (not len(told.accents) and not len(told.pauses)) or not len(times):
        return np.zeros(len(times)), np.zeros(len(times))
    count = int(np.ptp(times) / DARTS[0]) + 2
    at = times[0] + np.cumsum(random.uniform(*DARTS, count))
    knots = np.stack([at, at + SACCADE], 1).ravel()
    aside, up = (
        np.concatenate([[0], np.repeat(far * random.uniform(-1, 1, count), 2)[:-1]]) for far in DART
    )
    return np.interp(times, knots, aside), np.interp(times, knots, up)
