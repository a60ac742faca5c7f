"""Where nobody speaks, and a face that is at rest there."""

import numpy as np
from numpy.typing import NDArray

from .audio_features import BANDS, HUSH
from .log_mel import FEATURE_RATE, Features
from .smoothing import smoothed

QUIET = 7.0  # log energy below the loud moments: 30 dB
AROUND = 0.12  # seconds that a mouth moves before and after its sound
LONG = 0.6  # seconds; in shorter ones a mouth is on its way to the next word
SOFT = 0.05  # seconds of the way into rest


def awake(features: Features) -> NDArray[np.float32]:
    """(T,) 1 around speech, 0 in the middle of long pauses, with soft edges."""
    if not len(features):
        return np.zeros(0, np.float32)
    energy = features[:, :BANDS].max(1)
    quiet = energy < max(HUSH, np.quantile(energy, 0.95) - QUIET)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int))).reshape(
        -1, 2
    )
    activity, margin = np.ones(len(quiet), np.float32), round(AROUND * FEATURE_RATE)
    for first, last in edges:
        if last - first >= LONG * FEATURE_RATE:
            activity[first + margin : last - margin] = 0
    return smoothed(activity, SOFT * FEATURE_RATE)


def resting_in_pauses(
    motion: NDArray[np.float32], features: Features, rest: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(T, K) of motion at FEATURE_RATE, with the face `rest` (K,) in pauses."""
    return np.asarray(rest + awake(features)[: len(motion), None] * (motion - rest), np.float32)
