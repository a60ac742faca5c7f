"""Are transcripts refused that belong to another sound, and none that are right? And when do words
begin? TrustConfig was chosen on the even clips of GRID, the recordings that the Montreal aligner
comes with, and espeak in the languages of half 0; the others judge here.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from helpers.textgrid import intervals

from backend.geometry.arrays import Floats
from backend.media.sound import RATE, Samples, read_sound
from backend.protocol import InputError
from backend.talking_head.speech.audio_features import heard_visemes, speech_features
from backend.talking_head.speech.transcript_alignment import align_text
from backend.talking_head.speech.viseme_encoder import load_encoder
from tests.benchmarks.table import Row, Table, has, say
from tests.benchmarks.talking_voices import JUDGES
from tests.benchmarks.voice_material import LANGUAGES, recordings, synthesised

OTHERS = (
    "The weather will be cold and rainy until late on Thursday.",
    "She sold her old guitar to a friend in the city.",
    "Nothing in the kitchen was where we had left it.",
    "Seven ships were waiting outside the harbour.",
)
UNSAID = ("RD_Radio31_000", "RD_Radio34_002", "eng", "WDA_AlexandriaOcasioCortez_000", "1", "3")
LETTERS, LONGEST = 14, 15  # a second, of speech; seconds that are listened to


@dataclass(frozen=True)
class Case:
    """A text for a sound, and whether it is what is said there."""

    name: str
    text: str
    language: str
    heard: Floats  # (T, 15)
    right: bool


def run(table: Table) -> None:
    start, refused = time.process_time(), dict[bool, list[str]]()
    counts = {True: 0, False: 0}
    for case in _cases():
        counts[case.right] += 1
        try:
            align_text(case.text, case.language, case.heard)
        except InputError:
            refused.setdefault(case.right, []).append(case.name)
    cpu = time.process_time() - start
    accepted = counts[True] - len(refused.get(True, []))
    table.add(Row("transcripts", "right, accepted", accepted, f"of {counts[True]}", 0, cpu))
    found = len(refused.get(False, []))
    table.add(Row("transcripts", "of another sound, refused", found, f"of {counts[False]}", 0, cpu))
    if missed := refused.get(True):
        say(f"  refused: {', '.join(missed)}")
    folder = has("talking/mfa_aligned_dev")
    if folder is not None:
        _words(folder, table)


def _heard(samples: Samples) -> Floats:
    return heard_visemes(speech_features(samples[: LONGEST * RATE], load_encoder()))


def _cases() -> Iterator[Case]:
    """Texts that are said, and for every sound one that is not, about as long."""
    folder = has("talking/grid_s1_32")
    paths = [] if folder is None else sorted((folder / "s1").glob("*.mpg"))[1::2]
    for number, path in enumerate(paths):
        heard = _heard(read_sound(path))
        yield Case(path.stem, grid_text(path), "en", heard, True)
        yield Case(path.stem, OTHERS[number % len(OTHERS)], "en", heard, False)
    judging, names = [h for h in synthesised() if h.half == JUDGES], list(LANGUAGES)[6:]
    for sound in judging:
        if sound.name.endswith(" f2"):
            language = sound.name.split()[0]
            other = names[(names.index(language) + 1) % len(names)]
            heard = _heard(sound.samples)
            yield Case(sound.name, LANGUAGES[language], language, heard, True)
            yield Case(sound.name, LANGUAGES[other], other, heard, False)
    for recording in recordings():
        if recording.name in UNSAID:
            heard = _heard(recording.samples)
            text = (" ".join(OTHERS) * 2)[: len(heard) * LETTERS // 100]
            yield Case(recording.name, text, "en-us", heard, False)


def grid_text(path: Path) -> str:
    """What is said in a clip of GRID."""
    told = path.parents[1] / "alignments/s1" / f"{path.stem}.align"
    words = [line.split()[2] for line in told.read_text().splitlines()]
    return " ".join({"z": "zed"}.get(w, w) for w in words if w not in ("sil", "sp"))


def _words(folder: Path, table: Table) -> None:
    """Against the Montreal aligner's tier of words: each against the nearest of ours."""
    tiers = intervals(folder / "textgrid/cold_corpus.TextGrid")
    truth = np.array([a for a, _, word in tiers["words"] if word])
    heard = heard_visemes(
        speech_features(read_sound(folder / "wav/cold_corpus.wav"), load_encoder())
    )
    text = (folder / "lab/cold_corpus.lab").read_text(encoding="utf-8")
    begun = np.array([p.start for p in align_text(text, "en-us", heard) if p.begins_word])
    off = np.array([np.abs(begun - a).min() * 1000 for a in truth])
    for metric, value in (
        ("words' beginnings, median off", np.median(off)),
        ("words' beginnings, 90 % within", np.quantile(off, 0.9)),
    ):
        table.add(Row("mfa_aligned_dev", metric, float(value), "ms"))
