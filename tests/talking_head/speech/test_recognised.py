"""A recogniser of the user tells what is said, without a transcript and without a speaker."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import tiny_onnx
from helpers.command_line import run
from helpers.sounds import write_wav

from backend.formats import motion_file
from backend.geometry.arrays import Floats
from backend.protocol import InputError
from backend.talking_head.speech.audio_features import (
    heard_visemes,
    shown_by_sound,
    speech_features,
)
from backend.talking_head.speech.espeak import speak
from backend.talking_head.speech.log_mel import FEATURE_RATE
from backend.talking_head.speech.phonemes import BILABIAL, Phoneme
from backend.talking_head.speech.recognised import recognised_visemes, stretches, vocabulary
from backend.talking_head.speech.synthetic_speech import at_rate
from backend.talking_head.speech.viseme_encoder import load_encoder
from backend.talking_head.speech.visemes import CLOSED

LETTERS = ("<pad>", "<unk>", "|", *"abcdefghijklmnopqrstuvwxyz'")
TEXT = "my baby brother made bubbles by the pool"


def scores_of(words: list[tuple[str, float, float]], count: int, signs: tuple[str, ...]) -> Floats:
    """(T, C) as a recogniser gives them: a spike for each letter, evenly within its word."""
    scores = np.zeros((count, len(signs)), np.float32)
    scores[:, 0] = 1
    for word, start, end in words:
        for place, letter in enumerate([*word, "|"]):
            row = round((start + (end - start) * place / (len(word) + 1)) * FEATURE_RATE)
            scores[row : row + 2, signs.index(letter)] = 9
    return scores


def said() -> tuple[Floats, list[Phoneme]]:
    wave, rate, phonemes = speak(TEXT, "en-us+f2", 150, 40)
    return speech_features(at_rate(wave, rate), load_encoder()), phonemes


def words_of(phonemes: list[Phoneme], end: float) -> list[tuple[str, float, float]]:
    begins = [p.start for p in phonemes if p.begins_word] + [end]
    words = TEXT.split()
    assert len(begins) == len(words) + 1
    return [(w, a, b) for w, a, b in zip(words, begins[:-1], begins[1:], strict=True)]


def test_letters_close_lips_where_they_should() -> None:
    features, phonemes = said()
    words = words_of(phonemes, len(features) / FEATURE_RATE - 0.1)
    scores = scores_of(words, len(features), LETTERS)
    by_ear, heard = shown_by_sound(features), heard_visemes(features)
    shown, missed = recognised_visemes(scores, LETTERS, "en-us", by_ear, heard)
    assert not missed
    np.testing.assert_allclose(shown.sum(1), 1, atol=1e-4)
    truth = [p.center for p in phonemes if set(p.ipa) & BILABIAL]
    met = [
        [
            track[max(0, int((t - 0.04) * 100)) : int((t + 0.04) * 100) + 1, CLOSED].max() > 0.5
            for t in truth
        ]
        for track in (shown, by_ear)
    ]
    assert np.mean(met[0]) >= 0.9 and np.mean(met[0]) > np.mean(met[1])


def test_signs_of_ipa_need_no_spelling() -> None:
    signs = ("<pad>", "m", "a", "p")
    scores = np.zeros((200, 4), np.float32)
    scores[:, 0] = 1
    for row, sign in ((60, 1), (70, 2), (80, 3), (90, 2)):
        scores[row, sign] = 9
    heard = np.eye(15, dtype=np.float32)[np.zeros(200, int)]
    heard[60:100] = (1 - heard[60:100]) / 14
    shown, _ = recognised_visemes(scores, signs, "en-us", np.zeros_like(heard), heard)
    assert shown[60:110, CLOSED].max() == 1 and not shown[:30].any() and not shown[140:].any()


def test_pauses_part_what_is_heard() -> None:
    scores = scores_of([("so", 0.2, 0.4), ("no", 1.5, 1.8)], 300, LETTERS)
    found = stretches(scores, LETTERS)
    assert ["".join(h.signs) for h in found] == ["so|", "no|"]
    assert abs(found[1].start - 1.5) < 0.02
    assert not stretches(scores_of([], 300, LETTERS), LETTERS)
    crowded = np.zeros((300, 3), np.float32)  # each sign is two visemes, a row apart
    crowded[:50, 0] = crowded[200:, 0] = crowded[50:200:2, 1] = crowded[51:200:2, 2] = 1
    even = np.full((300, 15), 1 / 15, np.float32)
    shown, missed = recognised_visemes(crowded, ("<pad>", "aɪ", "tʃ"), "en-us", even, even)
    assert missed == 1 and (shown == even).all()


def test_vocabularies_belong_to_their_model(tmp_path: Path) -> None:
    model = str(tiny_onnx.recogniser(tmp_path / "heard" / "model.onnx"))
    assert vocabulary(model, 3) == vocabulary(str(tmp_path / "heard"), 3) == ("<pad>", "|", "m")
    with pytest.raises(InputError, match="tells 2 apart"):
        vocabulary(model, 2)
    (tmp_path / "heard" / "vocab.json").write_text(json.dumps(["a"]))
    with pytest.raises(InputError, match="does not tell signs"):
        vocabulary(model, 3)
    (tmp_path / "heard" / "vocab.json").unlink()
    assert vocabulary(model, 3) == ()


def test_the_verb_listens_with_a_recogniser(tmp_path: Path) -> None:
    wave, rate, _ = speak(TEXT, "en-us")
    sound = write_wav(tmp_path / "line.wav", wave[:, None] * 0.8, rate)
    model = tiny_onnx.recogniser(tmp_path / "heard" / "model.onnx")
    curves = {}
    for name, more in (("own", ()), ("both", ("--sound-model", tmp_path / "heard"))):
        done = run("speech", "--input", sound, "--output", tmp_path / name, *more)
        assert done.returncode == 0, done.stderr
        motion = motion_file.read(tmp_path / name / motion_file.NAME)
        curves[name] = {c.name: c.values for c in motion.curves}
    assert any(
        len(values) != len(curves["own"].get(name, ()))
        or not np.allclose(values, curves["own"][name])
        for name, values in curves["both"].items()
    )
    model.with_name("vocab.json").unlink()
    done = run("speech", "--input", sound, "--output", tmp_path / "n", "--sound-model", model)
    assert done.returncode == 0 and "changes nothing" in done.stderr
