"""Words and sounds as strips: laid after Speak, moved, renamed, deleted, and baked again."""

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .test_talking import add_face, tracks

TEXT = "my baby saw maps"
ROOT = Path(__file__).resolve().parents[2]
KEYS = ("jawOpen", "mouthPressLeft", "mouthPressRight", "mouthFunnel", "browInnerUp")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The text, spoken by espeak in the compute environment."""
    path = tmp_path_factory.mktemp("sound") / "line.wav"
    inner = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    compute = os.environ.get("SPLATSMITH_COMPUTE", ROOT / ".venv" / inner)
    code = (
        "import sys, wave, numpy as np\n"
        "from backend.talking_head.speech.espeak import speak\n"
        f"sound, rate, _ = speak({TEXT!r}, 'en-us', 120)\n"
        "with wave.open(sys.argv[1], 'wb') as f:\n"
        "    f.setnchannels(1), f.setsampwidth(2), f.setframerate(rate)\n"
        "    f.writeframes((np.pad(sound, (0, rate)) * 26000).astype('<i2').tobytes())\n"
    )
    subprocess.run([str(compute), "-c", code, str(path)], cwd=ROOT, check=True)
    return path


@pytest.fixture
def spoken(bpy: Any, sound: Path) -> Any:
    """A face that has said the text from frame 11 on, with brows that an artist has keyed."""
    obj = add_face(bpy, "Face", KEYS)
    settings = bpy.context.scene.splatsmith
    settings.transcript, settings.speech, settings.speech_start = TEXT, str(sound), 11
    assert bpy.ops.splatsmith.add_face_targets() == {"FINISHED"}
    assert bpy.ops.splatsmith.speak() == {"FINISHED"}
    yield obj
    settings.transcript, settings.speech_start = "", 1
    bpy.context.scene.sequence_editor_clear()
    settings.face_targets.clear()


def strips(obj: Any, kind: str) -> list[Any]:
    """Of both tracks, in their order."""
    laid = (tracks(obj)[f"Splatsmith {kind}{number}"].strips for number in ("", " 2"))
    return sorted((strip for row in laid for strip in row), key=lambda strip: strip.frame_start)


def remove(obj: Any, strip: Any) -> None:
    for track in tracks(obj).values():
        if strip.name in track.strips and track.strips[strip.name] == strip:
            track.strips.remove(strip)
            return


def pressed(bpy: Any, obj: Any) -> np.ndarray:
    """How far lips are pressed, frame by frame."""
    values = []
    for frame in range(1, 100):
        bpy.context.scene.frame_set(frame)
        values.append(obj.data.shape_keys.key_blocks["mouthPressLeft"].value)
    return np.array(values)


def middle(strip: Any) -> int:
    return round((strip.frame_start + strip.frame_end) / 2)


def test_words_appear_with_their_sounds(bpy: Any, spoken: Any) -> None:
    words, sounds = strips(spoken, "words"), strips(spoken, "sounds")
    assert [strip.name for strip in words] == TEXT.split()
    assert len(sounds) >= 10 and words[0].frame_start >= 11
    for word in words:  # each holds its own
        inside = [s for s in sounds if word.frame_start - 0.1 <= s.frame_start < word.frame_end]
        assert inside and abs(inside[0].frame_start - word.frame_start) < 0.1
    lips = pressed(bpy, spoken)
    first = next(s for s in sounds if s.frame_start >= words[1].frame_start - 0.1)
    assert first.name.startswith("b") and lips[middle(first) - 1] > 0.2
    actions = {strip.action for strip in (*words, *sounds)}
    assert len(actions) == 2
    held = pressed(bpy, spoken)  # the strips move nothing
    for name in ("words", "words 2", "sounds", "sounds 2"):
        tracks(spoken)[f"Splatsmith {name}"].mute = True
    np.testing.assert_allclose(pressed(bpy, spoken), held, atol=1e-5)


def keyed(bpy: Any, obj: Any) -> Any:
    """A layer of the artist's: brows that go up."""
    data = obj.data.shape_keys.animation_data
    key = obj.data.shape_keys.key_blocks["browInnerUp"]
    for frame, value in ((1, 0.0), (50, 0.7)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    track = data.nla_tracks.new()
    track.name, action = "Mine", data.action
    track.strips.new("Brows", 1, action)
    data.action = None
    return action


def test_a_word_that_is_moved_moves_the_mouth(bpy: Any, spoken: Any) -> None:
    mine = keyed(bpy, spoken)
    before, words = pressed(bpy, spoken), strips(spoken, "words")
    sounds = strips(spoken, "sounds")
    closing = next(s for s in sounds if s.frame_start >= words[3].frame_start - 0.1)
    assert closing.name.startswith("m")
    at, until = middle(closing), round(words[1].frame_end) - 3
    words[2].frame_end += 4  # into the time of the next one, which lies on the other track
    words[3].frame_end += 10
    words[3].frame_start += 10
    bpy.context.scene.splatsmith.transcript = "something else"  # it is not asked again
    assert bpy.ops.splatsmith.bake_again() == {"FINISHED"}
    after = pressed(bpy, spoken)
    assert before[at - 1] > 0.2 > after[at - 1] + 0.1 and after[at + 9] > 0.2
    np.testing.assert_allclose(before[:until], after[:until], atol=0.03)
    found = tracks(spoken.data.shape_keys)
    assert found["Mine"].strips[0].action == mine
    names = [track.name for track in spoken.animation_data.nla_tracks]
    assert len(names) == len(set(names)) and mine.users
    moved = strips(spoken, "words")
    assert [s.name for s in moved] == TEXT.split() and len(strips(spoken, "sounds")) == len(sounds)
    first = next(s for s in strips(spoken, "sounds") if s.frame_start >= moved[3].frame_start - 0.1)
    assert abs(middle(first) - at - 10) <= 1
    assert bpy.ops.splatsmith.bake_again() == {"FINISHED"}  # nothing was moved
    np.testing.assert_allclose(pressed(bpy, spoken), after, atol=0.03)


def moved(rooms: Any, bpy: Any) -> Any:
    strips_of = rooms("scene.faces.timing_strips")
    return rooms("scene.faces.moved_words").read(*strips_of.of_scene(bpy.context.scene))


def test_sounds_stay_where_they_are_put(bpy: Any, spoken: Any, rooms: Any) -> None:
    assert not moved(rooms, bpy).notes
    laid = moved(rooms, bpy).words
    words, sounds = strips(spoken, "words"), strips(spoken, "sounds")
    own = len(laid[0].sounds)
    sounds[own].frame_start += 1  # the first of "baby" begins a frame later
    words[3].frame_end += 6  # its word is said more slowly
    now = moved(rooms, bpy).words
    first = laid[1].sounds[0]
    assert now[1].sounds[0].start == pytest.approx(first.start + 1 / 24, abs=0.01)
    assert now[1].sounds[0].end == pytest.approx(first.end, abs=0.01)
    assert now[1].sounds[1:] == laid[1].sounds[1:]
    assert now[0] == laid[0] and now[2] == laid[2]
    slower = (now[3].end - now[3].start) / (laid[3].end - laid[3].start)
    assert slower == pytest.approx(1 + 6 / 24 / (laid[3].end - laid[3].start), rel=0.02)
    for one, other in zip(now[3].sounds, laid[3].sounds, strict=True):
        assert one.end - one.start == pytest.approx(slower * (other.end - other.start))


def test_words_that_were_dropped_onto_others_are_still_ours(
    bpy: Any, spoken: Any, rooms: Any
) -> None:
    """Blender then gives them a track of their own."""
    laid, words = moved(rooms, bpy).words, strips(spoken, "words")
    data = spoken.animation_data
    track = data.nla_tracks.new()
    begin = words[1].frame_start + 2
    strip = track.strips.new("saw", round(begin), words[2].action)
    long = words[2].frame_end - words[2].frame_start
    remove(spoken, words[2])
    strip.name, strip.frame_end, strip.frame_start = "saw", begin + long, begin
    now = moved(rooms, bpy)
    assert [word.text for word in now.words] == TEXT.split()
    assert now.words[2].start < laid[1].end - 0.05
    assert any("overlap" in note for note in now.notes)
    assert bpy.ops.splatsmith.bake_again() == {"FINISHED"}
    names = [track.name for track in data.nla_tracks]
    ours = [n for n in names if "words" in n or "sounds" in n]
    assert len(ours) == len(set(ours)) == 4
    assert len(strips(spoken, "words")) == 4


def test_what_can_not_be_spoken_is_told(bpy: Any, spoken: Any, rooms: Any) -> None:
    words, sounds = strips(spoken, "words"), strips(spoken, "sounds")
    track = spoken.animation_data.nla_tracks.new()
    extra = track.strips.new("baby", 90, words[1].action)
    sounds[0].name = "p"
    now = moved(rooms, bpy)
    assert now.words[0].sounds[0].ipa == "p" and any(extra.name in note for note in now.notes)
    words[2].name = "sew"
    assert moved(rooms, bpy).words[2].text == "sew"
    for strip in (words[2], extra, sounds[1]):
        remove(spoken, strip)
    now = moved(rooms, bpy)
    assert [word.text for word in now.words] == ["my", "baby", "maps"]
    assert any("1 word is silent" in note for note in now.notes)
    assert any("1 sound is left out" in note for note in now.notes)
    last = strips(spoken, "words")[-1]
    last.frame_end += 5000
    last.frame_start += 5000
    assert any("beyond the sound" in note for note in moved(rooms, bpy).notes)
    for strip in strips(spoken, "words"):
        remove(spoken, strip)
    with pytest.raises(RuntimeError, match=r"no words to bake|All words were deleted"):
        bpy.ops.splatsmith.bake_again()


def test_two_speeches_have_words_of_their_own(bpy: Any, spoken: Any, rooms: Any) -> None:
    settings = bpy.context.scene.splatsmith
    settings.speech_start = 201
    assert bpy.ops.splatsmith.speak() == {"FINISHED"}
    words = strips(spoken, "words")
    assert [plain.split(".")[0] for plain in (s.name for s in words)] == TEXT.split() * 2
    begins = [strip.frame_start for strip in words]
    bpy.context.scene.frame_set(20)
    _, first = rooms("scene.faces.timing_strips").of_scene(bpy.context.scene)
    bpy.context.scene.frame_set(220)
    _, second = rooms("scene.faces.timing_strips").of_scene(bpy.context.scene)
    assert (first.start, second.start) == (11, 201)
    assert bpy.ops.splatsmith.bake_again() == {"FINISHED"}
    again = strips(spoken, "words")
    assert [s.frame_start for s in again] == pytest.approx(begins)
    assert len(again) == 8


def test_without_words_there_is_nothing_to_bake(bpy: Any) -> None:
    add_face(bpy, "Mute", KEYS)
    with pytest.raises(RuntimeError, match="no words to bake"):
        bpy.ops.splatsmith.bake_again()
