"""Transcripts: subtitles with times, who speaks, notes that nobody says, letters that no voice can
read, and texts that belong to another sound.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import refusal, run
from helpers.sounds import write_wav

from backend.formats import motion_file
from backend.geometry.arrays import Floats
from backend.media.sound import RATE, read_sound
from backend.protocol import InputError
from backend.talking_head.speech.audio_features import heard_visemes, speech_features
from backend.talking_head.speech.espeak import speak
from backend.talking_head.speech.log_mel import FEATURE_RATE
from backend.talking_head.speech.readable import readable
from backend.talking_head.speech.synthetic_speech import at_rate
from backend.talking_head.speech.transcript import Line, Transcript, parse
from backend.talking_head.speech.transcript_alignment import (
    align_text,
    align_transcript,
    said_track,
)
from backend.talking_head.speech.viseme_encoder import load_encoder

SRT = """1
00:00:01,000 --> 00:00:02,500
ANNA: My baby brother made <i>bubbles</i> [laughs]
by the pool.

2
00:00:03,000 --> 00:00:04,000
- Really? (sighs)

3
00:00:04,200 --> 00:00:05,900
BEN: Tom &amp; I saw him.
"""
VTT = """WEBVTT

NOTE made by hand

00:01.000 --> 00:02.500 align:start
<v Anna>Hello there.</v>

intro
00:03.000 --> 00:04.000
<v Ben>Good <00:03.500>morning.
"""
TEXTS = {
    "en-us": (
        "Please pack a brown paper bag for the summer picnic.",
        "The weather will be cold and rainy until late on Thursday.",
        "She sold her old guitar to a friend in the city.",
        "Seven ships were waiting outside the harbour all night.",
    ),
    "de": (
        "Am Montag kommt bestimmt ein großer Umbau auf uns zu.",
        "Das Problem war, dass niemand die Lampe bemerkte.",
        "Die Sonne schien den ganzen Tag auf die leere Straße.",
        "Bitte bleiben Sie noch einen Moment beim Empfang.",
    ),
}


def hear(text: str, language: str, variant: str = "+f2") -> Floats:
    """(T, 15)"""
    wave, rate, _ = speak(text, language + variant, 150, 40)
    return heard_visemes(speech_features(at_rate(wave, rate), load_encoder()))


def test_subtitles_tell_when_and_who() -> None:
    script = parse(SRT.replace("\n", "\r\n"))
    assert script.timed and script.speakers == ("ANNA", "BEN")
    assert script.notes == ("[laughs]", "(sighs)")
    assert script.lines == (
        Line("My baby brother made bubbles", "ANNA", 1.0, 2.5),
        Line("by the pool.", "ANNA", 1.0, 2.5),
        Line("Really?", "", 3.0, 4.0),
        Line("Tom & I saw him.", "BEN", 4.2, 5.9),
    )
    script = parse(VTT)
    assert script.lines == (
        Line("Hello there.", "Anna", 1.0, 2.5),
        Line("Good morning.", "Ben", 3.0, 4.0),
    )


def test_plain_text_has_names_and_notes_too() -> None:
    script = parse(
        "ANNA: Hello.\nHow are you?\nBEN: Fine (I think). *coughs*\n(door slams)\n♪ la ♪"
    )
    assert [(line.speaker, line.text) for line in script.lines] == [
        ("ANNA", "Hello."),
        ("ANNA", "How are you?"),
        ("BEN", "Fine (I think)."),
    ]
    assert script.notes == ("*coughs*", "(door slams)", "♪ la ♪") and not script.timed
    spoken = parse("Remember: never give up.\nAt 12:30 we leave.")
    assert [line.text for line in spoken.lines] == [
        "Remember: never give up.",
        "At 12:30 we leave.",
    ]
    twice = parse("Anna: Yes.\nBen: No.\nAnna: Yes!\nBen: No!")
    assert twice.speakers == ("Anna", "Ben")
    assert parse("アンナ: はい。").lines[0].text == "アンナ: はい。", "no capitals, once: spoken"


def test_times_that_are_none_get_a_sentence() -> None:
    for text in ("WEBVTT\n\nHello", "1\n00:xx --> 00:02\nHello"):
        with pytest.raises(InputError, match="no times"):
            parse(text)
    with pytest.raises(InputError, match="line 2 ends before"):
        parse("1\n00:00:05,000 --> 00:00:02,000\nHello")


def test_what_a_voice_can_not_read_is_named() -> None:
    with pytest.raises(InputError, match="can't read 말 을") as error:
        readable("これは말을です。", "ja")
    assert "kana" in error.value.advice
    for text, language in (
        ("привет", "en-us"),
        ("ひ", "cmn"),
        ("hello world", "ja"),
        ("你好", "ko"),
    ):
        with pytest.raises(InputError, match="can't read"):
            readable(text, language)
    for text, language in (
        ("漢字", "cmn"), ("漢字", "zh"), ("ラーメン、NHK 3", "ja"), ("naïve café º", "en-us"),
        ("Привет, world", "ru"), ("안녕 25", "ko"), ("कल सुबह", "hi"), ("¿Qué?", "es-419"),
    ):  # fmt: skip
        assert readable(text, language) == (text, [])
    assert readable("It costs $20.50 😀", "en-us") == ("It costs 20.50 $  ", ["😀"])
    assert readable("３ カｶﾞ", "ja") == ("3 カガ", [])


def test_marks_of_another_language_are_no_sounds() -> None:
    assert not [p.ipa for p in speak("hello", "ru")[2] if "(" in p.ipa]


@pytest.mark.parametrize("language", TEXTS)
def test_texts_of_another_sound_are_refused(language: str) -> None:
    texts = TEXTS[language]
    for number, text in enumerate(texts):
        heard = hear(text, language)
        aligned = align_text(text, language, heard)
        assert aligned[0].start < 0.3 and aligned[-1].end > len(heard) / FEATURE_RATE - 0.6
        other = texts[(number + 1) % len(texts)]
        with pytest.raises(InputError, match="do not belong together") as error:
            align_text(other, language, heard)
        assert "--trust-transcript" in error.value.advice
        assert "Trust Transcript" in error.value.advice
        assert align_text(other, language, heard, trusted=True)


def test_a_long_text_is_no_short_sound() -> None:
    heard = hear(" ".join(TEXTS["en-us"]), "en-us")
    with pytest.raises(InputError, match=r"takes about \d+ s to say, but the sound lasts 1\d s"):
        align_text(" ".join(TEXTS["en-us"]) * 8, "en-us", heard)


def dialogue() -> tuple[Floats, Transcript]:
    """Two people in turn, two seconds of silence between; times that are half a second early."""
    quiet = np.eye(15, dtype=np.float32)[np.zeros(200, int)]
    first, second = (hear(text, "en-us") for text in TEXTS["en-us"][:2])
    later = (len(first) + 200) / FEATURE_RATE
    lines = (
        Line(TEXTS["en-us"][0], "ANNA", 0.0, len(first) / FEATURE_RATE - 0.3),
        Line(TEXTS["en-us"][1], "BEN", later - 0.4, later + len(second) / FEATURE_RATE - 0.4),
    )
    return np.concatenate([first, quiet, second]), Transcript(lines)


def test_lines_stay_within_their_times() -> None:
    heard, script = dialogue()
    anna, ben = align_transcript(script, "en-us", heard)
    begins = (script.lines[1].start or 0) + 0.4
    assert anna.phonemes[-1].end < begins - 1.5
    assert abs(ben.phonemes[0].start - begins) < 0.15
    mine, words, unread = said_track(script, "en-us", heard, False, "BEN")
    assert not mine[: round((begins - 0.5) * FEATURE_RATE)].any() and mine[-100:].any()
    assert not unread
    spoken = [word.text for word in words]
    assert " ".join(spoken) + "." == script.lines[1].text
    assert words[0].start > begins - 0.5


def test_lines_after_the_end_are_refused_or_counted() -> None:
    heard, script = dialogue()
    late = Transcript((*script.lines, replace(script.lines[0], start=90.0, end=95.0)))
    with pytest.raises(InputError, match=r"begins at 90\.0 s, but the sound lasts"):
        align_transcript(late, "en-us", heard)
    _, _, unread = said_track(late, "en-us", heard, True)
    assert list(unread.values()) == [1]
    only = Transcript((replace(script.lines[0], start=90.0, end=95.0),))
    track, _, _ = said_track(only, "en-us", heard, True)
    assert not track.any()


def test_the_verb_takes_subtitles_of_one_of_two_channels(tmp_path: Path) -> None:
    wave, rate, _ = speak(TEXTS["en-us"][0], "en-us")
    noise = np.random.default_rng(0).normal(size=len(wave)) * 0.2
    sound = write_wav(tmp_path / "two.wav", np.stack([noise, wave * 0.8], 1), rate)
    left, right, mix = (read_sound(sound, channel) for channel in ("left", "right", "mix"))
    assert np.corrcoef(mix, left + right)[0, 1] > 0.99 and abs(left.std() - 0.2) < 0.05
    assert np.corrcoef(right[:RATE], at_rate(wave, rate)[:RATE])[0, 1] > 0.98
    mono = write_wav(tmp_path / "one.wav", wave[:, None] * 0.8, rate)
    np.testing.assert_array_equal(read_sound(mono, "right"), read_sound(mono))
    end = len(wave) / rate
    subtitles = tmp_path / "two.srt"
    subtitles.write_text(
        f"1\n00:00:00,000 --> 00:00:{int(end):02d},{int(1000 * (end % 1)):03d}\n"
        f"ANNA: {TEXTS['en-us'][0]} [laughs]\n",
        encoding="utf-8",
    )
    options = ("--input", sound, "--transcript", subtitles, "--channel", "right")
    done = run("speech", *options, "--character", "ANNA", "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "not spoken (1): [laughs]" in done.stderr
    assert motion_file.read(tmp_path / "out/motion.npz").curves
    failure = refusal("speech", *options, "--character", "BEN", "--output", tmp_path / "none")
    assert "BEN" in failure.what and "ANNA" in failure.advice
    for text, what in (("", "nothing that is spoken"), ("[laughs]", "nothing that is spoken")):
        subtitles.write_text(text, encoding="utf-8")
        assert what in refusal("speech", *options, "--output", tmp_path / "none").what
    subtitles.unlink()
    assert "There is no file" in refusal("speech", *options, "--output", tmp_path / "none").what
    folder = ("--input", sound, "--transcript", tmp_path, "--output", tmp_path / "none")
    assert "There is no file" in refusal("speech", *folder).what
