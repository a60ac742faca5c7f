"""What transforms.json may say, by whichever program, and what is refused of it."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.formats import capture
from backend.formats.capture import Capture, Frame
from backend.protocol import InputError

POSE = [[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]
CAMERA = {"fl_x": 30.0, "fl_y": 31.0, "cx": 19.0, "cy": 16.0, "w": 40, "h": 30}


def save(folder: Path, frame: dict[str, Any] | None = None, without: tuple[str, ...] = (), **shared: Any) -> Path:
    """A capture of one frame whose record says `frame` beside its name and pose."""
    record = {"file_path": "a.png", "transform_matrix": POSE, **(frame or {})}
    data = {**CAMERA, **shared, "frames": [record]}
    text = json.dumps({key: value for key, value in data.items() if key not in without})
    (folder / "transforms.json").write_text(text)
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        capture.read(folder)
    return caught.value.what


def picture(path: Path, size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


# ------------------------------------------------------------------------------ what is read
def test_a_frame_takes_from_all_and_says_its_own(tmp_path: Path) -> None:
    (tmp_path / "d.exr").write_bytes(b"")
    own = {"w": 50, "k2": 0.5, "time": 1.25, "source": "IMG_1.jpg", "mask_path": "m.png", "depth_file_path": "d.exr"}
    frame = capture.read(save(tmp_path, own, k1=0.25)).frames[0]
    assert (frame.fl_x, frame.fl_y, frame.cx, frame.cy, frame.width, frame.height) == (30, 31, 19, 16, 50, 30)
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
    assert frame == Frame(frame.image, frame.camera_to_world, 30, 30, 20, 15, 40, 30)


def test_angles_of_view_for_focal_lengths(tmp_path: Path) -> None:
    no_focal = ("fl_x", "fl_y")
    frame = capture.read(save(tmp_path, without=no_focal, camera_angle_x=1.0)).frames[0]
    assert frame.fl_x == frame.fl_y == pytest.approx(20 / math.tan(0.5))
    frame = capture.read(save(tmp_path, without=no_focal, camera_angle_x=1.0, camera_angle_y=0.6)).frames[0]
    assert frame.fl_x == pytest.approx(20 / math.tan(0.5))
    assert frame.fl_y == pytest.approx(15 / math.tan(0.3))


@pytest.mark.parametrize(("angle", "focal"), [(0, 4e7), (-1, 4e7), (3.2, 0.0159), (100, 0.0159)])
def test_angles_of_view_that_no_lens_has_are_held_in_bounds(angle: float, focal: float, tmp_path: Path) -> None:
    frame = capture.read(save(tmp_path, without=("fl_x", "fl_y"), camera_angle_x=angle)).frames[0]
    assert frame.fl_x == pytest.approx(focal, rel=1e-2)


@pytest.mark.parametrize("model", ["OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL"])
def test_camera_models_without_a_fisheye(model: str, tmp_path: Path) -> None:
    assert len(capture.read(save(tmp_path, camera_model=model, is_fisheye=False)).frames) == 1
    assert "not supported" in refused(save(tmp_path, camera_model=model, is_fisheye=True))


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
    (np.diag([1.0, 1, -1, 1]).tolist(), "mirrored"), (np.diag([1.0, 1, 0, 1]).tolist(), "degenerate"),
    (np.eye(3).tolist(), "no usable pose"), (None, "no usable pose"), ("words", "no usable pose"), ([[1], [2, 3]], "no usable pose"),
    ([1.0], "no usable pose"), ([10**400], "no usable pose"), ([[1, 0, 0, math.nan], *POSE[1:]], "no usable pose"),
    ([[1, 0, 0, math.inf], *POSE[1:]], "no usable pose"),
])  # fmt: skip
def test_poses_that_are_none(matrix: Any, word: str, tmp_path: Path) -> None:
    assert word in refused(save(tmp_path, {"transform_matrix": matrix}))


# ------------------------------------------------------------------------------ numbers
@pytest.mark.parametrize("value", ["5", None, [5], True, math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_numbers_are_numbers(value: Any, tmp_path: Path) -> None:
    assert "'cx' must be a finite number" in refused(save(tmp_path, cx=value))


@pytest.mark.parametrize(("name", "value"), [("fl_x", 0), ("fl_x", -1), ("fl_y", 0), ("fl_y", -0.5)])
def test_focal_lengths_are_above_zero(name: str, value: float, tmp_path: Path) -> None:
    assert "above zero" in refused(save(tmp_path, **{name: value}))
    assert capture.read(save(tmp_path, **{name: 0.5})).frames[0].K.min() == 0


def test_a_focal_length_has_to_be_given(tmp_path: Path) -> None:
    assert "no focal length" in refused(save(tmp_path, without=("fl_x", "fl_y")))


@pytest.mark.parametrize("name", ["w", "h"])
def test_pictures_have_1_to_65536_pixels_a_side(name: str, tmp_path: Path) -> None:
    for good in (1, 65536):
        frame = capture.read(save(tmp_path, **{name: good})).frames[0]
        assert good in (frame.width, frame.height)
    for bad in (0, 65537):
        assert "impossible" in refused(save(tmp_path, **{name: bad}))


# ------------------------------------------------------------------------------ files
def test_where_the_list_of_cameras_is_looked_for(tmp_path: Path) -> None:
    save(tmp_path)
    for path in (tmp_path, tmp_path / "transforms.json"):
        assert capture.find_transforms(path) == tmp_path / "transforms.json"
    (tmp_path / "transforms.json").rename(tmp_path / "transforms_train.json")
    assert capture.find_transforms(tmp_path) == tmp_path / "transforms_train.json"
    save(tmp_path)
    assert capture.find_transforms(tmp_path) == tmp_path / "transforms.json"
    (tmp_path / "Other.JSON").write_text("")
    assert capture.find_transforms(tmp_path / "Other.JSON") == tmp_path / "Other.JSON"
    picture(tmp_path / "a.png")
    for path in (tmp_path / "a.png", tmp_path / "none"):
        assert capture.find_transforms(path) is None
        with pytest.raises(InputError, match=r"holds no transforms\.json"):
            capture.read(path)


@pytest.mark.parametrize("name", ["/a.png", "../a.png", "b/../../a.png", "C:/a.png", "..\\a.png", "C:\\a.png", "\\\\server\\share\\a.png"])
def test_no_picture_lies_outside(name: str, tmp_path: Path) -> None:
    assert "outside its folder" in refused(save(tmp_path, {"file_path": name}))
    assert "outside its folder" in refused(save(tmp_path, {"mask_path": name}))
    assert "outside its folder" in refused(save(tmp_path, ply_file_path=name))


@pytest.mark.parametrize("name", [None, "", 7, "a\0.png"])
def test_frames_name_a_picture(name: Any, tmp_path: Path) -> None:
    assert "no file_path" in refused(save(tmp_path, {"file_path": name}))


def test_names_without_an_ending_find_their_picture(tmp_path: Path) -> None:
    def found() -> str:
        return capture.read(save(tmp_path, {"file_path": "sub\\a"})).frames[0].image.relative_to(tmp_path).as_posix()

    assert found() == "sub/a.png", "as nerf_synthetic means it"
    picture(tmp_path / "sub" / "a.webp")
    assert found() == "sub/a.webp"
    picture(tmp_path / "sub" / "a.jpg")
    assert found() == "sub/a.jpg"
    (tmp_path / "sub" / "a").write_bytes(b"")
    assert found() == "sub/a", "what is there by this name is meant"


def test_files_of_other_kinds_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "d.exr").write_bytes(b"")
    own = {"file_path": "gone.JPG", "depth_file_path": "d.exr"}
    frame = capture.read(save(tmp_path, own)).frames[0]
    assert (frame.image.name, frame.depth) == ("gone.JPG", tmp_path / "d.exr")


def test_sizes_come_from_the_picture_or_from_any_other(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", (21, 11))
    for without in (("w", "h"), ("w",), ("h",)):
        frame = capture.read(save(tmp_path, without=without)).frames[0]
        assert (frame.width, frame.height) == (21, 11)
    save(tmp_path, without=("w", "h"))
    data = json.loads((tmp_path / "transforms.json").read_text())
    lost = {"file_path": "lost.png", "transform_matrix": POSE}
    (tmp_path / "transforms.json").write_text(json.dumps({**data, "frames": [lost, *data["frames"]]}))
    assert [(f.image.name, f.width, f.height) for f in capture.read(tmp_path).frames] == [("lost.png", 21, 11), ("a.png", 21, 11)]
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert "a.png can't be read" in refused(tmp_path)
    (tmp_path / "a.png").unlink()
    assert "lost.png is missing, and so is every other" in refused(tmp_path)


def test_points_are_those_that_are_there(tmp_path: Path) -> None:
    assert capture.read(save(tmp_path)).points is None
    (tmp_path / "points3D.ply").write_bytes(b"")
    assert capture.read(save(tmp_path)).points == tmp_path / "points3D.ply"
    assert capture.read(save(tmp_path, ply_file_path="other.ply")).points is None
    (tmp_path / "other.ply").write_bytes(b"")
    assert capture.read(save(tmp_path, ply_file_path="other.ply")).points == tmp_path / "other.ply"


def test_files_that_are_no_list_of_cameras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "transforms.json"
    for text, word in (("{", "not valid JSON"), ("[" * 100_000, "not valid JSON"), ("[]", "no frames"), ('{"frames": {}}', "no frames")):
        file.write_text(text)
        assert word in refused(tmp_path)
    file.write_bytes(b"\xff\xfe")
    assert "not valid JSON" in refused(tmp_path)
    length = save(tmp_path).joinpath("transforms.json").stat().st_size
    monkeypatch.setattr(capture, "MAX_JSON", length)
    assert len(capture.read(tmp_path).frames) == 1
    monkeypatch.setattr(capture, "MAX_JSON", length - 1)
    assert "too large" in refused(tmp_path)


def test_no_list_of_cameras_is_larger_than_256_megabytes(tmp_path: Path) -> None:
    with open(tmp_path / "transforms.json", "wb") as file:
        file.truncate(256 * 1024 * 1024 + 1)  # a hole, which takes no room
    assert "too large" in refused(tmp_path)


def test_without_pillow_sizes_have_to_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in Blender's Python."""
    picture(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert len(capture.read(save(tmp_path)).frames) == 1
    assert "does not tell the pictures' size" in refused(save(tmp_path, without=("w",)))


def test_a_list_that_vanishes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(self: Path, encoding: str) -> str:
        raise FileNotFoundError(2, "No such file")

    save(tmp_path)
    monkeypatch.setattr(Path, "read_text", gone)
    assert "can't be read: No such file" in refused(tmp_path)


def test_missing_pictures_are_counted(tmp_path: Path) -> None:
    frames = [Frame(tmp_path / f"{i}.png", np.eye(4), 30, 30, 20, 15, 40, 30) for i in range(3)]
    picture(tmp_path / "0.png")
    capture.require_pictures(Capture(tmp_path, frames[:1]))
    with pytest.raises(InputError, match=r"2 of 3 pictures of the capture are missing, the first is 1\.png"):
        capture.require_pictures(Capture(tmp_path, frames))


# ------------------------------------------------------------------------------ what is written
def test_all_of_a_frame_comes_back(tmp_path: Path) -> None:
    (tmp_path / "d.exr").write_bytes(b"")
    (tmp_path / "p.ply").write_bytes(b"")
    pose = np.array(POSE, float)
    full = Frame(tmp_path / "a.png", pose, 30, 31, 19, 16, 40, 30, (0.1, 0, 0.3, 0, 0, 0.6), 0.0, tmp_path / "m.png", "b", tmp_path / "d.exr")
    plain = Frame(tmp_path / "b.png", pose, 30, 32, 19, 16, 40, 30)
    capture.write(tmp_path, [full, plain], tmp_path / "p.ply")
    found = capture.read(tmp_path)
    assert found.points == tmp_path / "p.ply"
    for wanted, frame in zip((full, plain), found.frames, strict=True):
        np.testing.assert_array_equal(frame.camera_to_world, wanted.camera_to_world)
        assert {**vars(frame), "camera_to_world": 0} == {**vars(wanted), "camera_to_world": 0}


def test_what_all_frames_share_is_said_once_and_zeros_not_at_all(tmp_path: Path) -> None:
    frames = [Frame(tmp_path / f"{i}.png", np.eye(4), 30 + i // 2, 31, 19, 16, 40, 30) for i in range(3)]
    capture.write(tmp_path, frames, None)
    data = json.loads((tmp_path / "transforms.json").read_text())
    assert data.keys() == {"camera_model", "fl_y", "cx", "cy", "w", "h", "frames"}
    assert [record.keys() for record in data["frames"]] == [{"file_path", "fl_x", "transform_matrix"}] * 3
    capture.write(tmp_path, frames[:1], None)
    data = json.loads((tmp_path / "transforms.json").read_text())
    assert data["fl_x"] == 30 and data["frames"][0].keys() == {"file_path", "transform_matrix"}


def test_no_json_of_ours_holds_what_json_lacks(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        capture.write(tmp_path, [Frame(tmp_path / "a.png", np.eye(4), math.nan, 30, 20, 15, 40, 30)], None)
