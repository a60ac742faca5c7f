"""Sounds that the tests write themselves."""

import wave
from pathlib import Path

import numpy as np


def write_wav(path: Path, samples: np.ndarray, rate: int, width: int = 2) -> Path:
    """samples (S, channels) -1..1; width in bytes."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        scaled = samples * (2 ** (8 * width - 1) - 1)
        file.writeframes(
            (scaled + 128).astype("u1").tobytes() if width == 1 else scaled.astype("<i2").tobytes()
        )
    return path
