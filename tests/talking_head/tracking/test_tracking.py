"""Regions, the detector's boxes, following a face that hides; and real faces, where the data is
there.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from helpers.places import DATA

from backend.protocol import InputError
from backend.talking_head.tracking.detector import FULL_RANGE, FaceDetector
from backend.talking_head.tracking.face_mesh import COUNT, LEFT_CORNER, RIGHT_CORNER, FaceLandmarks
from backend.talking_head.tracking.region import Region
from backend.talking_head.tracking.track import FaceTrackConfig, FaceTracker, track_video
from backend.talking_head.tracking.weights import demand_weights

WEIGHTS, TALKING = DATA / "weights/mediapipe_face", DATA / "talking"
real = [pytest.mark.data, pytest.mark.skipif(not WEIGHTS.is_dir(), reason="no ../shared/data")]


def test_a_region_shows_what_lies_in_it() -> None:
    """A dot on a picture is found in the cut-out where the region's matrix says, for turned and for
    much reduced ones.
    """
    image = np.zeros((600, 800, 3), np.uint8)
    image[298:303, 418:423] = 255
    for region in (
        Region(
            400,
            310,
            120,
            0.5,
        ),
        Region(400, 310, 500, -0.8),
    ):
        cut = region.cut(image, 100).astype(float).sum(2)
        rows, columns = np.indices(cut.shape) + 0.5
        at = np.array([(columns * cut).sum(), (rows * cut).sum()]) / cut.sum()
        matrix = region.matrix(100)
        np.testing.assert_allclose(matrix[:, :2] @ at + matrix[:, 2], [420.5, 300.5], atol=2.5)


def test_a_region_stands_upright_around_its_points() -> None:
    box = np.array([[-40, -10], [40, -10], [0, 50.0]])
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    region = Region.around((box @ turn.T + [200, 100]).astype(np.float32), 0, 1)
    np.testing.assert_allclose([region.x, region.y], turn @ [0, 20] + [200, 100], atol=1e-3)
    assert abs(region.size - 120) < 1e-3 and abs(region.angle - 0.3) < 1e-5


class BrightSpots:
    """A network that sees a face wherever one of its cells is bright: 30 pixels large, eyes left
    and right of the centre.
    """

    width = height = 192

    def __call__(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        cells = torch.nn.functional.avg_pool2d(image.mean(1, keepdim=True), 4).reshape(1, -1, 1)
        row = torch.tensor([0.0, 0, 30, 30, -5, -3, 5, -3, *[0] * 8])
        return {
            "rows": row.expand(1, len(cells[0]), 16),
            "scores": torch.where(cells > 0.5, cells * 4, -9.0),
        }


def test_boxes_come_back_in_pixels_of_the_picture() -> None:
    detector = FaceDetector(BrightSpots(), FULL_RANGE)  # type: ignore[arg-type]
    image = np.zeros((384, 768, 3), np.uint8)  # four pixels for one of the network's
    for x, y in ((160, 96), (176, 96), (560, 224)):  # the first two are one face, seen twice
        image[y : y + 16, x : x + 16] = 255
    faces = sorted(detector(image), key=lambda face: face.box[0])
    assert len(faces) == 2
    np.testing.assert_allclose(faces[0].box, [176 - 60, 104 - 60, 176 + 60, 104 + 60], atol=9)
    np.testing.assert_allclose(faces[1].box, [568 - 60, 232 - 60, 568 + 60, 232 + 60], atol=1)
    np.testing.assert_allclose(faces[1].right_eye - faces[1].left_eye, [40, 0], atol=1e-3)


def test_a_small_face_is_found_by_looking_closer() -> None:
    image = np.zeros((1080, 1920, 3), np.uint8)
    image[700:712, 1500:1512] = 255
    faces = FaceDetector(BrightSpots(), FULL_RANGE)(image)  # type: ignore[arg-type]
    assert len(faces) == 1 and np.abs(faces[0].box.reshape(2, 2).mean(0) - [1506, 706]).max() < 8


def follower(mesh: Any, faces: list[Any]) -> FaceTracker:
    tracker = FaceTracker.__new__(FaceTracker)
    tracker.config, tracker.mesh, tracker.detectors = (
        FaceTrackConfig(search=2),
        mesh,
        cast(Any, [lambda image: faces]),
    )
    return tracker


def test_a_face_that_hides_is_searched_for_and_found_again() -> None:
    points = np.zeros((COUNT, 3), np.float32)
    points[LEFT_CORNER, 0], points[RIGHT_CORNER, 0] = 40, 60
    face = SimpleNamespace(
        region=lambda: Region(50, 50, 100, 0), area=1.0, box=np.array([0, 0, 100, 100.0])
    )
    shown = iter(
        [0.9] * 2 + [0.9] * 3 + [0.1] * 3 + [0.9] * 9
    )  # the face's score at each look; two looks at the first frame
    tracker = follower(lambda image, region: FaceLandmarks(points, next(shown)), [face, face])
    rows, most = tracker.follow(iter([np.zeros((100, 100, 3), np.uint8)] * 8))
    assert [row is not None for row in rows] == [True] * 4 + [False, False] + [True] * 2
    assert most == 2


def test_missing_networks_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="face_landmark_with_attention"):
        demand_weights(tmp_path)


@pytest.mark.parametrize(
    "name", ["talk_french50/french.mp4", "sadtalker_aoc/WDA_AlexandriaOcasioCortez_000.mp4"]
)
@real[0]
@real[1]
def test_real_faces_are_followed(name: str) -> None:
    track = track_video(TALKING / name, FaceTracker(WEIGHTS), end=1.0)
    assert track.seen.all() and track.faces == 1 and 25 <= len(track.times) <= 31
    steps = np.abs(np.diff(track.points[:, :468, :2], axis=0)).mean()
    assert steps < 0.02 * np.linalg.norm(
        track.points[0, LEFT_CORNER, :2] - track.points[0, RIGHT_CORNER, :2]
    )


@pytest.mark.whole
@real[0]
@real[1]
def test_a_video_without_a_face_is_refused() -> None:
    video = next(path for path in sorted(DATA.rglob("*.mp4")) if "talking" not in str(path))
    with pytest.raises(InputError, match=r"No face|lost"):
        track_video(video, FaceTracker(WEIGHTS), end=1.0)
