"""What a recogniser of the user hears: a sound model with a CTC head (Graves et al. 2006), whose
letters or IPA signs stand in `vocab.json` beside it, tells what is said; our own ear tells when.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...formats.gate import is_file
from ...formats.json_file import read_json
from ...geometry.arrays import Floats
from ...protocol import InputError
from .alignment import lay
from .log_mel import FEATURE_RATE
from .phonemes import Phoneme, viseme_track
from .pretrained import sound_model_file
from .readable import language_code
from .spoken_words import later
from .transcript_alignment import sounds_of

VOCABULARY = "vocab.json"
BREAK, SPACE = "|", " "  # between words
PAUSE, AROUND = 0.4, 0.25  # seconds without a sign that part stretches; heard around each
USUAL = 0.08  # seconds of a sign of IPA


@dataclass(frozen=True)
class Heard:
    """A stretch of speech without a pause."""

    start: float  # seconds, of the first sign
    end: float
    signs: tuple[str, ...]  # with BREAK between words


def vocabulary(model: str, channels: int) -> tuple[str, ...]:
    """A sign for each channel, as the file beside the model tells; nothing where there is none.
    InputError where they do not belong together.
    """
    folder = sound_model_file(model).parent
    path = (folder.parent if folder.name == "onnx" else folder) / VOCABULARY
    if not is_file(path):
        return ()
    told = read_json(path)
    if not isinstance(told, dict) or not all(type(v) is int for v in told.values()):
        raise InputError(f"{path.name} does not tell signs with their numbers.", "Get it again.")
    signs = {number: sign for sign, number in told.items()}
    if max(signs, default=-1) >= channels or len(signs) < 2:
        raise InputError(
            f"{path.name} has {len(signs)} signs, but the sound model tells {channels} apart.",
            "Give the one that came with the model.",
        )
    return tuple(signs.get(number, "") for number in range(channels))


def stretches(scores: Floats, signs: tuple[str, ...]) -> list[Heard]:
    """What is said, of scores (T, C) at FEATURE_RATE: the best sign of each moment, repetitions and
    blanks left out.
    """
    best: NDArray[np.int64] = scores.argmax(1)
    changes = np.flatnonzero(np.diff(best, prepend=-1))
    parts, current, last = list[Heard](), list[tuple[float, str]](), -np.inf
    for row in changes.tolist():
        sign, time = signs[best[row]], row / FEATURE_RATE
        if not sign or (sign.startswith(("<", "[")) and len(sign) > 1):
            continue  # blank, unknown, beginnings and ends
        if current and time - last > PAUSE:
            parts.append(_stretch(current))
            current = []
        current.append((time, sign))
        last = time
    return [h for h in [*parts, *([_stretch(current)] if current else [])] if _word_count(h)]


def _stretch(marks: list[tuple[float, str]]) -> Heard:
    return Heard(marks[0][0], marks[-1][0], tuple(sign for _, sign in marks))


def _word_count(heard: Heard) -> int:
    return sum(sign not in (BREAK, SPACE) for sign in heard.signs)


def recognised_visemes(
    scores: Floats,
    signs: tuple[str, ...],
    language: str,
    by_ear: Floats,
    heard: Floats,
    placed: list[Phoneme] | None = None,
) -> tuple[Floats, int]:
    """(T, 15) of visemes: exact where something was recognised in scores (T, C), `by_ear` (T, 15)
    elsewhere; and how many stretches did not fit. `heard` (T, 15): as our own ear gives them.
    `placed` receives the sounds.
    """
    shown, missed = by_ear.copy(), 0
    for stretch in stretches(scores, signs):
        first = max(0, round((stretch.start - AROUND) * FEATURE_RATE))
        rows = slice(first, round((stretch.end + AROUND) * FEATURE_RATE) + 1)
        try:
            spoken = _spoken(stretch, signs, language)
            laid = lay(spoken, heard[rows]).phonemes if spoken else []
        except InputError:  # more sounds than fit
            missed += 1
            continue
        if placed is not None:
            placed += [later(phoneme, first / FEATURE_RATE) for phoneme in laid]
        track = viseme_track(laid, len(heard[rows]))
        shown[rows] = np.eye(by_ear.shape[1], dtype=np.float32)[track]
    return shown, missed


def _spoken(stretch: Heard, signs: tuple[str, ...], language: str) -> list[Phoneme]:
    """Letters make words, which are pronounced; other signs are IPA already."""
    if BREAK in signs:
        text = "".join(SPACE if sign == BREAK else sign for sign in stretch.signs).lower()
        return sounds_of(text, language_code(language))
    times = USUAL * np.arange(len(stretch.signs) + 1)
    return [
        Phoneme(start=float(a), end=float(b), ipa=sign, begins_word=a == 0)
        for a, b, sign in zip(times[:-1], times[1:], stretch.signs, strict=True)
        if sign != SPACE
    ]
