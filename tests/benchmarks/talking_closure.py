"""Do lips close on p, b and m when they should, with a transcript and by ear? On espeak's speech in
three languages, and on people's.

A closure is met where the mouth is open by less than 15 % of its usual opening at some moment
within 40 ms of the sound's middle. Precision: of the moments at which a speaking mouth shuts, how
many lie within 40 ms of such a sound.
"""

import itertools
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from helpers.textgrid import intervals

from backend.formats.arkit import BLENDSHAPES
from backend.media.sound import read_sound
from backend.talking_head.motion.universal import universal_mouth
from backend.talking_head.speech.audio_features import (
    BANDS,
    heard_visemes,
    shown_by_sound,
    speech_features,
)
from backend.talking_head.speech.espeak import speak
from backend.talking_head.speech.log_mel import FEATURE_RATE
from backend.talking_head.speech.phonemes import BILABIAL, viseme_track
from backend.talking_head.speech.synthetic_speech import at_rate
from backend.talking_head.speech.transcript_alignment import align_text
from backend.talking_head.speech.viseme_encoder import load_encoder
from backend.talking_head.speech.visemes import VISEMES
from tests.benchmarks.table import Row, Table, has

SENTENCES = {
    "en-us": (
        "My baby brother made bubbles by the pool.",
            "Please pack a brown paper bag for the summer picnic.",
              "The number of problems grew before anybody noticed.",
                  "People who climb mountains remember empty places."),
    "de": (
        "Fünf Bären putzen Pfeffer im Bummelzug.",
            "Am Montag kommt bestimmt ein großer Umbau auf uns zu.",
           "Bitte bleiben Sie noch einen Moment beim Empfang.",
               "Das Problem war, dass niemand die Lampe bemerkte."),
    "fr": (
        "Bonjour, le petit bébé mange beaucoup de pommes.",
            "Mon ami partira demain pour la montagne avec sa maman.",
           "Nous avons beaucoup parlé du problème de la banque.",
               "Il faut remplir la bouteille avant de partir."),
}  # fmt: skip
VARIANTS, NEAR, SHUT = ("", "f2", "m3"), 0.04, 0.15
OPENING = {
    "jawOpen": 1.0,
    "mouthLowerDownLeft": 0.2,
    "mouthUpperUpLeft": 0.15,
    "mouthFunnel": 0.1,
    "mouthPressLeft": -0.2,
}


@dataclass
class Counts:
    """Closures that should be, those met, those made, and those made rightly."""

    wanted: int = 0
    met: int = 0
    made: int = 0
    right: int = 0

    def add(self, probabilities: np.ndarray, features: np.ndarray, truth: list[float]) -> None:
        """Of a mouth that says visemes with chances (T, 15), and the middles of the sounds that
        shut it.
        """
        found = universal_mouth(probabilities, features[:, :BANDS])
        opened = sum(weight * found[:, BLENDSHAPES.index(name)] for name, weight in OPENING.items())
        shut = np.asarray(opened) < SHUT * np.quantile(opened, 0.95)
        speaking = probabilities[:, VISEMES.index("sil")] < 0.5
        near = [
            shut[max(0, int((t - NEAR) * FEATURE_RATE)) : int((t + NEAR) * FEATURE_RATE) + 1].any()
            for t in truth
        ]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], (shut & speaking).astype(int), [0]])))
        runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
        self.wanted, self.met, self.made = (
            self.wanted + len(truth),
            self.met + int(np.sum(near)),
            self.made + len(runs),
        )
        self.right += sum(
            any(a / FEATURE_RATE - NEAR <= t <= b / FEATURE_RATE + NEAR for t in truth)
            for a, b in runs
        )

    def report(self, case: str, cpu: float, table: Table) -> None:
        table.add(Row(case, "closures met", 100 * self.met / max(self.wanted, 1), "%", 0, cpu))
        table.add(
            Row(case, "closures that are right", 100 * self.right / max(self.made, 1), "%", 0, cpu)
        )


def run(table: Table) -> None:
    for language, sentences in SENTENCES.items():
        _espeak(language, sentences, table)
    folder = has("talking/mfa_aligned_dev")
    if folder is not None:
        _people(folder, table)
    grid = has("talking/grid_s1_32")
    if grid is not None:
        _words(grid, table)


def _exactly(text: str, language: str, probabilities: np.ndarray) -> np.ndarray:
    return np.eye(len(VISEMES), dtype=np.float32)[
        viseme_track(align_text(text, language, probabilities), len(probabilities))
    ]


def _espeak(language: str, sentences: tuple[str, ...], table: Table) -> None:
    """Voices with variants, which the aligner's own pronunciation does not have."""
    start, told, by_ear = time.process_time(), Counts(), Counts()
    for sentence, variant in itertools.product(sentences, VARIANTS):
        wave, rate, phonemes = speak(
            sentence, language + (f"+{variant}" if variant else ""), 150, 40
        )
        truth = [p.center for p in phonemes if set(p.ipa) & BILABIAL]
        features = speech_features(at_rate(wave, rate), load_encoder())
        told.add(_exactly(sentence, language, heard_visemes(features)), features, truth)
        by_ear.add(shown_by_sound(features), features, truth)
    cpu = time.process_time() - start
    told.report(f"espeak {language}, transcript", cpu, table)
    by_ear.report(f"espeak {language}, by ear", cpu, table)


def _people(folder: Path, table: Table) -> None:
    """The recording whose sounds were aligned by the Montreal Forced Aligner: 25 s, twelve
    closures.
    """
    start, told, by_ear = time.process_time(), Counts(), Counts()
    tiers = intervals(folder / "textgrid/cold_corpus.TextGrid")
    truth = [(a + b) / 2 for a, b, sound in tiers["phones"] if sound in ("P", "B", "M")]
    features = speech_features(read_sound(folder / "wav/cold_corpus.wav"), load_encoder())
    probabilities = heard_visemes(features)
    text = (folder / "lab/cold_corpus.lab").read_text()
    told.add(_exactly(text, "en-us", probabilities), features, truth)
    by_ear.add(shown_by_sound(features), features, truth)
    told.report("cold_corpus, transcript", time.process_time() - start, table)
    by_ear.report("cold_corpus, by ear", time.process_time() - start, table)
    begun = np.array([p.start for p in align_text(text, "en-us", probabilities) if p.begins_word])
    off = [np.abs(begun - a).min() * 1000 for a, _, word in tiers["words"] if word]
    table.add(
        Row("cold_corpus, transcript", "words' beginnings, median off", float(np.median(off)), "ms")
    )


def _words(folder: Path, table: Table) -> None:
    """GRID tells words alone: how far off their beginnings are."""
    off: list[float] = []
    for path in sorted((folder / "s1").glob("*.mpg")):
        told = folder / "alignments/s1" / f"{path.stem}.align"
        rows = [line.split() for line in told.read_text().splitlines()] if told.is_file() else []
        words = [
            (int(first) / 25_000, word) for first, _, word in rows if word not in ("sil", "sp")
        ]
        if words:
            text = " ".join(
                {"z": "zed"}.get(word, word) if len(word) == 1 else word for _, word in words
            )
            begun = [
                p.start
                for p in align_text(
                    text, "en", heard_visemes(speech_features(read_sound(path), load_encoder()))
                )
                if p.begins_word
            ]
            off += [abs(a - b) * 1000 for a, (b, _) in zip(begun, words, strict=False)]
    table.add(
        Row("GRID s1, transcript", "words' beginnings, median off", float(np.median(off)), "ms")
    )
    table.add(
        Row(
            "GRID s1, transcript",
            "words' beginnings, 90 % within",
            float(np.quantile(off, 0.9)),
            "ms",
        )
    )
