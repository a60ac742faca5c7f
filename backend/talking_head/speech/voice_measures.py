"""What tells speech from music and noise in any language, measured over windows of two seconds:
how loudness and colour change (Scheirer and Slaney 1997), and how pitch glides.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ...media.sound import RATE, Samples
from .log_mel import HOP, LogMelConfig, log_mel

MEASURES = (
    "swing 0.5-2 Hz", "swing 2-4 Hz", "swing 4-8 Hz", "swing 8-16 Hz", "loudness deviation",
    "loud share", "voiced share", "periodicity", "periodicity deviation", "flat pitch",
    "gliding pitch", "hiss against voice", "tilt deviation", "change in 10 ms", "change in 50 ms",
    "change in 200 ms", "overtones",
)  # fmt: skip
SWINGS = (0.5, 2.0, 4.0, 8.0, 16.0)  # Hz: borders of the modulation spectrum's parts
BANDS = LogMelConfig().bands
LOW, HIGH = slice(0, 27), slice(55, BANDS)  # below 1.1 kHz, above 3.4 kHz
CEPSTRUM = np.cos(np.pi * (np.arange(BANDS)[:, None] + 0.5) * np.arange(1, 13) / BANDS)
CEPSTRUM *= np.sqrt(2 / BANDS)  # (BANDS, 12)


@dataclass(frozen=True, kw_only=True)
class VoiceMeasureConfig:
    """Windows and their parts."""

    window: int = 200  # rows of 10 ms
    step: int = 50
    least: int = 50  # rows, of a window at the end
    quiet: float = 7.0  # log energy below the loud rows that are looked at: 30 dB
    hush: float = -11.0  # log energy of the loudest band of a window that is looked at
    voiced: float = 0.6  # periodicity
    still: float = 0.002  # octaves in 10 ms: less is a note
    jump: float = 0.04  # more is another note
    frame: int = 640  # samples in which periods are sought
    highest: int = 500  # Hz
    lowest: int = 60


def voice_measures(
    samples: Samples, config: VoiceMeasureConfig = VoiceMeasureConfig()
) -> NDArray[np.float64]:
    """(W, 17) of the windows of a sound (S,) that hold anything, as MEASURES names them; how loud
    the whole is does not matter.
    """
    level = samples * (0.5 / max(float(np.abs(samples).max(initial=0)), 1e-9))
    bands = log_mel(level)
    strength, pitch = periods(level, len(bands), config)
    rows = []
    for first in range(0, max(1, len(bands) - config.window + 1), config.step):
        part = slice(first, first + config.window)
        if len(bands[part]) >= config.least and bands[part].max() >= config.hush:
            rows.append(_measures(bands[part], strength[part], pitch[part], config))
    return np.array(rows, np.float64).reshape(-1, len(MEASURES))


def periods(
    samples: Samples, count: int, config: VoiceMeasureConfig
) -> tuple[Floats, NDArray[np.float64]]:
    """(count,) how periodic each row is, 0 to 1, and (count,) its pitch in octaves: the strongest
    peak of the autocorrelation, without the window's own (Boersma 1993).
    """
    window = np.hanning(config.frame).astype(np.float32)
    shortest, longest = RATE // config.highest, RATE // config.lowest
    size = 2 * config.frame
    own = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)[: longest + 2]
    padded = np.pad(samples, config.frame // 2)
    strength, pitch = np.zeros(count, np.float32), np.zeros(count)
    for rows in _parts(count):
        at = (rows * HOP)[:, None] + np.arange(config.frame)
        frames = padded[np.minimum(at, len(padded) - 1)]
        spectrum = np.fft.rfft((frames - frames.mean(1, keepdims=True)) * window, size)
        likeness = np.fft.irfft(np.abs(spectrum) ** 2)[:, : longest + 2]
        likeness /= (likeness[:, :1] + 1e-9) * (own / own[0])
        lag = likeness[:, shortest:longest].argmax(1) + shortest
        before, peak, after = (likeness[np.arange(len(rows)), lag + k] for k in (-1, 0, 1))
        bend = before - 2 * peak + after
        aside = 0.5 * (before - after) / np.where(np.abs(bend) > 1e-9, bend, 1e9)
        strength[rows], pitch[rows] = peak.clip(0, 1), np.log2(RATE / (lag + aside.clip(-0.5, 0.5)))
    return strength, pitch


def _parts(count: int, size: int = 4000) -> Iterator[NDArray[np.int64]]:
    """Rows in parts, which keeps long sounds within the memory."""
    for first in range(0, count, size):
        yield np.arange(first, min(count, first + size))


def _measures(
    bands: Floats, strength: Floats, pitch: NDArray[np.float64], config: VoiceMeasureConfig
) -> list[float]:
    energy = _sum(bands)
    loud = energy > np.quantile(energy, 0.95) - config.quiet
    tilt = (_sum(bands[:, HIGH]) - _sum(bands[:, LOW]))[loud]
    voiced = loud & (strength > config.voiced)
    together = voiced[1:] & voiced[:-1]
    moved = np.abs(np.diff(pitch))[together]
    flat = float((moved < config.still).mean()) if len(moved) else 0.5
    glides = (moved >= config.still) & (moved < config.jump)
    cepstrum = np.asarray(bands @ CEPSTRUM, np.float64)
    smooth = np.stack([np.convolve(np.pad(row, 3, "edge"), SMOOTH, "valid") for row in bands[loud]])
    return [
        *_swings(bands, config),
        float(energy.std()),
        float(loud.mean()),
        float(voiced.mean()),
        float(strength[loud].mean()),
        float(strength[loud].std()),
        flat,
        float(glides.mean()) if len(moved) else 0.0,
        _correlation(tilt, strength[loud]),
        float(tilt.std()),
        *(_change(cepstrum, loud, rows) for rows in (1, 5, 20)),
        float((bands[loud] - smooth).std()),
    ]


SMOOTH = np.hanning(9)[1:-1] / np.hanning(9).sum()


def _sum(bands: Floats) -> NDArray[np.float64]:
    """(T,) logarithm of the energy of all bands."""
    return np.asarray(np.log(np.exp(bands.astype(np.float64)).sum(1)))


def _swings(bands: Floats, config: VoiceMeasureConfig) -> list[float]:
    """Log power by which ten wide bands swing, by how fast: syllables come three to eight times a
    second (Houtgast and Steeneken 1985).
    """
    wide = bands.reshape(len(bands), 10, -1).mean(2).astype(np.float64)
    wide = np.maximum(wide, wide.max() - 10)
    window = np.hanning(len(wide))[:, None]
    spectrum = np.fft.rfft((wide - wide.mean(0)) * window, config.window, axis=0)
    power = (np.abs(spectrum) ** 2).mean(1) / (window**2).sum()
    hertz = np.fft.rfftfreq(config.window, HOP / RATE)
    edges = itertools.pairwise(SWINGS)
    return [float(np.log(power[(hertz >= a) & (hertz < b)].sum() + 1e-3)) for a, b in edges]


def _change(cepstrum: NDArray[np.float64], loud: NDArray[np.bool_], rows: int) -> float:
    """How far the sound's colour is from what it was so many rows before."""
    both = loud[rows:] & loud[:-rows]
    return (
        float(np.linalg.norm(cepstrum[rows:] - cepstrum[:-rows], axis=1)[both].mean())
        if (both.any())
        else 0.0
    )


def _correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """0 where one of them stays the same."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 1e-6 else 0.0
