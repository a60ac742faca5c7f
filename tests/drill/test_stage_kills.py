"""Jobs that are killed at random moments end as unbroken ones do, byte for byte."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from helpers.talking_face import TalkingFace, talking_face

from backend.media import video_parts
from backend.media.video_writer import VideoWriter
from backend.protocol import Request
from backend.semantics.rendering.render_job import PICTURES
from backend.talking_head import face_job
from backend.talking_head.face_verb import PRESETS, FaceOptions, FacePreset
from backend.talking_head.rigs.correspondence import Correspondence
from backend.talking_head.rigs.small_head.build import small_head
from backend.talking_head.talk_verb import TalkOptions
from backend.talking_head.tracking.face_mesh import COUNT, FaceLandmarks
from backend.talking_head.tracking.region import Region
from backend.talking_head.tracking.track import FaceTrackConfig, FaceTracker
from tests.drill import same_bytes_inputs as inputs, stage_requests as requests
from tests.drill.stage_kills import Drill, drill, run_here

pytestmark = pytest.mark.whole
FRAMES, CORNER = 8, 16  # of the face's video; pixels in which a frame tells its number


def holds(done: Drill, kills: int) -> None:
    assert done.kills == kills and done.resumed
    assert not done.differing


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture and splats of it."""
    folder = tmp_path_factory.mktemp("trained")
    requests.train(folder)
    return folder


def test_training_goes_on(trained: Path, tmp_path: Path) -> None:
    holds(drill(requests.splats(trained, 60), tmp_path, kills=2), 2)


def test_finding_objects_goes_on(trained: Path, tmp_path: Path) -> None:
    holds(drill(requests.segment(trained), tmp_path, kills=4), 4)


def test_rendering_goes_on(trained: Path, tmp_path: Path) -> None:
    holds(drill(requests.render(trained), tmp_path, kills=3), 3)


def test_pictures_stay_until_there_is_a_result(trained: Path, tmp_path: Path) -> None:
    """A kill while the video is written leaves all of them."""
    request = requests.render(trained)
    whole, _ = run_here(request, tmp_path / "whole")
    last_word = whole.moments - 2  # before that of the result
    run_here(request, tmp_path / "killed", last_word)
    kept = (tmp_path / "killed/checkpoint" / PICTURES).glob("*.png")
    assert len(list(kept)) == len(list((tmp_path / "whole/result").glob("*.png")))


def test_talking_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_parts, "LENGTH", 3)
    inputs.bust(tmp_path)
    options = TalkOptions(background="plain", size=64)
    request = Request(verb="talk", input=str(tmp_path), options=options, device="cpu")
    holds(drill(request, tmp_path / "drill", kills=3), 3)


def test_a_mesh_goes_on(tmp_path: Path) -> None:
    holds(drill(requests.mesh(tmp_path), tmp_path, kills=3), 3)


@pytest.mark.process
def test_known_cameras_go_on(tmp_path: Path) -> None:
    """Matching, triangulation, the capture, depth."""
    holds(drill(requests.known_cameras(tmp_path), tmp_path, kills=2, seed=5), 2)


@pytest.fixture
def filmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rendered face, and a tracker that knows where its points are."""
    rig = small_head()
    points = np.random.default_rng(0).choice(np.flatnonzero(rig.neutral[:, 2] > 3), COUNT)
    face = talking_face(rig, points, 40, size=128, seed=3)  # fewer would leave the picture
    face.views = face.views[:FRAMES]
    writer = VideoWriter(tmp_path / "face.mp4", 25.0, 128, 128)
    for number, image in enumerate(_numbered(face)):
        writer.add(image)
        assert number < FRAMES
    writer.close()

    def mesh(image: np.ndarray, region: Region) -> FaceLandmarks:
        number = round(float(image[:CORNER, :CORNER].mean()) / 20)
        projected = face.projected(number)[points]
        return FaceLandmarks(np.pad(projected, ((0, 0), (0, 1))).astype(np.float32), 0.9)

    tracker = FaceTracker.__new__(FaceTracker)
    tracker.config, tracker.mesh = FaceTrackConfig(), cast(Any, mesh)
    box = SimpleNamespace(
        region=lambda: Region(64, 64, 80, 0), area=1.0, box=np.array([0, 0, 128, 128.0])
    )
    tracker.detectors = cast(Any, [lambda image: [box]])
    where = Correspondence(points, np.zeros((COUNT, 3), np.float32), 0.0)
    monkeypatch.setattr(face_job, "FaceTracker", lambda folder: tracker)
    monkeypatch.setattr(face_job, "_weights", lambda job, options: tmp_path)
    monkeypatch.setattr(face_job, "find_correspondence", lambda *_, **__: where)
    small = FacePreset(speech_steps=20, gaussians=400, side=64, frames=6, head_steps=12)
    monkeypatch.setitem(PRESETS, "fast", small)
    return tmp_path / "face.mp4"


def _numbered(face: TalkingFace) -> Iterator[np.ndarray]:
    for number, image in enumerate(face.images()):
        marked = image.copy()
        marked[:CORNER, :CORNER] = 20 * number
        yield marked


def test_a_face_goes_on(filmed: Path, tmp_path: Path) -> None:
    request = Request(
        verb="face",
        input=str(filmed),
        options=FaceOptions(tracker=str(tmp_path), teach=False),
        preset="fast",
        device="cpu",
    )
    holds(drill(request, tmp_path / "drill", kills=4), 4)


def test_a_face_of_several_videos_goes_on(filmed: Path, tmp_path: Path) -> None:
    other = filmed.with_name("again.mp4")
    other.write_bytes(filmed.read_bytes())
    request = Request(
        verb="face",
        input=str(filmed),
        options=FaceOptions(tracker=str(tmp_path), teach=False, more=str(other)),
        preset="fast",
        device="cpu",
    )
    holds(drill(request, tmp_path / "drill", kills=4), 4)
