"""Words that a speech leaves, moved and spoken again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import run
from helpers.sounds import write_wav

from backend.formats import motion_file, words_file
from backend.formats.words_file import SpokenWord
from backend.geometry.arrays import Floats
from backend.protocol import InputError
from backend.talking_head.speech.espeak import speak
from backend.talking_head.speech.spoken_words import track_of, words_of
from backend.talking_head.speech.visemes import CLOSED

TEXT = "I saw 20 maps, there."


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A sound, and what was made of it."""
    folder = tmp_path_factory.mktemp("line")
    wave, rate, _ = speak(TEXT, "en-us", 120)
    quiet = np.zeros(rate // 2, np.float32)
    sound = write_wav(folder / "line.wav", np.concatenate([wave, quiet])[:, None] * 0.8, rate)
    done = run("speech", "--input", sound, "--output", folder / "out", "--transcript", TEXT)
    assert done.returncode == 0, done.stderr
    return sound, folder / "out"


def curve(folder: Path, name: str) -> Floats:
    """Values of whole frames."""
    motion = motion_file.read(folder / motion_file.NAME)
    for found in motion.curves:
        if found.name == name:
            at = np.arange(int(motion.length) + 1)
            return np.interp(at, found.frames, found.values).astype(np.float32)
    raise AssertionError(name)


def moved(word: SpokenWord, seconds: float) -> SpokenWord:
    sounds = [replace(s, start=s.start + seconds, end=s.end + seconds) for s in word.sounds]
    return replace(word, start=word.start + seconds, end=word.end + seconds, sounds=tuple(sounds))


def test_words_are_named_as_they_are_written(line: tuple[Path, Path]) -> None:
    words = words_file.read(line[1] / words_file.NAME)
    assert [word.text for word in words] == ["I", "saw", "20", "maps", "there"]
    assert "m" in words[3].sounds[0].ipa and words[2].end <= words[3].start + 1e-6


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("naïve Straße", "de", "naïve|Straße"),
        ("Ich habe es gut.", "de", "Ich|habe|es|gut"),
        ("maps of the moon", "en-us", "maps|of the|moon"),
        ('"I don\'t", he said', "en-us", "I|don't|he|said"),
        ("s'il vous plaît !", "fr", "s'il|vous|plaît"),
        ("こんにちは せかい", "ja", "こんにちは|せかい"),
    ],
)
def test_words_are_named_in_any_language(text: str, language: str, words: str) -> None:
    spoken = words_of(p for p in speak(text, language)[2] if p.ipa)
    assert "|".join(word.text for word in spoken) == words


def test_a_moved_word_moves_the_mouth(line: tuple[Path, Path], tmp_path: Path) -> None:
    sound, folder = line
    words = words_file.read(folder / words_file.NAME)
    told = ("speech", "--input", sound, "--words", tmp_path / "moved.json", "--output")
    words_file.write(tmp_path / "moved.json", words)
    assert run(*told, tmp_path / "same").returncode == 0
    for name in ("jawOpen", "mouthPressLeft", "eyeBlinkLeft", "headPitch"):
        np.testing.assert_allclose(
            curve(folder, name), curve(tmp_path / "same", name), atol=0.021, err_msg=name
        )
    words_file.write(tmp_path / "moved.json", (*words[:3], moved(words[3], 0.25), words[4]))
    assert run(*told, tmp_path / "later").returncode == 0
    first = round((words[3].sounds[0].start + words[3].sounds[0].end) / 2 * 24)
    closed = [curve(f, "mouthPressLeft") for f in (folder, tmp_path / "later")]
    assert closed[0][first] > 0.2 > 0.1 > closed[1][first]
    assert closed[1][first + 6] > 0.2
    until = round(words[1].end * 24)
    np.testing.assert_allclose(closed[0][:until], closed[1][:until], atol=0.021)
    head = [curve(f, "headPitch") for f in (folder, tmp_path / "later")]
    np.testing.assert_allclose(head[0], head[1], atol=0.01)  # the voice is the same
    again = words_file.read(tmp_path / "later" / words_file.NAME)
    assert abs(again[3].start - words[3].start - 0.25) < 1e-9


def test_of_two_sounds_at_once_the_later_is_seen() -> None:
    _, _, phonemes = speak("ma", "en-us")
    (word,) = words_of(phonemes)
    over = replace(moved(word, word.end - word.start - 0.05), text="over")
    track = track_of((over, word), 100)
    assert track[round((over.sounds[0].start + 0.01) * 100)] == CLOSED


@pytest.mark.parametrize(
    "told",
    [
        "{",
        "[]",
        {"words": 3},
        {"words": [{"text": "a", "start": 1, "end": 1, "sounds": []}]},
        {"words": [{"text": "a", "start": 0, "end": float("nan"), "sounds": []}]},
        {"words": [{"text": 3, "start": 0, "end": 1, "sounds": []}]},
        {"words": [{"text": "a", "start": 0, "end": 1, "sounds": [{"ipa": "a"}]}]},
        {"words": [{"text": "a" * 300, "start": 0, "end": 1, "sounds": []}]},
    ],
)
def test_what_holds_no_words_is_refused(tmp_path: Path, told: object) -> None:
    path = tmp_path / "words.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    with pytest.raises(InputError, match=r"words\.json"):
        words_file.read(path)
