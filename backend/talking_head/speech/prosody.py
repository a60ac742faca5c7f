"""How something is said: where a voice stresses, where a phrase ends, and how lively it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...media.sound import Samples
from .audio_features import BANDS, HUSH
from .log_mel import FEATURE_RATE, Features
from .smoothing import smoothed
from .voice_measures import VoiceMeasureConfig, periods

QUIET = 7.0  # log energy below the loud moments: 30 dB
PHRASE = 0.25  # seconds of silence that end one
APART = 0.35  # seconds from one accent to the next, at least
SYLLABLE, AROUND = 0.06, 0.6  # seconds over which a voice is smoothed, and what it is held against
OCTAVE, LOUD = 0.12, 0.8  # of pitch and of log energy that a strong accent rises by
LIVELY = 3.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Prosody:
    """Of a sound, in seconds from its beginning."""

    accents: NDArray[np.float64]  # (A,)
    strengths: Floats  # (A,) above 0, to 1
    pauses: NDArray[np.float64]  # (P, 2) beginnings and ends
    lively: Floats  # (T,) 0 to 1 at FEATURE_RATE: louder and wider in pitch than usual, or less


def prosody(samples: Samples, features: Features) -> Prosody:
    """Of a sound (S,) and its features (T, C): accents are peaks of pitch and loudness against
    what is around them (Terken 1991), as far as the voice has pitch; all of it against the sound's
    own middle.
    """
    energy = features[:, :BANDS].max(1)
    loud = (
        energy > max(HUSH, float(np.quantile(energy, 0.95)) - QUIET)
        if len(energy)
        else np.zeros(0, bool)
    )
    if not loud.any():
        none = np.zeros(0)
        return Prosody(
            accents=none,
            strengths=none.astype(np.float32),
            pauses=none.reshape(0, 2),
            lively=np.zeros(len(loud), np.float32),
        )
    config = VoiceMeasureConfig()
    level = samples * (0.5 / max(float(np.abs(samples).max(initial=0)), 1e-9))
    strength, octaves = periods(level, len(loud), config)
    pitch = _through_gaps(octaves, loud & (strength > config.voiced))
    rises = _rise(pitch) / OCTAVE + _rise(np.where(loud, energy, energy[loud].min())) / LOUD
    accents, strengths = _peaks(np.where(loud, rises, 0) / 2)
    return Prosody(
        accents=accents, strengths=strengths, pauses=_pauses(loud), lively=_lively(energy, pitch)
    )


def _through_gaps(octaves: NDArray[np.float64], voiced: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Pitch (T,) straight across what has none; without leaps of an octave about its middle."""
    if not voiced.any():
        return np.zeros(len(octaves))
    middle = float(np.median(octaves[voiced]))
    folded = middle + (octaves - middle + 0.5) % 1 - 0.5
    at = np.flatnonzero(voiced)
    return np.interp(np.arange(len(octaves)), at, folded[at])


def _rise(values: NDArray[np.floating]) -> Floats:
    """(T,) above what is around."""
    return np.asarray(
        smoothed(values, SYLLABLE * FEATURE_RATE) - smoothed(values, AROUND * FEATURE_RATE),
        np.float32,
    )


def _peaks(rises: NDArray[np.floating]) -> tuple[NDArray[np.float64], Floats]:
    """The highest first, none within APART of a higher one; strengths against the strongest."""
    inner = np.flatnonzero((rises[1:-1] >= rises[:-2]) & (rises[1:-1] > rises[2:])) + 1
    kept: list[int] = []
    for row in inner[np.argsort(-rises[inner], kind="stable")].tolist():
        if rises[row] > 0.25 and all(abs(row - k) >= APART * FEATURE_RATE for k in kept):
            kept.append(row)
    kept.sort()
    strongest = max(1.0, float(np.quantile(rises[kept], 0.95))) if kept else 1.0
    return np.array(kept) / FEATURE_RATE, (rises[kept] / strongest).clip(0, 1).astype(np.float32)


def _pauses(loud: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(P, 2) of silence between and after speech, none before it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], loud, [True]]).astype(int)))
    runs = edges.reshape(-1, 2) / FEATURE_RATE
    begun = float(np.flatnonzero(loud)[0]) / FEATURE_RATE
    return runs[(runs[:, 1] - runs[:, 0] >= PHRASE) & (runs[:, 0] > begun)]


def _lively(energy: Floats, pitch: NDArray[np.float64]) -> Floats:
    """(T,) by energy and by how far pitch ranges, each against the rest of the sound."""
    rows = LIVELY * FEATURE_RATE / 2
    spread = smoothed(np.abs(pitch - smoothed(pitch, rows)), rows)
    told = [smoothed(energy, rows), spread]
    parts = [(v - np.median(v)) / max(float(v.std()), 1e-3) for v in told]
    return np.asarray(1 / (1 + np.exp(-(parts[0] + parts[1]))), np.float32)
