"""Motion that is made as large and as quick as its speaker's; clips of one speaker, pooled."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from backend.protocol import InputError
from backend.talking_head.motion.matched_training import train_matched
from backend.talking_head.motion.matching import Unlearned, fit_matching, matched
from backend.talking_head.motion.motion_training import MotionTrainingConfig, speak
from backend.talking_head.motion.motion_translator import (
    MATCHING,
    MotionTranslator,
    MotionTranslatorConfig,
)
from backend.talking_head.motion.speaker_file import load_speaker, save_speaker
from backend.talking_head.motion.speech_clip import SpeechClip
from backend.talking_head.speech.audio_features import CHANNELS
from backend.talking_head.speech.log_mel import FEATURE_RATE
from backend.talking_head.speech.smoothing import smoothed

LIPS = np.array([1.0, 0.0, -0.3], np.float32)


def filmed_and_mumbled(seed: int, seconds: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """(T, 3) of a face at FEATURE_RATE, and the same shrunken and slowed, as it is learned."""
    random = np.random.default_rng(seed)
    wander = smoothed(random.normal(size=(seconds * FEATURE_RATE, 3)), 6) * 2.0
    face = (0.3 + 0.3 * wander).clip(0, 1).astype(np.float32)
    missed = 0.02 * smoothed(random.normal(size=face.shape), 10)
    return face, (0.15 + 0.5 * smoothed(face, 5) + missed).astype(np.float32)


def test_a_mumbling_decoder_speaks_as_large_and_as_quick_as_was_filmed() -> None:
    model = MotionTranslator(MotionTranslatorConfig(coefficients=3))
    face, mumbled = filmed_and_mumbled(0)
    np.testing.assert_array_equal(matched(mumbled, model), mumbled)
    fit_matching(model, [Unlearned(mumbled, face[::4], FEATURE_RATE / 4)], LIPS)
    face, mumbled = filmed_and_mumbled(1)
    found = matched(mumbled, model)
    for of in (lambda v: v, lambda v: np.diff(v, axis=0), lambda v: v @ LIPS):
        before, after = (of(v).std() / of(face).std() for v in (mumbled, found))
        assert before < 0.65 and 0.85 < after < 1.15
    assert np.corrcoef(found[:, 0], face[:, 0])[0, 1] > 0.8
    assert found.min() >= 0 and found.max() <= 1, "no further than ever filmed"


def sharpness(motion: np.ndarray) -> float:
    """How sharply the lips' distance turns."""
    return float(np.abs(np.diff(motion @ LIPS, 2)).mean())


def test_lips_turn_as_sharply_as_filmed_where_sound_says_how() -> None:
    model = MotionTranslator(MotionTranslatorConfig(coefficients=3))
    face, mumbled = filmed_and_mumbled(0)
    fit_matching(model, [Unlearned(mumbled, face, FEATURE_RATE)], LIPS)
    face, mumbled = filmed_and_mumbled(1)
    found = matched(mumbled, model)
    assert float(model.sharp[0]) > 0.3
    assert sharpness(mumbled) < 0.4 * sharpness(face) < 0.85 * sharpness(found)
    flat = model.sharp.clone()
    with torch.no_grad():
        model.sharp.zero_()
    softer = matched(mumbled, model)
    with torch.no_grad():
        model.sharp.copy_(flat)
    alike = [np.corrcoef(rows @ LIPS, face @ LIPS)[0, 1] for rows in (softer, found)]
    assert sharpness(found) > 1.2 * sharpness(softer) and alike[1] > alike[0] - 0.02


def test_quick_motion_that_sound_does_not_tell_is_not_added() -> None:
    model = MotionTranslator(MotionTranslatorConfig(coefficients=3))
    face = filmed_and_mumbled(0)[0]
    random = np.random.default_rng(5)
    restless = smoothed(random.normal(size=face.shape), 2).astype(np.float32)
    soft = smoothed(face, 20) + 0.05 * restless
    fit_matching(model, [Unlearned(soft, face, FEATURE_RATE)], LIPS)
    rows = matched(soft, model) @ LIPS
    with torch.no_grad():
        model.sharp.zero_()
    plain = matched(soft, model) @ LIPS
    alike = [np.corrcoef(v, face @ LIPS)[0, 1] for v in (plain, rows)]
    assert alike[1] > alike[0] - 0.02


def test_a_still_face_and_no_lips_are_matched_too() -> None:
    model = MotionTranslator(MotionTranslatorConfig(coefficients=3))
    still = np.full((500, 3), 0.2, np.float32)
    fit_matching(model, [Unlearned(still, still[::4], 25.0)], LIPS)
    np.testing.assert_allclose(matched(still, model), still, atol=1e-6)
    fit_matching(model, [Unlearned(still, still[::4], 25.0)], None)
    assert np.isfinite(matched(filmed_and_mumbled(0)[1], model)).all()


def test_clips_are_pooled_and_the_rest_of_them_matches(tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def clip(seconds: float, rate: float) -> SpeechClip:
        features = random.normal(size=(int(seconds * FEATURE_RATE), CHANNELS)).astype(np.float32)
        motion = random.random((int(seconds * rate), 2)).astype(np.float32)
        return SpeechClip(features, motion, rate)

    config = MotionTranslatorConfig(coefficients=2, hidden=8, dilations=(1,))
    training, told = MotionTrainingConfig(steps=5), list[float]()
    rest = np.array([0.1, 0.2], np.float32)
    model = train_matched([clip(5, 25), clip(6, 30)], config, training, rest, progress=told.append)
    pause = np.full((3 * FEATURE_RATE, CHANNELS), -13, np.float32)
    np.testing.assert_allclose(speak(model, pause)[150], rest, atol=1e-6)
    assert float(model.most.max()) <= 1 and told == sorted(told)
    short = train_matched([clip(6, 25)], config, training)
    assert bool((short.gain == 1).all()), "too little to keep some of it back"
    path = tmp_path / "speaker.safetensors"
    save_speaker(model, ["jawOpen", "mouthPucker"], path)
    again, _ = load_speaker(path)
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True)
    )
    _without_matching(path)
    old, _ = load_speaker(path)
    assert bool((old.gain == 1).all()), "a speaker of before moves as it did"


def _without_matching(path: Path) -> None:
    with safe_open(path, "pt") as file:
        meta = file.metadata()
    save_file({n: t for n, t in load_file(path).items() if n not in MATCHING}, path, meta)


def test_too_little_is_still_refused() -> None:
    with pytest.raises(InputError, match="less than five seconds"):
        train_matched([], MotionTranslatorConfig(coefficients=2))
