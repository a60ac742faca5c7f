"""When each sound of a transcript is said: as a whole, or line by line where it has times."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...formats.words_file import SpokenWord
from ...geometry.arrays import Floats
from ...protocol import InputError
from .alignment import AlignmentConfig, lay
from .espeak import speak
from .log_mel import FEATURE_RATE
from .phonemes import Phoneme, viseme_track
from .readable import language_code, readable
from .spoken_words import later, words_of
from .transcript import Line, Transcript, parse
from .transcript_trust import ADVICE, demand_pace, demand_trust

LONGEST = 1200  # seconds
AROUND = 0.5  # seconds that a line may begin before its time or end after it


@dataclass(frozen=True)
class AlignedLine:
    """A line and its sounds with their times in the whole."""

    line: Line
    phonemes: list[Phoneme]


def align_text(
    text: str,
    language: str,
    probabilities: Floats,
    config: AlignmentConfig = AlignmentConfig(),
    trusted: bool = False,
) -> list[Phoneme]:
    """The phonemes of a transcript, with or without times and names, in the sound whose visemes
    have chances (T, 15). InputError as for `align_transcript`.
    """
    if not text.strip():
        raise InputError(
            "The transcript is empty.", "Write what is said, or leave the transcript out."
        )
    lines = align_transcript(parse(text), language, probabilities, config, trusted)
    return [phoneme for line in lines for phoneme in line.phonemes]


def align_transcript(
    transcript: Transcript,
    language: str,
    probabilities: Floats,
    config: AlignmentConfig = AlignmentConfig(),
    trusted: bool = False,
) -> list[AlignedLine]:
    """The lines' phonemes with their times in the sound whose visemes have chances (T, 15).
    InputError where they can't be read, can't fit or, unless the transcript is `trusted`, where
    text and sound do not belong together.
    """
    said = _pronounced(transcript, language, len(probabilities))
    windows = _windows(transcript, len(probabilities))
    late = [number for numbers, first, last in windows if last <= first for number in numbers]
    if late and not trusted:
        begins = transcript.lines[late[0]].start or 0.0
        lasts = len(probabilities) / FEATURE_RATE
        raise InputError(
            f"A subtitle begins at {begins:.1f} s, but the sound lasts {lasts:.1f} s.", ADVICE
        )
    said = [[] if number in late else sounds for number, sounds in enumerate(said)]
    windows = [window for window in windows if window[2] > window[1]]
    spoken = [phoneme for sounds in said for phoneme in sounds]
    if spoken and not trusted:
        rows = np.concatenate([probabilities[first:last] for _, first, last in windows])
        demand_pace(spoken, len(rows))
        laid = lay(spoken, rows, config)
        demand_trust(laid, rows, lambda other, part: lay(other, part, config))
        if not transcript.timed:
            return _by_line(transcript, said, laid.phonemes)
    placed = list[Phoneme]()
    for numbers, first, last in windows:
        sounds = [phoneme for number in numbers for phoneme in said[number]]
        if sounds:
            laid = lay(sounds, probabilities[first:last], config)
            placed += [later(phoneme, first / FEATURE_RATE) for phoneme in laid.phonemes]
    return _by_line(transcript, said, placed)


def _pronounced(transcript: Transcript, language: str, rows: int) -> list[list[Phoneme]]:
    """The sounds of each line, with their usual lengths. InputError where there are none, where
    they can't be read, and where the sound has so many rows that aligning would take hours.
    """
    if rows > LONGEST * FEATURE_RATE:
        raise InputError(
            f"The sound is longer than {LONGEST // 60} minutes.",
            "Cut it into parts, each with its own transcript.",
        )
    code = language_code(language)
    said = [sounds_of(readable(line.text, language)[0], code) for line in transcript.lines]
    if not any(said):
        raise InputError(
            "Nothing of the transcript can be pronounced.", "Check the transcript and its language."
        )
    return said


def said_track(
    transcript: Transcript, language: str, heard: Floats, trusted: bool, character: str = ""
) -> tuple[NDArray[np.int64], tuple[SpokenWord, ...], dict[str, int]]:
    """(T,) visemes that the mouth of a character shows (empty: of all), its words, and of what in
    the transcript how much is not spoken.
    """
    aligned = align_transcript(transcript, language, heard, trusted=trusted)
    mine = [line for line in aligned if character in ("", line.line.speaker)]
    phonemes = [phoneme for line in mine for phoneme in line.phonemes]
    pictures = sum(len(readable(line.text, language)[1]) for line in transcript.lines)
    silent = sum(not line.phonemes for line in aligned)
    unread = {
        "signs of the transcript have no sound": pictures,
        "lines of the transcript have no sound, or begin after the sound's end": silent,
    }
    told = {k: v for k, v in unread.items() if v}
    return viseme_track(phonemes, len(heard)), words_of(phonemes), told


def sounds_of(text: str, code: str) -> list[Phoneme]:
    """Without the pauses that espeak makes."""
    return [p for p in speak(text, code)[2] if p.ipa.strip("ˈˌ")]


def _by_line(
    transcript: Transcript, said: list[list[Phoneme]], placed: list[Phoneme]
) -> list[AlignedLine]:
    lines, at = list[AlignedLine](), 0
    for line, sounds in zip(transcript.lines, said, strict=True):
        lines.append(AlignedLine(line, placed[at : at + len(sounds)]))
        at += len(sounds)
    return lines


def _windows(transcript: Transcript, count: int) -> list[tuple[list[int], int, int]]:
    """Lines that are shown together, and the first and last row in which they may be said: all
    lines and rows, where no times are told. None where these lie beyond the sound.
    """
    if not transcript.timed:
        return [(list(range(len(transcript.lines))), 0, count)]
    cues = dict[tuple[float, float], list[int]]()
    for number, line in enumerate(transcript.lines):
        cues.setdefault((line.start or 0.0, line.end or 0.0), []).append(number)
    times, windows = list(cues), list[tuple[list[int], int, int]]()
    for place, (start, end) in enumerate(times):
        before = times[place - 1][1] if place else -np.inf
        after = times[place + 1][0] if place + 1 < len(times) else np.inf
        first = max(start - AROUND, min(start, (before + start) / 2), 0.0)
        last = min(end + AROUND, max(end, (end + after) / 2), count / FEATURE_RATE)
        rows = round(first * FEATURE_RATE), round(last * FEATURE_RATE)
        windows.append((cues[(start, end)], *rows))
    return windows
