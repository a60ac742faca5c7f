"""Sound to facial motion on speech with hand-corrected curves. SEEDS."""

import os
import time

import numpy as np

from backend.media.sound import read_sound
from backend.talking_head.motion.motion_training import MotionTrainingConfig, train, translate
from backend.talking_head.motion.motion_translator import MotionTranslator, MotionTranslatorConfig
from backend.talking_head.motion.speech_clip import SpeechClip
from backend.talking_head.speech.audio_features import speech_features
from backend.talking_head.speech.log_mel import FEATURE_RATE
from backend.talking_head.speech.viseme_encoder import load_encoder
from tests.benchmarks.table import Row, Table, has

SEEDS = [int(s) for s in os.environ.get("SEEDS", "0,1,2").split(",")]
RATE, LEARNED, JAW = 30.0, 0.8, "mouth_stretch_c"  # what opens the jaw in these curves


def run(table: Table) -> None:
    folder = has("talking/audio_to_blendshapes")
    if folder is None:
        return
    clips, encoder = [], load_encoder()
    for path in sorted(folder.glob("*.wav")):
        curves = np.load(folder / f"curves_{path.stem}.npz")
        features, motion = (
            speech_features(read_sound(path), encoder),
            curves["weights"].astype(np.float32),
        )
        n = min(len(motion), int(len(features) / FEATURE_RATE * RATE))
        names = [str(name) for name in curves["names"]]
        clips.append((path.stem, SpeechClip(features, motion[:n], RATE)))
    active = np.concatenate([c.motion for _, c in clips]).std(0) > 0.01
    clips = [(name, SpeechClip(c.features, c.motion[:, active], RATE)) for name, c in clips]
    jaw = [name for name, moves in zip(names, active, strict=True) if moves].index(JAW)
    for seed in SEEDS:
        _in_speaker(clips, jaw, seed, table)
        _unseen_clip(clips, jaw, seed, table)


def _head(clip: SpeechClip, share: float) -> SpeechClip:
    n = int(len(clip.motion) * share)
    return SpeechClip(clip.features[: int(n / RATE * FEATURE_RATE)], clip.motion[:n], RATE)


def _learn(clips: list[SpeechClip], seed: int) -> tuple[MotionTranslator, float]:
    start = time.process_time()
    config = MotionTranslatorConfig(coefficients=clips[0].motion.shape[1])
    return train(clips, config, MotionTrainingConfig(seed=seed)), time.process_time() - start


def _in_speaker(clips: list[tuple[str, SpeechClip]], jaw: int, seed: int, table: Table) -> None:
    model, cpu = _learn([_head(c, LEARNED) for _, c in clips], seed)
    found, truth = [], []
    for _, clip in clips:
        first = int(len(clip.motion) * LEARNED)
        found.append(translate(model, clip.features, np.arange(len(clip.motion)) / RATE)[first:])
        truth.append(clip.motion[first:])
    _report("last fifth of 7 clips", found, truth, jaw, seed, cpu, table)


def _unseen_clip(clips: list[tuple[str, SpeechClip]], jaw: int, seed: int, table: Table) -> None:
    """The last clip, in another manner of speaking."""
    model, cpu = _learn([c for _, c in clips[:-1]], seed)
    clip = clips[-1][1]
    _report(
        "an unseen clip",
        [translate(model, clip.features, np.arange(len(clip.motion)) / RATE)],
        [clip.motion],
        jaw,
        seed,
        cpu,
        table,
    )


def _report(
    case: str,
    found: list[np.ndarray],
    truth: list[np.ndarray],
    jaw: int,
    seed: int,
    cpu: float,
    table: Table,
) -> None:
    p, t = np.concatenate(found), np.concatenate(truth)
    centered = (p - p.mean(0)), (t - t.mean(0))
    r = (centered[0] * centered[1]).sum(0) / np.sqrt(
        (centered[0] ** 2).sum(0) * (centered[1] ** 2).sum(0) + 1e-12
    )
    weights = t.var(0) / t.var(0).sum()
    jitter = sum(np.abs(np.diff(f, 2, axis=0)).sum() for f in found) / sum(
        np.abs(np.diff(f, 2, axis=0)).sum() for f in truth
    )
    explained = 1 - ((p - t) ** 2).sum() / (centered[1] ** 2).sum()
    for metric, value in (
        ("weighted correlation", (r * weights).sum()),
        ("jaw correlation", r[jaw]),
        ("explained variance", explained),
        ("jitter against truth", jitter),
    ):
        table.add(Row(case, metric, float(value), "", seed, cpu))
