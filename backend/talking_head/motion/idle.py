"""What a face does beside speaking: it blinks, and the head goes along with the voice."""

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ..speech.log_mel import FEATURE_RATE
from ..speech.smoothing import smoothed

CLOSING, OPENING = 0.08, 0.16  # seconds of a lid's way down and up (Evinger et al. 1991)
LEAST = 0.8  # seconds between blinks
NEAR = 1.0  # seconds
NOD, TURN, TILT = 0.05, 0.06, 0.03  # radians, deviations of the head's angles


def blinks(
    times: NDArray[np.float64],
    a_minute: float,
    seed: int,
    ends: NDArray[np.float64] = np.zeros(0),
) -> Floats:
    """(T,) 0..1: at random times, as a Poisson process with a rest between two; one that is near
    the end of a phrase falls upon it (Nakano and Kitazawa 2010).
    """
    closed = np.zeros(len(times), np.float32)
    random = np.random.default_rng(seed)
    at, before = 0.5, -np.inf
    while a_minute > 0 and len(times) and at < times[-1]:
        near = ends[(np.abs(ends - at) < NEAR) & (ends > before + LEAST)]
        at = before = float(near[np.abs(near - at).argmin()]) if len(near) else at
        since = times - at
        down, up = since / CLOSING + 1, 1 - since / OPENING
        lid = np.where(since < 0, down, up).clip(0, 1)
        closed = np.maximum(closed, (lid * lid * (3 - 2 * lid)).astype(np.float32))
        at += LEAST + random.exponential(max(60 / a_minute - LEAST, 0.05))
    return closed


def sway(times: NDArray[np.float64], loudness: Floats, amount: float, seed: int) -> Floats:
    """(T, 3) pitch, yaw and roll in radians: slow wandering, and nods where the voice gets louder;
    little of it while it is silent.
    """
    random = np.random.default_rng(seed + 1)
    heard = (
        np.interp(times * FEATURE_RATE, np.arange(len(loudness)), loudness)
        if len(loudness)
        else np.zeros(len(times))
    )
    rate = 1 / (times[1] - times[0]) if len(times) > 1 else 1.0
    awake, beat = (
        smoothed(heard, 0.6 * rate),
        smoothed(heard, 0.12 * rate) - smoothed(heard, 0.5 * rate),
    )
    wander = np.stack([_wave(times, random) for _ in range(3)], 1) * [NOD, TURN, TILT]
    angles = wander * (0.25 + 0.75 * awake[:, None])
    angles[:, 0] -= 2 * NOD * beat
    return np.asarray(angles * amount, np.float32)


def loudness_of(bands: Floats) -> Floats:
    """(T,) 0..1 from log-mel bands (T, C): between this sound's own quiet and its own loud."""
    energy = bands.max(1)
    quiet, loud = np.quantile(energy, [0.1, 0.95])
    return np.asarray(((energy - quiet) / max(loud - quiet, 2.0)).clip(0, 1), np.float32)


def _wave(times: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """(T,) a few slow sines, of deviation about one."""
    paces, phases = random.uniform(0.12, 0.6, 4), random.uniform(0, 2 * np.pi, 4)
    return np.asarray(np.sin(2 * np.pi * times[:, None] * paces + phases).sum(1) / np.sqrt(2))
