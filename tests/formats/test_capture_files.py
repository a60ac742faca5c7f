"""Which files a capture names, and which of them are there."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.capture_files import POSE, image, refused, save

from backend.formats import capture, gate, transforms_json
from backend.formats.capture import Capture, Frame
from backend.formats.transforms_json import find_transforms
from backend.protocol import InputError


def test_where_the_list_of_cameras_is_looked_for(tmp_path: Path) -> None:
    save(tmp_path)
    for path in (tmp_path, tmp_path / "transforms.json"):
        assert find_transforms(path) == tmp_path / "transforms.json"
    (tmp_path / "transforms.json").rename(tmp_path / "transforms_train.json")
    assert find_transforms(tmp_path) == tmp_path / "transforms_train.json"
    save(tmp_path)
    assert find_transforms(tmp_path) == tmp_path / "transforms.json"
    (tmp_path / "Other.JSON").write_text("")
    assert find_transforms(tmp_path / "Other.JSON") == tmp_path / "Other.JSON"
    image(tmp_path / "a.png")
    for path in (tmp_path / "a.png", tmp_path / "none"):
        assert find_transforms(path) is None
        with pytest.raises(InputError, match=r"holds no transforms\.json"):
            capture.read(path)


@pytest.mark.parametrize(
    "name",
    [
        "/a.png",
        "../a.png",
        "b/../../a.png",
        "C:/a.png",
        "..\\a.png",
        "C:\\a.png",
        "\\\\server\\share\\a.png",
    ],
)
def test_no_picture_lies_outside(name: str, tmp_path: Path) -> None:
    assert "outside its folder" in refused(save(tmp_path, {"file_path": name}))
    assert "outside its folder" in refused(save(tmp_path, {"mask_path": name}))
    assert "outside its folder" in refused(save(tmp_path, ply_file_path=name))


@pytest.mark.parametrize("name", [None, "", 7, "a\0.png"])
def test_frames_name_a_picture(name: Any, tmp_path: Path) -> None:
    assert "no file_path" in refused(save(tmp_path, {"file_path": name}))


def test_names_without_an_ending_find_their_picture(tmp_path: Path) -> None:
    def found() -> str:
        return (
            capture.read(save(tmp_path, {"file_path": "sub\\a"}))
            .frames[0]
            .image.relative_to(tmp_path)
            .as_posix()
        )

    assert found() == "sub/a.png", "as nerf_synthetic means it"
    image(tmp_path / "sub" / "a.webp")
    assert found() == "sub/a.webp"
    image(tmp_path / "sub" / "a.jpg")
    assert found() == "sub/a.jpg"
    (tmp_path / "sub" / "a").write_bytes(b"")
    assert found() == "sub/a", "what is there by this name is meant"


def test_files_of_other_kinds_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "d.exr").write_bytes(b"")
    own = {"file_path": "gone.JPG", "depth_file_path": "d.exr"}
    frame = capture.read(save(tmp_path, own)).frames[0]
    assert (frame.image.name, frame.depth) == ("gone.JPG", tmp_path / "d.exr")


def test_sizes_come_from_the_picture_or_from_any_other(tmp_path: Path) -> None:
    image(tmp_path / "a.png", (21, 11))
    for without in (("w", "h"), ("w",), ("h",)):
        frame = capture.read(save(tmp_path, without=without)).frames[0]
        assert (frame.width, frame.height) == (21, 11)
    save(tmp_path, without=("w", "h"))
    data = json.loads((tmp_path / "transforms.json").read_text())
    lost = {"file_path": "lost.png", "transform_matrix": POSE}
    (tmp_path / "transforms.json").write_text(
        json.dumps({**data, "frames": [lost, *data["frames"]]})
    )
    assert [(f.image.name, f.width, f.height) for f in capture.read(tmp_path).frames] == [
        ("a.png", 21, 11),
        ("lost.png", 21, 11),
    ]
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert "a.png can't be read" in refused(tmp_path)
    (tmp_path / "a.png").unlink()
    assert "a.png is missing, and so is every other" in refused(tmp_path)


def test_points_are_those_that_are_there(tmp_path: Path) -> None:
    assert capture.read(save(tmp_path)).points is None
    (tmp_path / "points3D.ply").write_bytes(b"")
    assert capture.read(save(tmp_path)).points == tmp_path / "points3D.ply"
    assert capture.read(save(tmp_path, ply_file_path="other.ply")).points is None
    (tmp_path / "other.ply").write_bytes(b"")
    assert capture.read(save(tmp_path, ply_file_path="other.ply")).points == tmp_path / "other.ply"


def test_files_that_are_no_list_of_cameras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "transforms.json"
    for text, word in (
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "no frames"),
        ('{"frames": {}}', "no frames"),
    ):
        file.write_text(text)
        assert word in refused(tmp_path)
    file.write_bytes(b"\xff\xfe")
    assert "not valid JSON" in refused(tmp_path)
    length = save(tmp_path).joinpath("transforms.json").stat().st_size
    monkeypatch.setattr(transforms_json, "MAX_JSON", length)
    assert len(capture.read(tmp_path).frames) == 1
    monkeypatch.setattr(transforms_json, "MAX_JSON", length - 1)
    assert "too large" in refused(tmp_path)


def test_no_list_of_cameras_is_larger_than_256_megabytes(tmp_path: Path) -> None:
    with open(tmp_path / "transforms.json", "wb") as file:
        file.truncate(256 * 1024 * 1024 + 1)  # a hole, which takes no room
    assert "too large" in refused(tmp_path)


def test_without_pillow_sizes_have_to_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in Blender's Python."""
    image(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert len(capture.read(save(tmp_path)).frames) == 1
    frame = capture.read(save(tmp_path, without=("w",))).frames[0]
    assert (frame.width, frame.height) == (40, 30), "from the PNG's header"
    (tmp_path / "a.png").write_bytes(b"RIFF....WEBP")
    assert "a.png can't be read" in refused(save(tmp_path, without=("w",)))


def test_a_list_that_vanishes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> int:
        raise FileNotFoundError(2, "No such file")

    save(tmp_path)
    monkeypatch.setattr(gate.os, "open", gone)
    assert "There is no file" in refused(tmp_path)


def test_missing_pictures_are_counted(tmp_path: Path) -> None:
    frames = [
        Frame(
            image=tmp_path / f"{i}.png",
            camera_to_world=np.eye(4),
            fl_x=30,
            fl_y=30,
            cx=20,
            cy=15,
            width=40,
            height=30,
        )
        for i in range(3)
    ]
    image(tmp_path / "0.png")
    capture.require_images(Capture(root=tmp_path, frames=frames[:1]))
    with pytest.raises(
        InputError, match=r"2 of 3 pictures of the capture are missing, the first is 1\.png"
    ):
        capture.require_images(Capture(root=tmp_path, frames=frames))
