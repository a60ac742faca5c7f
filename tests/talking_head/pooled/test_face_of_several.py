"""The verb `face` on several videos: one head of all, each with its own motion; what can't be used
is left out, named and counted.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from helpers.filmed_faces import RIG, WHERE, filmed_face, knowing_tracker
from helpers.kept_jobs import Told
from helpers.sounds import write_wav

from backend.formats import head_file, motion_file
from backend.media.sound import RATE
from backend.protocol import Request
from backend.runtime.cancel import CancelToken
from backend.runtime.folder import JobFolder
from backend.runtime.job import run_job
from backend.talking_head import face_job, face_speaker
from backend.talking_head.face_clips import FaceClip, leave_out_strangers, used
from backend.talking_head.face_verb import PRESETS, FaceOptions, FacePreset
from backend.talking_head.fitting.head_motion import HeadMotion
from backend.talking_head.gaussian_head.initialization import ShownClip, shown_colors
from backend.talking_head.gaussian_head.learn import LearnConfig, OtherClip, learn_head
from backend.talking_head.gaussian_head.training import HeadTrainingConfig
from backend.talking_head.motion import poses
from backend.talking_head.tracking.track import track_video
from backend.verbs import find_verb

FRAMES = 8


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, Any]]:
    """One person twice, in another light and at another rate, and somebody else."""
    folder = tmp_path_factory.mktemp("clips")
    faces = {
        0: filmed_face(folder / "0_first.mp4", 0, FRAMES),
        1: filmed_face(folder / "1_second.mp4", 1, 12, rate=30.0, light=0.7),
        2: filmed_face(folder / "2_other.mp4", 2, 12, seed=4),
    }
    (folder / "3_broken.mp4").write_bytes(b"no video at all")
    return folder, faces


def run(
    monkeypatch: pytest.MonkeyPatch, filmed: tuple[Path, Any], root: Path, **options: Any
) -> tuple[list[str], dict[str, Any], Path]:
    """The warnings, the manifest and the result."""
    monkeypatch.setattr(face_job, "FaceTracker", lambda folder: knowing_tracker(filmed[1]))
    monkeypatch.setattr(face_job, "_weights", lambda job, options: root)
    monkeypatch.setattr(face_job, "find_correspondence", lambda *_, **__: WHERE)
    small = FacePreset(speech_steps=20, gaussians=300, side=64, frames=8, head_steps=3)
    monkeypatch.setitem(PRESETS, "fast", small)
    request = Request(
        verb="face",
        input=str(filmed[0]),
        options=FaceOptions(tracker=str(root), teach=False, **options),
        preset="fast",
        device="cpu",
    )
    told = Told()
    folder = JobFolder.for_job(root)
    root.mkdir(parents=True, exist_ok=True)
    done = run_job(find_verb("face"), request, folder, told, CancelToken())  # type: ignore[arg-type]
    assert done == 0, told.events[-1]
    manifest = json.loads((root / "result/manifest.json").read_text(encoding="utf-8"))
    return [e.text for e in told.events if hasattr(e, "text")], manifest, root / "result"


def test_one_head_of_all_and_a_motion_of_each(
    monkeypatch: pytest.MonkeyPatch, filmed: tuple[Path, Any], tmp_path: Path
) -> None:
    said, manifest, result = run(monkeypatch, filmed, tmp_path / "job")
    assert any("2_other.mp4 does not seem to show the person of 0_first.mp4" in s for s in said)
    assert any("3_broken.mp4 is left out" in s for s in said)
    assert any("frame rates" in s and "25: 0_first.mp4" in s and "30: 1_second" in s for s in said)
    assert [v["used"] for v in manifest["videos"]] == [True, True, False, False]
    assert all(v["why"] for v in manifest["videos"][2:])
    assert manifest["metrics"]["videos"] == 2 and manifest["metrics"]["videos_left_out"] == 2
    assert "20 frames of 2 videos, 2 left out" in manifest["summary"]
    first = motion_file.read(result / "motion.npz")
    second = motion_file.read(result / "02_1_second/motion.npz")
    assert FRAMES - 1 <= first.length <= FRAMES and 11 <= second.length <= 12
    assert round(first.fps) == 25 and round(second.fps) == 30
    own = poses.load(result / "02_1_second/poses.npz")
    assert own.source.name == "1_second.mp4" and len(own.times) == 12
    assert poses.load(result / "poses.npz").source.name == "0_first.mp4"
    assert len(head_file.read(result / "head.npz").vertices) > len(RIG.neutral)


def stub(said: list[str], **options: Any) -> Any:
    """A job that has options, and remembers what it warns of."""
    return cast(
        Any,
        SimpleNamespace(options=FaceOptions(**options), warn=lambda code, text: said.append(text)),
    )


def test_whoever_is_vouched_for_is_read(filmed: tuple[Path, Any]) -> None:
    tracker, paths = knowing_tracker(filmed[1]), sorted(filmed[0].glob("*.mp4"))
    clips = [FaceClip(path=path, track=track_video(path, tracker)) for path in (paths[0], paths[2])]
    said: list[str] = []
    leave_out_strangers(stub(said, trust_clips=True), clips, RIG, WHERE)
    assert used(clips) == clips and "read all the same" in said[0]


def _motion(face: Any, rate: float) -> HeadMotion:
    """What a perfect tracker says of a rendered clip."""
    return HeadMotion(
        names=RIG.names,
        times=np.arange(len(face.views)) / rate,
        coefficients=face.coefficients,
        rotations=np.stack([v.rotation for v in face.views]),
        translations=np.stack([v.translation for v in face.views]),
        rest=face.rest,
        focal=face.views[0].focal,
        width=face.views[0].width,
        height=face.views[0].height,
        residual=0.0,
    )


def test_a_darker_video_does_not_darken_the_head(filmed: tuple[Path, Any]) -> None:
    folder, faces = filmed
    config = LearnConfig(
        gaussians=400, side=64, wide=0, held_out=1, training=HeadTrainingConfig(steps=0)
    )
    first, numbers, kept = _motion(faces[0], 25), np.arange(FRAMES - 1), np.array([FRAMES - 1])
    other = OtherClip(
        path=folder / "1_second.mp4", motion=_motion(faces[1], 30), numbers=np.arange(12)
    )
    path = folder / "0_first.mp4"
    alone = learn_head(path, RIG, first, numbers, kept, 1280, config)
    both = learn_head(path, RIG, first, numbers, kept, 1280, config, others=[other])
    rows = [h.whole.motion.coefficients for h in (alone, both)]
    qualities = [h.quality(torch.from_numpy(c)) for h, c in zip((alone, both), rows, strict=True)]
    assert qualities[1] > qualities[0] - 0.5
    known = shown_colors(ShownClip(both.whole, both.held_out))
    assert 0.2 < np.nanmedian(known) < 0.9


def test_silent_videos_show_the_face_alone(tmp_path: Path) -> None:
    """They are named, and the others are learned from."""
    t = np.arange(7 * RATE) / RATE
    loud = 0.3 * np.sign(np.sin(2 * np.pi * 120 * t)) * np.maximum(0, np.sin(6 * np.pi * t))
    paths = [
        write_wav(tmp_path / "talks.wav", loud[:, None], RATE),
        write_wav(tmp_path / "silent.wav", 0 * loud[:, None], RATE),
    ]
    still = HeadMotion(
        names=("jawOpen", "browInnerUp"),
        times=np.arange(0, 6, 0.04),
        coefficients=np.random.default_rng(0).random((150, 2)).astype(np.float32),
        rotations=np.tile(np.eye(3), (150, 1, 1)),
        translations=np.zeros((150, 3)),
        rest=np.zeros((1, 3), np.float32),
        focal=1.0,
        width=1,
        height=1,
        residual=0.0,
    )
    said: list[str] = []
    job = stub(said, assume_speech=True)
    clips = [FaceClip(path=path) for path in paths]
    heard = face_speaker._heard(job, clips, [still, still], [0], None)
    assert len(heard) == 1 and heard[0].motion.shape[1] == 1
    assert clips[0].seconds > 5 and clips[1].seconds == 0
    assert "silent.wav" in said[0] and "its face is" in said[0]
