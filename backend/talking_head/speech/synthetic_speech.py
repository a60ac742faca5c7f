"""Speech that was never said: pseudo-words in many languages by espeak's voices, with what the
mouth does at every moment.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...media.sound import RATE, Samples
from .espeak import speak
from .log_mel import Features, log_mel
from .phonemes import Phoneme, viseme_track

LANGUAGES = (
    "en-us",
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "sv",
    "tr",
    "fi",
    "id",
    "hu",
    "ro",
    "cs",
)
VARIANTS = (
    "",
    *(f"m{n}" for n in range(1, 9)),
    *(f"f{n}" for n in range(1, 6)),
    "klatt",
    "klatt2",
    "klatt4",
    "Andy",
    "Annie",
    "Gene",
    "Hugo",
    "Lee",
    "Mario",
    "adam",
    "anika",
    "antonio",
    "belinda",
    "benjamin",
    "boris",
    "caleb",
    "david",
    "ed",
    "grandma",
    "linda",
    "marcelo",
    "michel",
    "pablo",
    "paul",
    "steph",
    "travis",
    "victor",
    "zac",
)
ONSETS = (
    "p",
    "b",
    "m",
    "f",
    "v",
    "t",
    "d",
    "n",
    "k",
    "g",
    "s",
    "sh",
    "l",
    "r",
    "h",
    "w",
    "tr",
    "pl",
    "st",
    "br",
    "",
    "",
)
NUCLEI = ("a", "e", "i", "o", "u", "a", "e", "ai", "ou", "ei")
CODAS = ("", "", "", "n", "s", "t", "m", "p", "l", "r", "k", "f", "b")
NOISY = 0.6  # share of the utterances that have noise
LEAD_IN = 0.15  # seconds of silence around


@dataclass(frozen=True)
class Utterance:
    """What was heard, and which viseme was spoken in each row."""

    features: Features  # (T, C)
    visemes: NDArray[np.int64]  # (T,)


def babble(random: np.random.Generator) -> str:
    """A sentence of words that mean nothing, with a pause here and there."""
    words = []
    for _ in range(random.integers(4, 9)):
        syllables = (
            "".join(str(random.choice(kind)) for kind in (ONSETS, NUCLEI, CODAS))
            for _ in range(random.integers(1, 4))
        )
        words.append("".join(syllables) + ("," if random.random() < 0.12 else ""))
    return " ".join(words) + "."


def utterance(random: np.random.Generator, noisy: bool = False) -> Utterance:
    """Of a random voice, pace, pitch and room; most of the `noisy` ones with noise."""
    variant = str(random.choice(VARIANTS))
    voice = str(random.choice(LANGUAGES)) + (f"+{variant}" if variant else "")
    wave, rate, phonemes = speak(
        babble(random), voice, int(random.integers(100, 220)), int(random.integers(10, 90))
    )
    there = in_a_room(at_rate(wave, rate), random)
    return heard(in_noise(there, random) if noisy else there, phonemes)


def in_noise(wave: Samples, random: np.random.Generator) -> Samples:
    """Most of them 8 to 30 dB above a noise between white and pink."""
    if random.random() >= NOISY:
        return wave
    hertz = np.maximum(np.fft.rfftfreq(len(wave)), 0.003)
    spectrum = np.fft.rfft(random.normal(size=len(wave))) * hertz ** -random.uniform(0, 0.5)
    noise = np.fft.irfft(spectrum, len(wave))
    level = np.sqrt((wave**2).mean() / (noise**2).mean()) * 10 ** (-random.uniform(8, 30) / 20)
    return np.asarray(wave + level * noise, np.float32)


def heard(wave: Samples, phonemes: list[Phoneme]) -> Utterance:
    """With a moment of silence before and after; phonemes count from the wave's beginning."""
    around = np.zeros(round(LEAD_IN * RATE), np.float32)
    features = log_mel(np.concatenate([around, wave, around]))
    later = [Phoneme(start=p.start + LEAD_IN, end=p.end + LEAD_IN, ipa=p.ipa) for p in phonemes]
    return Utterance(features, viseme_track(later, len(features)))


def at_rate(wave: Samples, rate: int) -> Samples:
    """At 16 kHz, by the spectrum."""
    count = round(len(wave) * RATE / rate)
    spectrum = torch.fft.rfft(torch.from_numpy(wave))
    wanted = count // 2 + 1
    fitted = torch.nn.functional.pad(spectrum, (0, max(0, wanted - len(spectrum))))[:wanted]
    return np.asarray(torch.fft.irfft(fitted, count).numpy() * (count / len(wave)), np.float32)


def in_a_room(wave: Samples, random: np.random.Generator) -> Samples:
    """Half of them with an echo that dies away."""
    if random.random() < 0.5:
        return wave
    length = int(random.uniform(0.05, 0.3) * RATE)
    echo = (
        random.normal(size=length)
        * np.exp(-4 * np.arange(length) / length)
        * random.uniform(0.02, 0.12)
    )
    echo[0] = 1
    count = len(wave) + length - 1
    both = np.fft.irfft(np.fft.rfft(wave, count) * np.fft.rfft(echo, count), count)
    return np.asarray(both[: len(wave)], np.float32)
