"""Where nobody speaks, and a face that is at rest there."""

import numpy as np
from numpy.typing import NDArray

from ..log_mel import FEATURE_RATE, Features
from .features import BANDS, HUSH

QUIET = 7.0  # log energy below the loud moments: 30 dB
AROUND, SOFT = 0.12, 0.05  # seconds that a mouth moves before and after its sound; of the way into rest


def awake(features: Features) -> NDArray[np.float32]:
    """(T,) 1 around speech, 0 in pauses, with soft edges."""
    if not len(features):
        return np.zeros(0, np.float32)
    energy = features[:, :BANDS].max(1)
    heard = energy >= max(HUSH, np.quantile(energy, 0.95) - QUIET)
    reach, soft = round(AROUND * FEATURE_RATE), round(3 * SOFT * FEATURE_RATE)
    near = np.convolve(heard, np.ones(2 * reach + 1), "full")[reach : reach + len(heard)] > 0.5
    kernel = np.exp(-0.5 * (np.arange(-soft, soft + 1) / (SOFT * FEATURE_RATE)) ** 2)
    return np.convolve(np.pad(near.astype(np.float32), soft, mode="edge"), kernel / kernel.sum(), "valid").astype(np.float32)


def resting_in_pauses(motion: NDArray[np.float32], features: Features, rest: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, K) of motion at FEATURE_RATE, with the face `rest` (K,) in pauses."""
    return np.asarray(rest + awake(features)[: len(motion), None] * (motion - rest), np.float32)
