"""Captures: round trip, the dialects of other programs, and conventions against each other."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from helpers import clips

from backend.formats import capture
from backend.geometry.conventions import align_similarity, from_viewmat, to_viewmat
from backend.protocol import InputError


def test_round_trip(tmp_path: Path) -> None:
    clips.write_capture(tmp_path, 4)
    first = capture.read(tmp_path)
    capture.write(tmp_path, first.frames, first.points)
    second = capture.read(tmp_path)
    assert [f.image for f in first.frames] == [f.image for f in second.frames]
    for a, b in zip(first.frames, second.frames, strict=True):
        np.testing.assert_allclose(a.camera_to_world, b.camera_to_world, atol=1e-12)
        np.testing.assert_array_equal(a.K, b.K)


def test_nerf_synthetic_dialect(tmp_path: Path) -> None:
    """camera_angle_x, no sizes, file_path without its ending."""
    clips.write_photos(tmp_path / "train", 3, (40, 30))
    frames = [
        {"file_path": f"./train/{i:03d}", "transform_matrix": np.eye(4).tolist()} for i in range(3)
    ]
    (tmp_path / "transforms_train.json").write_text(
        json.dumps({"camera_angle_x": 0.8, "frames": frames})
    )
    frame = capture.read(tmp_path).frames[0]
    assert frame.image.name == "000.png"
    assert (frame.width, frame.height) == (40, 30)
    assert frame.fl_x == pytest.approx(20 / math.tan(0.4))
    assert frame.cx == 20


def test_projection_agrees_with_the_ray_caster() -> None:
    """A point of the world lands on the pixel whose ray hits it: axes, signs and pixel centres in
    one go.
    """
    pose, focal = clips.camera_on_arc(0.7), 150.0
    pixel = np.array([100.5, 40.5])
    direction = np.array([(pixel[0] - 80) / focal, -(pixel[1] - 60) / focal, -1.0])
    point = pose[:3, 3] + 2.5 * pose[:3, :3] @ direction
    in_camera = to_viewmat(pose) @ [*point, 1]
    assert in_camera[2] == pytest.approx(2.5)
    np.testing.assert_allclose(in_camera[:2] / in_camera[2] * focal + [80, 60], pixel)
    np.testing.assert_allclose(from_viewmat(to_viewmat(pose)), pose, atol=1e-12)


def test_alignment_finds_a_similarity() -> None:
    g = np.random.default_rng(0)
    points = g.normal(size=(10, 3))
    turn, _ = np.linalg.qr(g.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    scale, rotation, shift = align_similarity(points, 2.5 * points @ turn.T + [1, 2, 3])
    assert scale == pytest.approx(2.5)
    np.testing.assert_allclose(rotation, turn, atol=1e-9)
    np.testing.assert_allclose(shift, [1, 2, 3], atol=1e-9)


@pytest.mark.parametrize(
    "change",
    [
        {"frames": []},
        {"frames": [7]},
        {"frames": "x"},
        {"fl_x": "wide"},
        {"fl_x": True},
        {"camera_model": "FISHEYE"},
        {"frames": [{"file_path": None}]},
        {"frames": [{"file_path": "images/000.png"}]},
        {"w": -3},
    ],
    ids=str,
)
def test_wrong_types_get_a_sentence(change: dict, tmp_path: Path) -> None:
    clips.write_capture(tmp_path, 3, (32, 24))
    data = json.loads((tmp_path / "transforms.json").read_text())
    (tmp_path / "transforms.json").write_text(json.dumps({**data, **change}))
    with pytest.raises(InputError):
        capture.read(tmp_path)


@pytest.mark.parametrize(("told", "read"), [(24000 / 1001, 24000 / 1001), (0.0, 0.0)])
def test_the_footages_rate_comes_back(tmp_path: Path, told: float, read: float) -> None:
    clips.write_capture(tmp_path, 4)
    first = capture.read(tmp_path)
    assert first.fps == 0
    capture.write(tmp_path, first.frames, first.points, fps=told)
    assert capture.read(tmp_path).fps == read
    assert ("fps" in json.loads((tmp_path / "transforms.json").read_text())) == bool(told)


@pytest.mark.parametrize("fps", ["24", True, -24, 1e9, None, [24], {}])
def test_a_rate_that_can_not_be_is_none(tmp_path: Path, fps: object) -> None:
    clips.write_capture(tmp_path, 3)
    path = tmp_path / "transforms.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "fps": fps}))
    assert capture.read(tmp_path).fps == 0
