"""Sound to features to motion: exact times at any sample and frame rate, bad files, and something
to learn.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import tiny_onnx
from helpers.sounds import write_wav

from backend.media.sound import RATE, read_sound
from backend.protocol import InputError
from backend.talking_head.motion.motion_training import (
    MotionTrainingConfig,
    train,
    translate,
)
from backend.talking_head.motion.motion_translator import (
    MotionTranslator,
    MotionTranslatorConfig,
    sampled,
)
from backend.talking_head.motion.speech_clip import SpeechClip, still_face
from backend.talking_head.speech.audio_features import CHANNELS, silence, speech_features
from backend.talking_head.speech.log_mel import FEATURE_RATE, LogMelConfig, filters, log_mel
from backend.talking_head.speech.pauses import resting_in_pauses
from backend.talking_head.speech.pretrained import load_pretrained
from backend.talking_head.speech.viseme_encoder import load_encoder


def listen(samples: np.ndarray) -> np.ndarray:
    return speech_features(samples.astype(np.float32), load_encoder())


@pytest.mark.parametrize(
    ("rate", "width", "channels"), [(8000, 1, 1), (16000, 2, 1), (44100, 2, 2), (96000, 2, 2)]
)
def test_a_click_is_heard_when_it_happens(
    tmp_path: Path, rate: int, width: int, channels: int
) -> None:
    samples = np.zeros((rate * 2, channels))
    samples[int(1.25 * rate) : int(1.25 * rate) + rate // 100] = 0.8 * np.sign(
        np.random.default_rng(0).normal(size=(rate // 100, channels))
    )
    found = read_sound(write_wav(tmp_path / "click.wav", samples, rate, width))
    assert (
        abs(len(found) - 2 * RATE) <= RATE // 100
        and abs(np.abs(found).argmax() / RATE - 1.255) < 0.01
    )
    features = log_mel(found)
    assert len(features) == len(found) // 160 + 1
    loud = features.max(1)
    assert abs(loud.argmax() / FEATURE_RATE - 1.255) <= 0.011


def test_what_is_no_sound_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound at all")
    whole = write_wav(tmp_path / "whole.wav", np.zeros((RATE, 1)), RATE).read_bytes()
    (tmp_path / "head.wav").write_bytes(whole[:20])
    write_wav(tmp_path / "empty.wav", np.zeros((0, 1)), RATE)
    for name in ("text", "head", "empty", "absent"):
        with pytest.raises(InputError):
            read_sound(tmp_path / f"{name}.wav")


def test_silence_and_single_samples_have_features() -> None:
    for count in (0, 1, 159, 160, 16000):
        features = log_mel(np.zeros(count, np.float32))
        assert features.shape == (count // 160 + 1, 80)
        np.testing.assert_allclose(features, np.log(1e-6), rtol=1e-5)


def test_bands_are_triangles_between_neighbours() -> None:
    config = LogMelConfig(bands=20)
    found = filters(config).numpy()
    assert found.shape == (20, 257) and (found >= 0).all() and (found.max(1) > 0).all()
    peaks = found.argmax(1) * RATE / 512
    assert (np.diff(peaks) > 0).all() and peaks[0] < 300 and 5500 < peaks[-1] < 7600
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)
    heard = log_mel(tone, config)[50]
    assert abs(peaks[heard.argmax()] - 1000) < 150


def test_rows_are_sampled_between_moments() -> None:
    rows = torch.arange(10.0)[None, None]
    np.testing.assert_allclose(
        sampled(rows, torch.tensor([[0, 2.5, 9.0, 99, -3]]))[0, :, 0], [0, 2.5, 9, 9, 0]
    )


def speech(seconds: float, seed: int, rate: float) -> SpeechClip:
    """A face that opens with the loudness and rounds with the pitch of a made-up voice; motion at
    any frame rate.
    """
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    slow = [
        np.interp(
            t, np.arange(0, seconds + 1, 0.15), random.random(len(np.arange(0, seconds + 1, 0.15)))
        )
        for _ in range(2)
    ]
    voice = slow[0] * np.sin(2 * np.pi * np.cumsum(300 + 2000 * slow[1]) / RATE) * 0.5
    frames = np.arange(int(seconds * rate)) / rate
    motion = np.stack([np.interp(frames, t, slow[0]), np.interp(frames, t, slow[1])], 1)
    return SpeechClip(listen(voice), motion.astype(np.float32), rate)


@pytest.mark.whole
def test_motion_is_learned_at_any_frame_rate_and_does_not_drift() -> None:
    config = MotionTranslatorConfig(coefficients=2, hidden=32, dropout=0.1)
    rest = np.array([0.0, 0.5], np.float32)
    model = train(
        [speech(30, 0, 25), speech(20, 1, 29.97)],
        config,
        MotionTrainingConfig(steps=200, masks=0),
        rest,
    )
    unheard = speech(70, 2, 60)  # longer than a part
    times = np.arange(len(unheard.motion)) / 60
    found = translate(model, unheard.features, times)
    for k, bar in ((0, 0.8), (1, 0.5)):
        assert np.corrcoef(found[:, k], unheard.motion[:, k])[0, 1] > bar
    lags = [
        np.corrcoef(found[60 + lag : -60 + lag, 0], unheard.motion[60:-60, 0])[0, 1]
        for lag in range(-12, 13)
    ]
    assert abs(int(np.argmax(lags)) - 12) <= 3, "within a twentieth of a second, a minute on"
    thinned = translate(model, unheard.features, times[::2])
    np.testing.assert_allclose(thinned, found[::2], atol=2e-3)
    still = translate(model, listen(np.zeros(48_000)), np.arange(60) / 30)
    assert np.abs(np.diff(still[5:-5], axis=0)).max() < 0.02, "silence moves nothing"


def test_equal_seeds_give_equal_translators() -> None:
    clips, config = [speech(8, 0, 30)], MotionTranslatorConfig(coefficients=2, hidden=8)
    first, again, other = (
        train(clips, config, MotionTrainingConfig(steps=3, seed=seed)) for seed in (0, 0, 1)
    )
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)
    )
    assert not all(
        torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True)
    )


def test_too_little_to_learn_from_is_said() -> None:
    with pytest.raises(InputError, match="less than five seconds"):
        train([speech(2, 0, 25)], MotionTranslatorConfig(coefficients=2))
    model = MotionTranslator(MotionTranslatorConfig(coefficients=2)).eval()
    assert translate(model, listen(np.zeros(1600)), np.zeros(0)).shape == (0, 2)
    assert np.isfinite(translate(model, listen(np.zeros(1600)), np.array([0.0, 500.0]))).all(), (
        "beyond the end it holds"
    )


def test_a_network_of_the_user_is_heard_in_time(tmp_path: Path) -> None:
    path = tiny_onnx.loudness(tmp_path / "wav2vec.onnx")
    samples = np.zeros(RATE * 45, np.float32)
    for second in (1.5, 19.9, 20.2, 40.05):  # about the borders of the parts, too
        samples[int(second * RATE) : int((second + 0.1) * RATE)] = 0.5
    features = speech_features(samples, load_encoder(), load_pretrained(str(path)))
    assert features.shape == (len(samples) // 160 + 1, CHANNELS + 2)
    loud = features[:, CHANNELS] > features[:, CHANNELS].max() / 2
    starts = np.flatnonzero(np.diff(loud.astype(int)) == 1) / FEATURE_RATE
    np.testing.assert_allclose(starts, [1.5, 19.9, 20.2, 40.05], atol=0.021)
    np.testing.assert_allclose(features[:, CHANNELS + 1], 1, atol=1e-5)
    assert silence(features).shape == (CHANNELS + 2,)
    motion = np.stack([features[::4, CHANNELS], -features[::4, CHANNELS]], 1)
    model = train(
        [SpeechClip(features, motion, 25.0)],
        MotionTranslatorConfig(channels=CHANNELS + 2, coefficients=2),
        MotionTrainingConfig(steps=5),
    )
    assert np.isfinite(translate(model, features, np.arange(100) / 25)).all()


def test_networks_that_are_none_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    tiny_onnx.doubling(tmp_path / "flat.onnx")
    for name, word in (
        ("text.onnx", "no ONNX"),
        ("absent.onnx", "There is no"),
        ("flat.onnx", "not a sound model"),
    ):
        with pytest.raises(InputError, match=word):
            speech_features(
                np.zeros(RATE, np.float32),
                load_encoder(),
                load_pretrained(str(tmp_path / name)),
            )


def test_the_distance_of_the_lips_is_learned_first() -> None:
    """Two coefficients wander, which no sound tells; what lies between them is heard. It comes out
    better when it is asked for.
    """
    random = np.random.default_rng(0)
    features = listen(
        np.repeat(random.uniform(0, 1, 300), 1600) * random.normal(size=480_000) * 0.1
    )
    rows = int(len(features) / FEATURE_RATE * 25)
    gap = features[(np.arange(rows) * FEATURE_RATE / 25).astype(int), 40]
    wander = random.normal(size=rows) * 10
    motion = np.stack([wander + (gap - gap.mean()) / gap.std(), wander], 1).astype(np.float32)
    lips, errors = np.array([1.0, -1.0], np.float32), []
    for asked in (None, lips):
        config = MotionTranslatorConfig(coefficients=2, hidden=8, dilations=(1,), dropout=0.0)
        model = train(
            [SpeechClip(features, motion, 25.0)],
            config,
            MotionTrainingConfig(steps=20, lips=5.0, loudness=0.0, masks=0),
            lips=asked,
        )
        errors.append(
            float(
                (((translate(model, features, np.arange(rows) / 25) - motion) @ lips) ** 2).mean()
            )
        )
    assert errors[1] < 0.7 * errors[0], errors


def test_the_still_face_is_that_of_the_pauses() -> None:
    features = listen(
        np.repeat([0.0, 0.3, 0.0, 0.3], RATE) * np.random.default_rng(0).normal(size=4 * RATE)
    )
    motion = np.repeat([[0.1], [0.9], [0.1], [0.9]], 25, 0).astype(np.float32)
    np.testing.assert_allclose(still_face([SpeechClip(features, motion, 25.0)]), [0.1])
    breath = motion.copy()
    breath[8:12] = 0.6  # the lips part in a pause: rest is where they are shut
    lips = np.ones(1, np.float32)
    np.testing.assert_allclose(still_face([SpeechClip(features, breath, 25.0)], lips, 0.5), [0.1])


def test_a_face_rests_in_pauses() -> None:
    features = listen(
        np.repeat([0.3, 0.0, 0.3], RATE) * np.random.default_rng(0).normal(size=3 * RATE)
    )
    motion = np.random.default_rng(1).normal(size=(len(features), 4)).astype(np.float32)
    rest = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    found = resting_in_pauses(motion, features, rest)
    np.testing.assert_allclose(found[130:170], np.tile(rest, (40, 1)), atol=1e-3)
    np.testing.assert_allclose(found[:80], motion[:80], atol=1e-2)
    np.testing.assert_allclose(found[225:], motion[225:], atol=1e-2)
    assert resting_in_pauses(motion[:0], features[:0], rest).shape == (0, 4)
