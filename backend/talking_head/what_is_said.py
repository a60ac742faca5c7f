"""What is said in the verb `speech`, and how each sound shows: by a transcript, by words that an
artist has moved, by a recogniser, or by ear.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..formats import words_file
from ..formats.gate import is_file, read_text
from ..formats.words_file import SpokenWord
from ..geometry.arrays import Floats
from ..protocol import InputError
from ..runtime.job import Job
from .speech.audio_features import CHANNELS, heard_visemes, shown_by_sound
from .speech.kanji import has_kanji
from .speech.phonemes import Phoneme
from .speech.readable import base_language, readable
from .speech.recognised import recognised_visemes, vocabulary
from .speech.spoken_words import track_of, words_of
from .speech.transcript import Transcript, parse
from .speech.transcript_alignment import said_track
from .speech.visemes import VISEMES
from .speech_verb import SpeechOptions

SHOWN = 8  # notes and names in a sentence
FILES = (".srt", ".vtt", ".txt")  # a text that ends so, in one word, names a file


@dataclass(frozen=True)
class Known:
    """What is known before anything is heard: a transcript, words with times, or neither."""

    script: Transcript | None
    words: tuple[SpokenWord, ...] | None

    @property
    def exact(self) -> bool:
        """Whether lips close where it says so."""
        return self.script is not None or self.words is not None


@dataclass(frozen=True)
class Said:
    """Chances of visemes, and the words that they are of, where these are known."""

    probabilities: Floats  # (T, 15) at FEATURE_RATE
    words: tuple[SpokenWord, ...]


def known_before(job: Job[SpeechOptions]) -> Known:
    """InputError for files that can't be read, and transcripts in which nobody speaks."""
    if job.options.words:
        return Known(None, words_file.read(Path(job.options.words)))
    return Known(_transcript(job), None)


def said(job: Job[SpeechOptions], features: Floats, known: Known) -> Said:
    """By ear, or exactly, where it is known what is said. InputError as for `align_transcript`."""
    if known.words is not None:
        return Said(_certain(track_of(known.words, len(features))), known.words)
    if known.script is None:
        return _by_ear(job, features)
    track, words, unread = said_track(
        known.script,
        job.options.language,
        heard_visemes(features),
        job.options.trust_transcript,
        job.options.character,
    )
    for reason, count in unread.items():
        job.warn("TRANSCRIPT", f"{count} {reason}.")
    return Said(_certain(track), words)


def _certain(track: NDArray[np.int64]) -> Floats:
    return np.eye(len(VISEMES), dtype=np.float32)[track]


def _by_ear(job: Job[SpeechOptions], features: Floats) -> Said:
    """Visemes as they are heard: by our own ear or, where the sound model tells what is
    said, by both.
    """
    shown, model = shown_by_sound(features), job.options.sound_model
    scores = features[:, CHANNELS:]
    if not model or job.options.speaker:
        return Said(shown, ())
    signs = vocabulary(model, scores.shape[1])
    if not signs:
        job.warn(
            "SOUND_MODEL",
            "Without a speaker this sound model changes nothing: no vocab.json beside it says what "
            "it hears.",
        )
        return Said(shown, ())
    placed = list[Phoneme]()
    exact, missed = recognised_visemes(
        scores, signs, job.options.language, shown, heard_visemes(features), placed
    )
    if missed:
        job.warn("RECOGNISED", f"{missed} stretches are moved by ear: too much was recognised.")
    return Said(exact, words_of(placed))


def _transcript(job: Job[SpeechOptions]) -> Transcript | None:
    """What is said, if it is told; what of it is not spoken is named."""
    if not job.options.transcript:
        return None
    script, who = parse(_text(job.options.transcript)), job.options.character
    if script.notes:
        shown = ", ".join(list(dict.fromkeys(script.notes))[:SHOWN])
        job.warn("NOTES", f"Notes in the transcript are not spoken ({len(script.notes)}): {shown}.")
    if not script.lines:
        raise InputError(
            "The transcript holds nothing that is spoken.", "Leave it out to go by ear."
        )
    if who and who not in script.speakers:
        raise InputError(
            f"Nobody called {who} speaks in the transcript.",
            f"Its names: {', '.join(script.speakers) or 'none'}.",
        )
    if base_language(job.options.language) == "ja":
        for line in [line.text for line in script.lines if has_kanji(line.text)][:SHOWN]:
            job.warn(
                "KANJI",
                f"{line} is read as {readable(line, 'ja')[0]}. Where that is wrong, write kana.",
            )
    if len(script.speakers) > 1 and not who:
        job.warn(
            "SPEAKERS",
            f"The face says the lines of all: {', '.join(script.speakers[:SHOWN])}. Name one with "
            "--character (Character).",
        )
    return script


def _text(given: str) -> str:
    """A transcript, or what stands in the file that it names."""
    path = Path(given) if given and len(given) < 1000 and "\n" not in given else None
    named = path and " " not in path.name and (path.suffix.lower() in FILES or path.is_absolute())
    if path and named and not is_file(path):
        raise InputError(
            f"There is no file {given}.", "Choose the transcript again, or give the text itself."
        )
    try:
        return read_text(path) if path and is_file(path) else given
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"{given} can't be read as text.", "Give a plain text file in UTF-8."
        ) from error
