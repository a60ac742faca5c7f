"""What people hand over by mistake: silence, music, noise, an empty picture, two faces, a face that
looks away. One sentence each.
"""

from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import refusal, run
from helpers.places import DATA
from helpers.sounds import write_wav

from backend.formats import motion_file
from backend.media.sound import RATE
from backend.media.video_writer import VideoWriter
from backend.protocol import InputError
from backend.talking_head.face_speaker import demand_speech
from backend.talking_head.face_verb import FaceOptions
from backend.talking_head.rigs.drawing import draw, portrait
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.speech.audio_features import speech_features
from backend.talking_head.speech.viseme_encoder import load_encoder
from backend.talking_head.tracking.track import FaceTracker, track_video

TRACKER = DATA / "weights/mediapipe_face"
needs_tracker = pytest.mark.skipif(
    not TRACKER.is_dir(), reason="the face tracker's networks are not here"
)


def sounds() -> dict[str, np.ndarray]:
    """Six seconds each."""
    t, random = np.arange(6 * RATE) / RATE, np.random.default_rng(0)
    chords = [
        sum(np.sin(2 * np.pi * f * t) for f in chord) * 0.1
        for chord in ((262, 330, 392), (220, 277, 330))
    ]
    return {
        "silence": np.zeros(len(t)),
        "music": np.where(t % 2 < 1, *chords),
        "noise": random.normal(size=len(t)) * 0.1,
    }


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("silence", "silent"),
        ("music", "hardly sounds like speech"),
        ("noise", "hardly sounds like"),
    ],
)
def test_sounds_without_speech_are_remarked_on(tmp_path: Path, name: str, word: str) -> None:
    path = write_wav(tmp_path / f"{name}.wav", sounds()[name][:, None], RATE)
    done = run("speech", "--input", path, "--output", tmp_path / "out", "--blinks", "20")
    assert done.returncode == 0 and word in done.stderr
    motion = motion_file.read(tmp_path / "out" / motion_file.NAME)
    assert any(curve.layer == "blink" for curve in motion.curves)
    if name == "silence":
        assert not [
            curve.name for curve in motion.curves if curve.name.startswith(("jaw", "mouth"))
        ]


def test_sounds_that_are_said_to_be_speech_are_not_remarked_on(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "music.wav", sounds()["music"][:, None], RATE)
    done = run("speech", "--input", path, "--output", tmp_path / "out", "--assume-speech")
    assert done.returncode == 0 and "hardly" not in done.stderr


def test_a_speaker_is_learned_from_what_is_said_to_be_speech() -> None:
    music, path = sounds()["music"].astype(np.float32), Path("song.wav")
    features = speech_features(music, load_encoder())
    with pytest.raises(InputError, match=r"No speech is heard in song\.wav") as error:
        demand_speech(FaceOptions(), path, features, music)
    assert "--assume-speech" in error.value.advice and "Treat as Speech" in error.value.advice
    demand_speech(FaceOptions(assume_speech=True), path, features, music)
    with pytest.raises(InputError, match="No speech is heard"):
        demand_speech(FaceOptions(assume_speech=True), path, features[:0], music[:0])


def film(path: Path, yaws: tuple[float, ...], frames: int = 12) -> Path:
    """Heads side by side, each turned by so much."""
    rig = small_head()
    images = [draw(rig, rig.neutral, portrait(320, yaw, height=34.0)) for yaw in yaws]
    writer = VideoWriter(path, 25.0, 320 * len(yaws), 320)
    for _ in range(frames):
        writer.add(np.hstack(images))
    writer.close()
    return path


@pytest.mark.data
@needs_tracker
def test_a_face_that_looks_away_is_refused(tmp_path: Path) -> None:
    away = film(tmp_path / "away.mp4", (1.57,))
    failure = refusal("face", "--input", away, "--tracker", TRACKER, "--output", tmp_path / "out")
    assert "No face can be seen in away.mp4" in failure.what
    assert not (tmp_path / "out" / "head.npz").exists()


@pytest.mark.data
@needs_tracker
def test_a_turned_face_is_told(tmp_path: Path) -> None:
    tracker = FaceTracker(TRACKER)
    for yaw, least, most in ((0.1, 0, 20), (1.1, 50, 80)):
        turned = track_video(film(tmp_path / "turned.mp4", (yaw,), 3), tracker).turned
        assert (turned > least).all() and (turned < most).all()


@pytest.mark.whole
@pytest.mark.data
@needs_tracker
def test_two_faces_and_no_sound_are_remarked_on(tmp_path: Path) -> None:
    clip = film(tmp_path / "two.mp4", (0.1, -0.2))
    done = run(
        "face",
        "--input",
        clip,
        "--tracker",
        TRACKER,
        "--output",
        tmp_path / "out",
        "--gaussians",
        "500",
        "--preset",
        "fast",
    )
    said = done.stderr
    assert done.returncode == 0, said
    assert "2 faces were seen" in said and "has no sound" in said
    assert {p.name for p in (tmp_path / "out").glob("*.npz")} == {
        "head.npz",
        "gaussian_head.npz",
        "motion.npz",
        "poses.npz",
    }


@pytest.mark.data
@needs_tracker
def test_a_network_that_is_none_is_refused_before_the_work(tmp_path: Path) -> None:
    wrong = tmp_path / "person.onnx"
    wrong.write_text("hello")
    clip, out = film(tmp_path / "clip.mp4", (0.0,), 3), tmp_path / "out"
    failure = refusal(
        "face", "--input", clip, "--tracker", TRACKER, "--output", out, "--matting", wrong
    )
    assert "person.onnx" in failure.what
    assert not list(out.glob("**/track*")), "nobody waits for the tracker before that"
