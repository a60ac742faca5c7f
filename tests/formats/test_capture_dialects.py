"""What transforms.json may say, by whichever program, and what is refused of it."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.capture_files import POSE, refused, save

from backend.formats import capture
from backend.formats.capture import Frame


# ------------------------------------------------------------------------------ what is read
def test_a_frame_takes_from_all_and_says_its_own(tmp_path: Path) -> None:
    (tmp_path / "d.exr").write_bytes(b"")
    own = {
        "w": 50,
        "k2": 0.5,
        "time": 1.25,
        "source": "IMG_1.jpg",
        "mask_path": "m.png",
        "depth_file_path": "d.exr",
    }
    frame = capture.read(save(tmp_path, own, k1=0.25)).frames[0]
    assert (frame.fl_x, frame.fl_y, frame.cx, frame.cy, frame.width, frame.height) == (
        30,
        31,
        19,
        16,
        50,
        30,
    )
    assert frame.distortion == (0.25, 0.5, 0, 0, 0, 0)
    assert (frame.time, frame.source) == (1.25, "IMG_1.jpg")
    assert (frame.mask, frame.depth) == (tmp_path / "m.png", tmp_path / "d.exr")
    np.testing.assert_array_equal(frame.K, [[30, 0, 19], [0, 31, 16], [0, 0, 1]])
    np.testing.assert_array_equal(frame.camera_to_world, POSE)


def test_what_is_not_said_has_a_usual_value(tmp_path: Path) -> None:
    frame = capture.read(save(tmp_path, without=("fl_y", "cx", "cy"))).frames[0]
    assert (frame.fl_y, frame.cx, frame.cy) == (30, 20, 15)
    assert frame.distortion == (0,) * 6
    assert (frame.time, frame.mask, frame.source, frame.depth) == (None, None, "", None)
    assert frame == Frame(
        image=frame.image,
        camera_to_world=frame.camera_to_world,
        fl_x=30,
        fl_y=30,
        cx=20,
        cy=15,
        width=40,
        height=30,
    )


def test_angles_of_view_for_focal_lengths(tmp_path: Path) -> None:
    no_focal = ("fl_x", "fl_y")
    frame = capture.read(save(tmp_path, without=no_focal, camera_angle_x=1.0)).frames[0]
    assert frame.fl_x == frame.fl_y == pytest.approx(20 / math.tan(0.5))
    frame = capture.read(
        save(tmp_path, without=no_focal, camera_angle_x=1.0, camera_angle_y=0.6)
    ).frames[0]
    assert frame.fl_x == pytest.approx(20 / math.tan(0.5))
    assert frame.fl_y == pytest.approx(15 / math.tan(0.3))


@pytest.mark.parametrize(("angle", "focal"), [(0, 4e7), (-1, 4e7), (3.2, 0.0159), (100, 0.0159)])
def test_angles_of_view_that_no_lens_has_are_held_in_bounds(
    angle: float, focal: float, tmp_path: Path
) -> None:
    frame = capture.read(save(tmp_path, without=("fl_x", "fl_y"), camera_angle_x=angle)).frames[0]
    assert frame.fl_x == pytest.approx(focal, rel=1e-2)


@pytest.mark.parametrize(
    "model", ["OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL"]
)
def test_camera_models_without_a_fisheye(model: str, tmp_path: Path) -> None:
    frame = capture.read(save(tmp_path, camera_model=model, is_fisheye=False)).frames[0]
    assert frame.camera_model == "OPENCV" and frame.is_pinhole
    frame = capture.read(save(tmp_path, camera_model=model, is_fisheye=True)).frames[0]
    assert frame.camera_model == "OPENCV_FISHEYE" and not frame.is_pinhole


@pytest.mark.parametrize(("model", "more"), [
    ("FULL_OPENCV", {"k1": 0.1, "k6": 0.2}), ("OPENCV_FISHEYE", {"k4": 0.1}),
    ("RADIAL_FISHEYE", {"k2": 0.1}), ("THIN_PRISM_FISHEYE", {"p1": 0.1, "sx1": 0.2, "sy1": 0.3}),
    ("FISHEYE624", {"k5": 0.1, "s4": 0.2}),
])  # fmt: skip
def test_lenses_that_bend_lines_come_back_as_they_are(
    model: str, more: dict[str, Any], tmp_path: Path
) -> None:
    frames = capture.read(save(tmp_path, camera_model=model, **more)).frames
    assert frames[0].camera_model == model and not frames[0].is_pinhole
    (tmp_path / "again").mkdir()
    moved = [replace(f, image=tmp_path / "again" / "a.png") for f in frames]
    capture.write(tmp_path / "again", moved, None)
    again = capture.read(tmp_path / "again").frames[0]
    assert again.camera_model == model
    assert (again.distortion, again.more_distortion) == (
        frames[0].distortion,
        frames[0].more_distortion,
    )
    values = (*again.distortion, *again.more_distortion)
    assert sorted(v for v in values if v) == sorted(more.values())


@pytest.mark.parametrize(("model", "key"), [
    ("OPENCV", "k5"), ("OPENCV", "s1"), ("PINHOLE", "b1"), ("OPENCV_FISHEYE", "p1"),
    ("RADIAL_FISHEYE", "k3"), ("FULL_OPENCV", "skew"),
])  # fmt: skip
def test_distortion_that_a_model_lacks_is_not_dropped(model: str, key: str, tmp_path: Path) -> None:
    more: dict[str, Any] = {key: 0.25}
    assert f"{key!r} = 0.25" in refused(save(tmp_path, camera_model=model, **more))
    more = {key: 0.0}
    assert capture.read(save(tmp_path, camera_model=model, **more)).frames


@pytest.mark.parametrize("model", ["EQUIRECTANGULAR", "FISHEYE", 7, None, "ORTHOPHOTO"])
def test_models_that_no_pinhole_can_stand_for(model: Any, tmp_path: Path) -> None:
    assert "not supported" in refused(save(tmp_path, camera_model=model))


def test_poses_of_three_rows_and_of_rounded_numbers(tmp_path: Path) -> None:
    """A pose's rotation is made exact: the nearest one, without what scale the file gave it."""
    frame = capture.read(save(tmp_path, {"transform_matrix": POSE[:3]})).frames[0]
    np.testing.assert_array_equal(frame.camera_to_world, POSE)
    scaled = np.array(POSE, float)
    scaled[:3, :3] *= 2.5
    frame = capture.read(save(tmp_path, {"transform_matrix": scaled.tolist()})).frames[0]
    np.testing.assert_allclose(frame.camera_to_world, POSE, atol=1e-12)


def test_a_pose_may_be_as_small_as_a_rounding_error_is_not(tmp_path: Path) -> None:
    small = np.diag([1, 1, 2e-9, 1]).tolist()
    assert len(capture.read(save(tmp_path, {"transform_matrix": small})).frames) == 1
    flat = np.diag([1, 1, 0.5e-9, 1]).tolist()
    assert "degenerate" in refused(save(tmp_path, {"transform_matrix": flat}))


@pytest.mark.parametrize(("matrix", "word"), [
    (np.diag([1.0, 1, -1, 1]).tolist(), "mirrored"),
    (np.diag([1.0, 1, 0, 1]).tolist(), "degenerate"), (np.eye(3).tolist(), "no usable pose"),
    (None, "no usable pose"), ("words", "no usable pose"), ([[1], [2, 3]], "no usable pose"),
    ([1.0], "no usable pose"), ([10**400], "not valid JSON"),
    ([[1, 0, 0, math.nan], *POSE[1:]], "no usable pose"),
    ([[1, 0, 0, math.inf], *POSE[1:]], "no usable pose"),
])  # fmt: skip
def test_poses_that_are_none(matrix: Any, word: str, tmp_path: Path) -> None:
    assert word in refused(save(tmp_path, {"transform_matrix": matrix}))


# ------------------------------------------------------------------------------ numbers
@pytest.mark.parametrize(
    "value", ["5", None, [5], True, math.nan, math.inf, -math.inf, 1e300, -1e300]
)
def test_numbers_are_numbers(value: Any, tmp_path: Path) -> None:
    assert "'cx' must be a finite number" in refused(save(tmp_path, cx=value))


@pytest.mark.parametrize(
    ("name", "value"), [("fl_x", 0), ("fl_x", -1), ("fl_y", 0), ("fl_y", -0.5)]
)
def test_focal_lengths_are_above_zero(name: str, value: Any, tmp_path: Path) -> None:
    half: Any = 0.5
    assert "above zero" in refused(save(tmp_path, **{name: value}))
    assert capture.read(save(tmp_path, **{name: half})).frames[0].K.min() == 0


def test_a_focal_length_has_to_be_given(tmp_path: Path) -> None:
    assert "no focal length" in refused(save(tmp_path, without=("fl_x", "fl_y")))


@pytest.mark.parametrize("name", ["w", "h"])
def test_pictures_have_1_to_65536_pixels_a_side(name: str, tmp_path: Path) -> None:
    good: Any
    bad: Any
    for good in (1, 65536):
        frame = capture.read(save(tmp_path, **{name: good})).frames[0]
        assert good in (frame.width, frame.height)
    for bad in (0, 65537):
        assert "impossible" in refused(save(tmp_path, **{name: bad}))


# ------------------------------------------------------------------------------ what is written
def test_all_of_a_frame_comes_back(tmp_path: Path) -> None:
    (tmp_path / "d.exr").write_bytes(b"")
    (tmp_path / "p.ply").write_bytes(b"")
    pose = np.array(POSE, float)
    full = Frame(
        image=tmp_path / "a.png",
        camera_to_world=pose,
        fl_x=30,
        fl_y=31,
        cx=19,
        cy=16,
        width=40,
        height=30,
        distortion=(0.1, 0, 0.3, 0, 0, 0.6),
        time=0.0,
        mask=tmp_path / "m.png",
        source="b",
        depth=tmp_path / "d.exr",
    )
    plain = Frame(
        image=tmp_path / "b.png",
        camera_to_world=pose,
        fl_x=30,
        fl_y=32,
        cx=19,
        cy=16,
        width=40,
        height=30,
    )
    capture.write(tmp_path, [full, plain], tmp_path / "p.ply")
    found = capture.read(tmp_path)
    assert found.points == tmp_path / "p.ply"
    for wanted, frame in zip((full, plain), found.frames, strict=True):
        np.testing.assert_array_equal(frame.camera_to_world, wanted.camera_to_world)
        assert {**vars(frame), "camera_to_world": 0} == {**vars(wanted), "camera_to_world": 0}


def test_what_all_frames_share_is_said_once_and_zeros_not_at_all(tmp_path: Path) -> None:
    frames = [
        Frame(
            image=tmp_path / f"{i}.png",
            camera_to_world=np.eye(4),
            fl_x=30 + i // 2,
            fl_y=31,
            cx=19,
            cy=16,
            width=40,
            height=30,
        )
        for i in range(3)
    ]
    capture.write(tmp_path, frames, None)
    data = json.loads((tmp_path / "transforms.json").read_text())
    assert data.keys() == {"camera_model", "fl_y", "cx", "cy", "w", "h", "frames"}
    assert [record.keys() for record in data["frames"]] == [
        {"file_path", "fl_x", "transform_matrix"}
    ] * 3
    capture.write(tmp_path, frames[:1], None)
    data = json.loads((tmp_path / "transforms.json").read_text())
    assert data["fl_x"] == 30 and data["frames"][0].keys() == {"file_path", "transform_matrix"}


def test_no_json_of_ours_holds_what_json_lacks(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        capture.write(
            tmp_path,
            [
                Frame(
                    image=tmp_path / "a.png",
                    camera_to_world=np.eye(4),
                    fl_x=math.nan,
                    fl_y=30,
                    cx=20,
                    cy=15,
                    width=40,
                    height=30,
                )
            ],
            None,
        )
