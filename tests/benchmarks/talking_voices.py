"""Is speech told from music and noise, in any language, and does a little noise change how far a
mouth opens? By the half that judges (voice_material.py). VAD: a voice model, as .onnx.
"""

import os
import time
from collections.abc import Callable, Iterable

import numpy as np

from backend.formats.arkit import BLENDSHAPES
from backend.media.sound import RATE
from backend.talking_head.speech.audio_features import shown_by_sound, speech_features
from backend.talking_head.speech.viseme_encoder import load_encoder
from backend.talking_head.speech.visemes import mouths
from backend.talking_head.speech.voice_activity import load_voice_model, sounds_like_speech
from tests.benchmarks.table import Row, Table, say
from tests.benchmarks.talking_closure import OPENING
from tests.benchmarks.voice_material import (
    Heard,
    in_noise,
    recordings,
    synthesised,
    voiceless_sounds,
)

JUDGES, LONGEST, WITHIN = 1, 20, 0.15


def run(table: Table) -> None:
    real, espeak = list(recordings()), list(synthesised())
    none = [h for h in voiceless_sounds() if h.half == JUDGES]
    _decide("measured rule", [*real, *espeak, *none], sounds_like_speech, table)
    if path := os.environ.get("VAD"):
        network = load_voice_model(path)
        _decide(
            "voice model",
            [*real, *espeak, *none],
            lambda samples: sounds_like_speech(samples, network),
            table,
        )
    _apertures([h for h in (*real, *espeak) if h.half == JUDGES], table)


def _decide(
    case: str, sounds: Iterable[Heard], decide: Callable[[np.ndarray], bool], table: Table
) -> None:
    start = time.process_time()
    wrong: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for heard in sounds:
        half = "judging" if heard.half == JUDGES else "finding"
        key = {"none": "taken for speech"}.get(heard.kind, f"{heard.kind} ({half}) refused")
        counts[key] = counts.get(key, 0) + 1
        if decide(heard.samples) == (heard.kind == "none"):
            wrong.setdefault(key, []).append(heard.name)
    for key, count in counts.items():
        missed = wrong.get(key, [])
        table.add(Row(case, key, len(missed), f"of {count}", 0, time.process_time() - start))
        if missed:
            say(f"  {', '.join(missed)}")


def _apertures(speech: list[Heard], table: Table) -> None:
    """How far a mouth opens in the mean, with noise of -40 dBFS against without."""
    encoder, shares = load_encoder(), []
    for heard in speech:
        clean = heard.samples[: LONGEST * RATE]
        opened = [
            _aperture(shown_by_sound(speech_features(sound, encoder))).mean()
            for sound in (clean, in_noise(clean))
        ]
        shares.append(opened[1] / opened[0])
    off = np.abs(np.array(shares) - 1)
    table.add(Row("noise of -40 dBFS", "mean aperture, worst", 100 * float(off.max()), "% off"))
    table.add(
        Row("noise of -40 dBFS", "clips within 15 %", 100 * float((off < WITHIN).mean()), "%")
    )


def _aperture(probabilities: np.ndarray) -> np.ndarray:
    found = mouths(probabilities)
    return np.asarray(sum(w * found[:, BLENDSHAPES.index(n)] for n, w in OPENING.items()))
