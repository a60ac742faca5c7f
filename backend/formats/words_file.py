"""Words and their sounds with their times, as a speech leaves them and takes them again once an
artist has moved some. Standard library only: Blender's side reads and writes them, too.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..protocol import InputError
from .json_file import read_record

NAME = "words.json"
MOST, LONGEST = 200_000, 100_000.0  # sounds; seconds
MOST_LETTERS = 200  # of a word


@dataclass(frozen=True)
class SpokenSound:
    """A sign of IPA; times in seconds of the sound file."""

    ipa: str
    start: float
    end: float


@dataclass(frozen=True)
class SpokenWord:
    """A word; its sounds may begin before it, or end after it, once they are moved."""

    text: str
    start: float
    end: float
    sounds: tuple[SpokenSound, ...]


def write(path: Path, words: tuple[SpokenWord, ...]) -> None:
    """Writes words as JSON."""
    told = {"note": "Words with their sounds, in seconds.", "words": [asdict(w) for w in words]}
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


def read(path: Path) -> tuple[SpokenWord, ...]:
    """InputError for anything else."""
    told = read_record(path).get("words")
    try:
        return words_from(told)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path.name} holds no words with their times.", "Speak again, and bake then."
        ) from error


def words_from(told: Any) -> tuple[SpokenWord, ...]:
    """Of plain values, as JSON has them. ValueError, TypeError, KeyError or AttributeError for
    others.
    """
    words = tuple(
        SpokenWord(
            _text(word["text"]),
            *_times(word),
            tuple(SpokenSound(_text(s["ipa"]), *_times(s)) for s in word["sounds"]),
        )
        for word in told
    )
    if sum(len(word.sounds) for word in words) > MOST:
        raise ValueError("too many sounds")
    return words


def _times(told: Any) -> tuple[float, float]:
    start, end = float(told["start"]), float(told["end"])
    if not (math.isfinite(start) and math.isfinite(end) and -LONGEST < start < end < LONGEST):
        raise ValueError("no times")
    return start, end


def _text(told: Any) -> str:
    if not isinstance(told, str) or len(told) > MOST_LETTERS:
        raise ValueError("no text")
    return told
