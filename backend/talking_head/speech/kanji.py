"""Japanese with kanji as it is read, by pykakasi's dictionary, which is loaded when needed."""

import re
from functools import cache
from typing import Any

from ...protocol import SetupError

KANJI = re.compile("[\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
JAPANESE = re.compile(f"(?:{KANJI.pattern}|[\u3041-\u30ff])+")
PARTICLES = {"は": "わ", "へ": "え"}  # written otherwise than they are said


@cache
def _reader() -> Any:
    try:
        import pykakasi
    except ImportError as error:
        raise SetupError(
            "What reads kanji (pykakasi) is missing.",
            "Set up the compute environment again, or write the transcript in kana.",
        ) from error
    return pykakasi.kakasi()


def has_kanji(text: str) -> bool:
    """Whether espeak can't read the text as Japanese."""
    return KANJI.search(text) is not None


def in_kana(text: str) -> str:
    """The text in kana, its words apart. A dictionary's readings: which of several is meant, it
    can't know. SetupError where the dictionary is not installed.
    """
    if not has_kanji(text):
        return text
    return JAPANESE.sub(lambda run: _read(run.group()), text).strip()


def _read(run: str) -> str:
    """One run of Japanese letters: what else is in a text, the dictionary would leave out."""
    words = [(str(word["orig"]), str(word["hira"])) for word in _reader().convert(run)]
    return "".join(f" {_said(written, read)}" for written, read in words if read.strip()) + " "


def _said(written: str, read: str) -> str:
    """は and へ are said as わ and え where they follow a word, alone or with it: 私は, 今日は."""
    last = written[-1]
    follows = len(written) == 1 or (has_kanji(written) and not has_kanji(last))
    return read[:-1] + PARTICLES[last] if last in PARTICLES and follows else read
