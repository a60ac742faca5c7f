"""transforms.json of other people: names, order, turns, lenses, layouts, poses, points."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.command_line import refusal
from helpers.foreign_solves import (
    COUNT,
    FOCAL,
    ON_SIDE,
    is_upright,
    marked,
    poses,
    read,
    save_turned,
    write_pictures,
    write_transforms,
)
from PIL import Image

from backend.formats import points_ply

pytestmark = pytest.mark.process
NAMES = [f"images/frame_{i:05d}.jpg" for i in range(1, COUNT + 1)]


def refused(source: Path, tmp_path: Path) -> str:
    failure = refusal("cameras", "--input", source, "--output", tmp_path / "no", "--no-depth")
    return failure.what


def change(folder: Path, **changes: Any) -> None:
    data = json.loads((folder / "transforms.json").read_text())
    (folder / "transforms.json").write_text(json.dumps({**data, **changes}))


@pytest.mark.parametrize(("spelled", "files"), [
    ("images/a{}.JPG", "images/a{}.jpg"), ("images\\a{}.jpg", "images/a{}.jpg"),
    ("images/a{}.png", "images/a{}.jpg"), ("frames/a{}.jpg", "images/a{}.jpg"),
    ("./Images/A{}.jpg", "images/a{}.jpg"), ("images/a{}", "images/a{}.png"),
    ("images/my photo ({}).jpg",) * 2, ("images/cam/a{}.jpg",) * 2,
    ("/home/someone/scene/images/a{}.jpg", "images/a{}.jpg"),
    ("C:\\scene\\images\\a{}.jpg", "images/a{}.jpg"),
])  # fmt: skip
def test_pictures_are_found_by_name(spelled: str, files: str, tmp_path: Path) -> None:
    names, there = ([form.format(i) for i in range(COUNT)] for form in (spelled, files))
    write_pictures(write_transforms(tmp_path / "scene", names), there)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == list(range(COUNT))
    np.testing.assert_allclose(result.places(), [p[:3, 3] for p in poses()], atol=1e-9)


@pytest.mark.parametrize(("folder", "name"), [
    ("ngp", "../images/a{}.jpg"), ("work/ngp", "../../images/a{}.jpg"),
    ("ngp", "..\\images\\cam\\a{}.jpg"), ("ngp", "../a{}.jpg"),
])  # fmt: skip
def test_pictures_may_lie_beside_the_folder(folder: str, name: str, tmp_path: Path) -> None:
    """As instant-ngp's colmap2nerf writes them."""
    names = [name.format(i) for i in range(COUNT)]
    write_transforms(tmp_path / folder, names)
    write_pictures(tmp_path, [n.replace("\\", "/").replace("../", "") for n in names])
    assert read(tmp_path / folder, tmp_path / "out").marks == list(range(COUNT))


@pytest.mark.parametrize("name", ["../../../etc/a{}.jpg", "a/../../b{}.jpg", "../secret/b{}.txt"])
def test_names_do_not_lead_further(name: str, tmp_path: Path) -> None:
    write_transforms(tmp_path / "x" / "scene", [name.format(i) for i in range(COUNT)])
    assert "outside its folder" in refused(tmp_path / "x" / "scene", tmp_path)


def test_names_that_fit_nothing_are_refused_with_the_list(tmp_path: Path) -> None:
    write_pictures(write_transforms(tmp_path / "scene", NAMES), ["images/other_1.jpg"])
    what = refused(tmp_path / "scene", tmp_path)
    assert "None of the pictures" in what and "frame_00001.jpg" in what


@pytest.mark.parametrize("names", [
    [f"images/frame_{i}.jpg" for i in range(7, 7 + COUNT)],
    [f"{c}/{i}.jpg" for c in ("cam2", "cam10") for i in (9, 10, 11, 100)],
    [f"images/{i}_rgb.png" for i in (0, 3, 5, 10, 20, 30, 100, 1000)],
])  # fmt: skip
def test_frames_come_in_natural_order(names: list[str], tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", names)
    write_pictures(folder, names)
    frames = json.loads((folder / "transforms.json").read_text())["frames"]
    change(folder, frames=[frames[i] for i in (3, 0, 7, 1, 6, 2, 5, 4)])
    result = read(folder, tmp_path / "out")
    assert result.sources == names and result.marks == list(range(COUNT))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_windows_tools_marks_are_read(encoding: str, tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES)
    write_pictures(folder, NAMES)
    text = (folder / "transforms.json").read_text()
    (folder / "transforms.json").write_bytes(text.encode(encoding))
    assert read(folder, tmp_path / "out").marks == list(range(COUNT))


# ---- pictures and their cameras
@pytest.mark.parametrize("orientation", [ON_SIDE, 8])
def test_pictures_stand_as_their_cameras_saw_them(orientation: int, tmp_path: Path) -> None:
    upright: dict[str, Any] = {"w": 120, "h": 160, "cx": 60.0, "cy": 80.0}
    folder = write_transforms(tmp_path / "scene", NAMES, **upright)
    for number, name in enumerate(NAMES):
        save_turned(marked(number, (120, 160)), folder / name, orientation)
    result = read(folder, tmp_path / "out")
    assert all(is_upright(f.image) for f in result.capture.frames)
    sizes = {(f.width, f.height, f.fl_x, f.fl_y) for f in result.capture.frames}
    assert sizes == {(120, 160, FOCAL, FOCAL)}


def test_portrait_and_landscape_pictures_and_several_cameras_in_one_set(tmp_path: Path) -> None:
    sizes = [(160, 120), (120, 160), (320, 180), (100, 100)] * 2
    each = [
        {"w": w, "h": h, "cx": w / 2, "cy": h / 2, "fl_x": 1.1 * w, "fl_y": 1.1 * w}
        for w, h in sizes
    ]
    folder = write_transforms(tmp_path / "scene", NAMES, each)
    for number, (name, size) in enumerate(zip(NAMES, sizes, strict=True)):
        save_turned(marked(number, size), folder / name)
    result = read(folder, tmp_path / "out")
    assert [(f.width, f.height) for f in result.capture.frames] == sizes
    assert [f.fl_x for f in result.capture.frames] == pytest.approx([1.1 * w for w, _ in sizes])
    assert result.marks == list(range(COUNT))


@pytest.mark.parametrize("wrong", [(120, 160), (160, 90), (160, 124)])
def test_pictures_of_another_shape_are_left_out_by_name(
    wrong: tuple[int, int], tmp_path: Path
) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES)
    write_pictures(folder, NAMES)
    save_turned(marked(2, wrong), folder / NAMES[2])
    result = read(folder, tmp_path / "out")
    assert result.marks == [0, 1, 3, 4, 5, 6, 7]
    assert f"{NAMES[2]} ({wrong[0]} x {wrong[1]} pixels" in result.said
    assert "7 of 8 cameras" in result.said


# ---- lenses
def straight_by_opencv(pixels: np.ndarray, lens: dict[str, Any], frame: Any) -> np.ndarray:
    """The picture (H, W, 3) of OpenCV's lens as the frame's pinhole sees it."""
    before = np.array([[FOCAL, 0, 79.5], [0, FOCAL, 59.5], [0, 0, 1]])
    after = frame.K.copy()
    after[:2, 2] -= 0.5
    keys = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
    numbers = np.array([lens.get(k, 0.0) for k in keys])
    size = (frame.width, frame.height)
    there = cv2.initUndistortRectifyMap(before, numbers, None, after, size, cv2.CV_32FC1)
    return cv2.remap(pixels, *there, cv2.INTER_LINEAR)


@pytest.mark.parametrize(("model", "lens"), [
    ("OPENCV", {"k1": 0.1, "k2": -0.02, "k3": 0.05, "p1": 0.002}),
    ("OPENCV", {"k1": -0.2, "k3": -0.05}),
    ("FULL_OPENCV", {"k1": 0.3, "k2": 0.1, "k4": 0.2, "k5": 0.1}),
])  # fmt: skip
def test_lenses_with_k3_and_more_are_straightened_as_opencv_does(
    model: str, lens: dict[str, Any], tmp_path: Path
) -> None:
    names = [n.replace("jpg", "png") for n in NAMES]
    folder = write_transforms(tmp_path / "scene", names, camera_model=model, **lens)
    write_pictures(folder, names)
    frame = read(folder, tmp_path / "out").capture.frames[0]
    wanted = straight_by_opencv(np.asarray(marked(0)), lens, frame)
    kept = np.asarray(Image.open(frame.image))
    inner = (slice(6, -6), slice(6, -6))
    assert np.abs(kept[inner].astype(int) - wanted[inner]).max() <= 2
    assert frame.is_pinhole and (frame.fl_x, frame.fl_y) == (FOCAL, FOCAL)


def test_the_eighth_power_of_nerfstudio_and_metashape(tmp_path: Path) -> None:
    """k4 of OPENCV: 1 + k1 r² + k2 r⁴ + k3 r⁶ + k4 r⁸; held against a picture drawn through it."""
    lens: dict[str, Any] = {"k1": 0.05, "k2": -0.03, "k3": 0.02, "k4": 0.08}
    names = [f"images/{i}.png" for i in range(COUNT)]
    folder = write_transforms(tmp_path / "scene", names, **lens)
    write_pictures(folder, names)
    frame = read(folder, tmp_path / "out").capture.frames[0]
    kept = np.asarray(Image.open(frame.image), float)
    for x, y in ((20, 20), (130, 90), (80, 20), (25, 60)):
        u, v = (x + 0.5 - frame.cx) / FOCAL, (y + 0.5 - frame.cy) / FOCAL
        r2 = u * u + v * v
        bent = 1 + sum(lens[f"k{i}"] * r2**i for i in (1, 2, 3, 4))
        place = np.array([u, v]) * bent * FOCAL + [80, 60]
        wanted = (200 * (place[0] - 0.5) / 160, 200 * (place[1] - 0.5) / 120)
        assert kept[y, x, 1:] == pytest.approx(wanted, abs=1.5)


@pytest.mark.parametrize("said", [
    {"camera_model": "OPENCV_FISHEYE"}, {"is_fisheye": True},
    {"camera_model": "OPENCV", "is_fisheye": True},
])  # fmt: skip
def test_fisheyes_are_straightened(said: dict[str, Any], tmp_path: Path) -> None:
    names = [n.replace("jpg", "png") for n in NAMES]
    lens: dict[str, Any] = {"k1": 0.02, "k2": -0.01, "k3": 0.0, "k4": 0.0}
    folder = write_transforms(tmp_path / "scene", names, **said, **lens)
    write_pictures(folder, names)
    frame = read(folder, tmp_path / "out").capture.frames[0]
    assert frame.is_pinhole
    kept = np.asarray(Image.open(frame.image), float)
    x, y = frame.width - 12, 12
    u, v = (x + 0.5 - frame.cx) / FOCAL, (y + 0.5 - frame.cy) / FOCAL
    r = np.hypot(u, v)
    angle = np.arctan(r)
    bent = angle * (1 + 0.02 * angle**2 - 0.01 * angle**4) / r
    place = np.array([u, v]) * bent * FOCAL + [80, 60]
    wanted = (200 * (place[0] - 0.5) / 160, 200 * (place[1] - 0.5) / 120)
    assert kept[y, x, 1:] == pytest.approx(wanted, abs=2)


@pytest.mark.parametrize("lens", [
    {"k1": -44.85, "k2": 1017.4, "p1": 0.62, "p2": 0.94}, {"k1": -5.0}, {"k1": 50.0},
    {"k3": -400.0}, {"camera_model": "OPENCV_FISHEYE", "k1": -9.0},
])  # fmt: skip
def test_absurd_distortion_is_refused(lens: dict[str, Any], tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES, **lens)
    write_pictures(folder, NAMES)
    assert "distortion can't be right" in refused(folder, tmp_path)


def test_a_lens_that_loses_the_borders_is_said(tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES, k1=1.0)
    write_pictures(folder, NAMES)
    assert "the borders are lost" in read(folder, tmp_path / "out").said


def test_each_picture_may_have_two_focal_lengths_of_its_own(tmp_path: Path) -> None:
    each = [{"fl_x": 150.0 + i, "fl_y": 170.0 - i} for i in range(COUNT)]
    folder = write_transforms(tmp_path / "scene", NAMES, each)
    write_pictures(folder, NAMES)
    frames = read(folder, tmp_path / "out").capture.frames
    assert [(f.fl_x, f.fl_y) for f in frames] == [(150.0 + i, 170.0 - i) for i in range(COUNT)]


# ---- what is left out, and points
def test_bad_poses_and_missing_pictures_are_counted_and_named(tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES)
    write_pictures(folder, NAMES)
    frames = json.loads((folder / "transforms.json").read_text())["frames"]
    frames[1]["transform_matrix"][0][3] = float("nan")
    frames[3]["transform_matrix"] = [[0] * 4] * 4
    frames[5]["transform_matrix"][2][3] = -1e15
    change(folder, frames=frames)
    (folder / NAMES[6]).unlink()
    result = read(folder, tmp_path / "out")
    assert result.marks == [0, 2, 4, 7]
    assert "3 of 8 cameras have no usable pose" in result.said
    assert ", ".join(NAMES[i] for i in (1, 3, 5)) in result.said
    assert "1 of 5 cameras have no picture and were left out: frame_00007.jpg" in result.said


BAD_FRAMES: dict[str, dict[str, Any]] = {
    "no usable lens": {"fl_x": "wide"},
    "must be above zero": {"fl_x": -150.0},
    "'fl_y' must be a finite number": {"fl_y": None},
    "is not supported": {"camera_model": "PANORAMA"},
    "does not know here": {"camera_model": "RADIAL_FISHEYE", "k3": 0.1},
    "pixels is impossible": {"w": 0},
    "distortion can't be right": {"k1": 1e6},
    "k4 = -90 can't be undone": {"k4": -90.0},
    "name no picture and were left out: number 4": {"file_path": ""},
    "1 of 8 frames name no picture": {"file_path": 7},
}


@pytest.mark.parametrize("said", BAD_FRAMES)
def test_one_bad_frame_among_many_is_left_out_by_name(said: str, tmp_path: Path) -> None:
    each = [BAD_FRAMES[said] if i == 3 else {} for i in range(COUNT)]
    folder = write_transforms(tmp_path / "scene", NAMES, each)
    write_pictures(folder, NAMES)
    result = read(folder, tmp_path / "out")
    assert result.marks == [0, 1, 2, 4, 5, 6, 7]
    assert said in result.said and "left out" in result.said
    assert (
        NAMES[3] in result.said or "number 4" in result.said or Path(NAMES[3]).name in result.said
    )


@pytest.mark.parametrize("said", BAD_FRAMES)
def test_bad_frames_among_few_are_refused(said: str, tmp_path: Path) -> None:
    each = [{}, {}, *[BAD_FRAMES[said]] * (COUNT - 2)]
    folder = write_transforms(tmp_path / "scene", NAMES, each)
    write_pictures(folder, NAMES)
    words = said.split(" and ")[0] if "picture" not in said else "a frame has no file_path"
    what = refused(folder, tmp_path)
    assert ("'fl_x' must be" if said == "no usable lens" else words) in what


@pytest.mark.parametrize("spelled", ["{}", "./{}", ".\\{}"])
def test_a_picture_that_is_listed_twice_counts_once(spelled: str, tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES)
    write_pictures(folder, NAMES)
    frames = json.loads((folder / "transforms.json").read_text())["frames"]
    change(folder, frames=[*frames, {**frames[2], "file_path": spelled.format(NAMES[2])}])
    result = read(folder, tmp_path / "out")
    assert result.marks == list(range(COUNT))
    assert "1 pictures are listed twice, and count once: " in result.said
    assert NAMES[2] in result.said


@pytest.mark.parametrize("other", [{"fl_x": 99.0}, {"transform_matrix": np.eye(4).tolist()}])
def test_a_picture_with_two_cameras_has_none(other: dict[str, Any], tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES)
    write_pictures(folder, NAMES)
    frames = json.loads((folder / "transforms.json").read_text())["frames"]
    change(folder, frames=[{**frames[2], **other}, *frames])
    result = read(folder, tmp_path / "out")
    assert result.marks == [0, 1, 3, 4, 5, 6, 7]
    assert f"with different cameras, and were left out: {NAMES[2]}" in result.said
    change(folder, frames=[{**frames[2], **other}, *frames[1:4]])
    assert f"twice, with different cameras: {NAMES[2]}" in refused(folder, tmp_path)


def test_masks_named_and_beside_come_along(tmp_path: Path) -> None:
    mask = np.full((60, 80), 255, np.uint8)  # half the pictures' size
    mask[:, :20] = 0
    named = [{"mask_path": f"masks/m{i}.PNG"} if i < 3 else {} for i in range(COUNT)]
    for scene, each in (("named", named), ("beside", [])):
        folder = write_transforms(tmp_path / scene, NAMES, each)
        write_pictures(folder, NAMES)
        (folder / "masks").mkdir()
    for i in range(3):
        Image.fromarray(mask).save(tmp_path / "named" / "masks" / f"m{i}.png")
        Image.fromarray(mask).save(tmp_path / "beside" / "masks" / f"frame_{i + 1:05d}.jpg.png")
    for scene in ("named", "beside"):
        result = read(tmp_path / scene, tmp_path / f"out-{scene}")
        assert [f.mask is not None for f in result.capture.frames] == [True] * 3 + [False] * 5
        kept = np.asarray(Image.open(result.capture.frames[2].mask or ""))
        assert (kept[:, :40] == 0).all() and (kept[:, 40:] == 255).all()
    assert "found by name: masks/m0.PNG" in read(tmp_path / "named", tmp_path / "x").said


def test_masks_come_along_with_rate_and_times(tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES, fps=29.97)
    write_pictures(folder, NAMES)
    data = json.loads((folder / "transforms.json").read_text())
    for number, frame in enumerate(data["frames"]):
        frame |= {"mask_path": f"masks/{number}.png", "time": number / 29.97}
        (folder / "masks").mkdir(exist_ok=True)
        Image.new("L", Image.open(folder / frame["file_path"]).size, 255).save(
            folder / frame["mask_path"]
        )
    change(folder, frames=data["frames"])
    captured = read(folder, tmp_path / "out").capture
    times = {Path(f["file_path"]).name: f["time"] for f in data["frames"]}
    assert captured.fps == 29.97 and all(f.mask for f in captured.frames)
    assert all(f.time == times[Path(f.source).name] for f in captured.frames)


def test_masks_of_turned_pictures_turn_with_them(tmp_path: Path) -> None:
    """Masks are made of the picture as stored, or as it is shown; their size tells which."""
    upright: dict[str, Any] = {"w": 120, "h": 160, "cx": 60.0, "cy": 80.0}
    folder = write_transforms(tmp_path / "scene", NAMES, **upright)
    hidden = np.full((160, 120), 255, np.uint8)
    hidden[:40] = 0  # the top, as it is shown
    for number, name in enumerate(NAMES):
        save_turned(marked(number, (120, 160)), folder / name, ON_SIDE)
        shown = Image.fromarray(hidden)
        stored = shown.transpose(Image.Transpose.ROTATE_90)
        place = folder / "masks" / f"{Path(name).name}.png"
        place.parent.mkdir(exist_ok=True)
        (shown if number % 2 else stored).save(place)
    for frame in read(folder, tmp_path / "out").capture.frames:
        kept = np.asarray(Image.open(frame.mask or ""))
        assert (kept[:40] == 0).all() and (kept[40:] == 255).all()


def test_points_that_are_nowhere_are_counted(tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES, ply_file_path="odd.ply")
    write_pictures(folder, NAMES)
    points = np.random.default_rng(0).uniform(-1, 1, (50, 3))
    points[7, 1] = np.nan
    points_ply.write(folder / "odd.ply", points, np.full((50, 3), 9, np.uint8))
    result = read(folder, tmp_path / "out")
    assert "odd.ply: 1 of 50 points left out" in result.said
    assert len(points_ply.read(tmp_path / "out" / "points3D.ply").positions) == 49


def test_surveyed_worlds_come_near_with_their_points(tmp_path: Path) -> None:
    folder = write_transforms(tmp_path / "scene", NAMES, ply_file_path="far.ply", fps=23.976)
    write_pictures(folder, NAMES)
    offset = np.array([500_000.0, 4_500_000.0, 120.0])
    data = json.loads((folder / "transforms.json").read_text())
    for frame in data["frames"]:
        for row in range(3):
            frame["transform_matrix"][row][3] += offset[row]
    change(folder, frames=data["frames"])
    points = np.random.default_rng(0).uniform(-1, 1, (50, 3))
    lines = "\n".join(" ".join(map(repr, p)) for p in (points + offset).tolist())
    head = "ply\nformat ascii 1.0\nelement vertex 50\n"
    head += "".join(f"property double {n}\n" for n in "xyz") + "end_header\n"
    (folder / "far.ply").write_text(head + lines + "\n")
    result = read(folder, tmp_path / "out")
    truth = np.stack([p[:3, 3] for p in poses()]) + offset
    np.testing.assert_allclose(result.places(), truth, atol=1e-8)
    assert result.capture.fps == 23.976, "and the footage's rate comes along"
    near = points_ply.read(tmp_path / "out" / "points3D.ply").positions
    world = result.capture.reading.world
    np.testing.assert_allclose(near + world.offset, points + offset, atol=1e-5)
    applied = json.loads((tmp_path / "out" / "transforms.json").read_text())["applied_transform"]
    np.testing.assert_array_equal(np.array(applied)[:, 3], -world.offset)
