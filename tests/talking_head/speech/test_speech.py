"""Speech to mouths: phonemes with times, visemes that close, transcripts that are aligned, keys
that lose nothing.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import refusal, run
from helpers.sounds import write_wav

from backend.formats import live_link_csv, motion_file
from backend.formats.arkit import BLENDSHAPES, mirrored
from backend.formats.motion_file import Curve, Motion
from backend.protocol import InputError
from backend.talking_head.motion.idle import blinks, sway
from backend.talking_head.motion.keys import curves_of, reduced, sparse_tolerance
from backend.talking_head.motion.motion_output import frame_times
from backend.talking_head.speech.encoder_training import EncoderTrainingConfig, train_encoder
from backend.talking_head.speech.espeak import speak
from backend.talking_head.speech.phonemes import BILABIAL, Phoneme, viseme_track
from backend.talking_head.speech.synthetic_speech import LEAD_IN, at_rate, heard, utterance
from backend.talking_head.speech.transcript_alignment import align_text
from backend.talking_head.speech.viseme_encoder import (
    load_encoder,
    save_encoder,
    viseme_probabilities,
)
from backend.talking_head.speech.visemes import VISEMES, VisemeStyle, closed_on, mouths, pose_table

SENTENCES = {"en-us":
    "My baby brother made bubbles by the pool.", "de": "Fünf Bären putzen Pfeffer im Bummelzug.",
             "fr": "Bonjour, le petit bébé mange beaucoup de pommes."}  # fmt: skip
JAW = BLENDSHAPES.index("jawOpen")


def openness(coefficients: np.ndarray) -> np.ndarray:
    """(T,) of the mouth: the jaw's, and what the lips do of their own."""
    weight = {
        "jawOpen": 1.0,
        "mouthLowerDownLeft": 0.2,
        "mouthUpperUpLeft": 0.15,
        "mouthFunnel": 0.1,
        "mouthPressLeft": -0.2,
    }
    return np.stack([w * coefficients[:, BLENDSHAPES.index(n)] for n, w in weight.items()]).sum(0)


def test_espeak_says_when_each_sound_is_made() -> None:
    wave, rate, phonemes = speak("Papa", "en-us")
    assert (
        next(p.ipa for p in phonemes if p.ipa) == "p"
        and phonemes[-1].end <= len(wave) / rate + 1e-6
    )
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(phonemes))
    again = [p.ipa for p in phonemes].index("p", 1)
    middle = wave[int(phonemes[again].start * rate) : int((phonemes[again].start + 0.02) * rate)]
    assert np.abs(middle).mean() < 0.3 * np.abs(wave).mean()  # lips are shut
    with pytest.raises(InputError, match="elvish"):
        speak("mellon", "elvish")


def test_diphthongs_are_two_visemes() -> None:
    assert Phoneme(start=0, end=1, ipa="ˈaɪ").visemes == ["aa", "ih"] and Phoneme(
        start=0, end=1, ipa="tʃ"
    ).visemes == [
        "DD",
        "CH",
    ]
    track = viseme_track([Phoneme(start=0.1, end=0.3, ipa="aɪ")], 50)
    assert (
        (track[10:20] == VISEMES.index("aa")).all()
        and (track[20:30] == VISEMES.index("ih")).all()
        and track[40] == 0
    )


def test_lips_close_between_vowels() -> None:
    probabilities = np.eye(len(VISEMES), dtype=np.float32)[
        [VISEMES.index("aa")] * 20 + [VISEMES.index("PP")] * 8 + [VISEMES.index("aa")] * 20
    ]
    found = openness(mouths(probabilities))
    assert found[5] > 0.3 and found[18:28].min() < 0.15 * found[5]
    loose = openness(mouths(probabilities, style=VisemeStyle(closure=0.1)))
    assert loose[18:28].min() > found[18:28].min()
    elsewhere = np.zeros((48, len(BLENDSHAPES)), np.float32)
    elsewhere[:, JAW] = 0.4
    assert (
        closed_on(elsewhere, probabilities)[18:28, JAW].min() < 0.08
        and abs(closed_on(elsewhere, probabilities)[2, JAW] - 0.4) < 1e-3
    )


def test_both_sides_of_the_face_do_the_same() -> None:
    table = pose_table()
    for column, name in enumerate(BLENDSHAPES):
        np.testing.assert_array_equal(table[:, column], table[:, BLENDSHAPES.index(mirrored(name))])


@pytest.mark.parametrize("language", SENTENCES)
def test_a_transcript_is_aligned_and_lips_close(language: str) -> None:
    """By a voice with a variant, which the aligner's own pronunciation does not have."""
    wave, rate, phonemes = speak(SENTENCES[language], f"{language}+f2", 150, 40)
    features = heard(at_rate(wave, rate), phonemes).features
    probabilities = viseme_probabilities(load_encoder(), features)
    aligned = align_text(SENTENCES[language], language, probabilities)
    truth = [p.center + LEAD_IN for p in phonemes if set(p.ipa) & BILABIAL]
    found = np.array([p.center for p in aligned if set(p.ipa) & BILABIAL])
    assert len(truth) >= 5
    assert np.mean([np.abs(found - t).min() < 0.04 for t in truth]) >= 0.95
    exact = np.eye(len(VISEMES), dtype=np.float32)[viseme_track(aligned, len(features))]
    opened = openness(mouths(exact))
    least = np.array(
        [opened[max(0, int(100 * (t - 0.04))) : int(100 * (t + 0.04)) + 1].min() for t in truth]
    )
    assert (least < 0.15 * np.quantile(opened, 0.95)).mean() >= 0.95


def test_transcripts_that_can_not_be_are_refused() -> None:
    probabilities = np.full((100, len(VISEMES)), 1 / 15, np.float32)
    with pytest.raises(InputError, match="empty"):
        align_text("  ", "en-us", probabilities)
    story = "A very long story that nobody could tell in a second. " * 10
    with pytest.raises(InputError, match="takes about 30 s to say, but the sound lasts 1 s"):
        align_text(story, "en-us", probabilities)
    with pytest.raises(InputError, match="too many"):
        align_text(story, "en-us", probabilities, trusted=True)


@pytest.mark.whole
def test_an_encoder_learns_and_comes_back_from_disk(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    speech = [utterance(random) for _ in range(16)]
    model = train_encoder(speech, training=EncoderTrainingConfig(steps=60))
    right = np.mean(
        [(viseme_probabilities(model, u.features).argmax(1) == u.visemes).mean() for u in speech]
    )
    assert right > 0.35  # silence alone is a fifth
    save_encoder(model, tmp_path / "encoder.safetensors")
    other = load_encoder(tmp_path / "encoder.safetensors")
    np.testing.assert_allclose(
        viseme_probabilities(other, speech[0].features),
        viseme_probabilities(model, speech[0].features),
        atol=0.02,
    )
    (tmp_path / "encoder.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="encoder"):
        load_encoder(tmp_path / "encoder.safetensors")


def test_keys_that_are_left_out_are_not_missed() -> None:
    values = np.cumsum(np.random.default_rng(0).normal(size=500)) * 0.02
    kept, shown = reduced(values.astype(np.float32), 0.03)
    assert (
        len(kept) < 200 and np.abs(np.interp(np.arange(500), kept, shown) - values).max() <= 0.0301
    )
    assert len(curves_of(["jawOpen", "cheekPuff"], np.zeros((5, 2), np.float32), 0.01)) == 0


def test_few_keys_with_as_little_tolerance_as_they_need() -> None:
    time = np.arange(250) / 25
    slow = np.stack([0.5 + 0.4 * np.sin(time), 0.3 * np.sin(0.7 * time)], 1).astype(np.float32)
    noise = np.random.default_rng(1).normal(size=slow.shape).astype(np.float32) * 0.02
    names = ["jawOpen", "mouthLeft"]
    calm, busy = (sparse_tolerance(names, v, 25.0, 0.05) for v in (slow, slow + noise))
    assert calm == pytest.approx(0.01) and calm < busy <= 0.05
    keys = sum(len(c.frames) for c in curves_of(names, slow + noise, busy))
    assert busy == 0.05 or keys <= 3 * 2 * 249 / 25


def test_frames_never_drift() -> None:
    for fps in (24.0, 30000 / 1001, 23.976, 12.5):
        times = frame_times(7200.0, fps)
        assert abs(times[-1] - (len(times) - 1) / fps) < 1e-9 and times[-1] >= 7200.0 - 1e-9


def test_lids_and_head() -> None:
    times = frame_times(120, 24)
    lids = blinks(times, 15, seed=0)
    count = ((lids[1:] > 0.5) & (lids[:-1] <= 0.5)).sum()
    assert (
        15 <= count <= 45
        and lids.max() > 0.9
        and (lids == 0).mean() > 0.8
        and not blinks(times, 0, 0).any()
    )
    voice = np.zeros(12_000, np.float32)
    voice[6000:] = 0.8
    moved = sway(times, voice, 1.0, 0)
    assert np.isfinite(moved).all() and moved[: 24 * 40].std() < 0.5 * moved[24 * 80 :].std() < 0.2


def test_motion_files_come_back_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    keys = np.arange(4, dtype=np.float32)
    motion_file.write(
        tmp_path / "m.npz",
        Motion(
            29.97, 99.0, [Curve("jawOpen", "speech", keys, (keys / 4).astype(np.float32))], "a.wav"
        ),
    )
    found = motion_file.read(tmp_path / "m.npz")
    assert found.fps == 29.97 and found.curves[0].name == "jawOpen" and found.source == "a.wav"
    np.testing.assert_array_equal(found.curves[0].values, keys / 4)
    data = (tmp_path / "m.npz").read_bytes()
    for damage in (b"", data[:100], b"hello" * 50):
        (tmp_path / "m.npz").write_bytes(damage)
        with pytest.raises(InputError, match=r"m\.npz"):
            motion_file.read(tmp_path / "m.npz")


def test_game_engines_get_a_table(tmp_path: Path) -> None:
    live_link_csv.write(
        tmp_path / "l.csv", 30.0, ["jawOpen", "headYaw"], np.array([[0.5, 0.1]] * 61)
    )
    rows = [line.split(",") for line in (tmp_path / "l.csv").read_text().splitlines()]
    assert len(rows) == 62 and {len(row) for row in rows} == {2 + 52 + 9}
    assert (
        rows[1][rows[0].index("JawOpen")] == "0.500000"
        and rows[1][rows[0].index("HeadYaw")] == "0.100000"
    )
    assert rows[61][0] == "00:00:02:00.000"


def test_the_verb_from_a_sound_to_keys(tmp_path: Path) -> None:
    wave, rate, _ = speak(SENTENCES["en-us"], "en-us")
    sound = write_wav(tmp_path / "line.wav", wave[:, None] * 0.8, rate)
    done = run(
        "speech",
        "--input",
        sound,
        "--output",
        tmp_path / "out",
        "--transcript",
        SENTENCES["en-us"],
        "--fps",
        "29.97",
    )
    assert done.returncode == 0, done.stderr
    motion = motion_file.read(tmp_path / "out/motion.npz")
    names = {curve.name: curve for curve in motion.curves}
    assert (
        abs(motion.length / motion.fps - len(wave) / rate) < 0.05
        and names["jawOpen"].values.max() > 0.2
    )
    assert {curve.layer for curve in motion.curves} >= {"speech", "blink", "head"}
    assert json.loads((tmp_path / "out/manifest.json").read_text())
    silent = write_wav(tmp_path / "silent.wav", np.zeros((16000, 1)), 16000)
    done = run(
        "speech", "--input", silent, "--output", tmp_path / "still", "--blinks", "0", "--sway", "0"
    )
    assert done.returncode == 0 and "silent" in done.stderr
    still = motion_file.read(tmp_path / "still/motion.npz").curves
    assert all(curve.values.max() < 0.05 for curve in still if curve.name != "viseme_sil")
    refusal("speech", "--input", tmp_path / "nothing.wav", "--output", tmp_path / "none")
