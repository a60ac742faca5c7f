"""Captures of other programs: footage behind the camera by whatever numbers, lenses with two focal
lengths, pictures of several shapes, and what can't be shown is said.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mathutils import Vector

from .backgrounds import shown_picture

SIZE = (64, 48)


def write_image(bpy: Any, path: Path, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("p", *size)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def write_capture(
    bpy: Any, folder: Path, names: list[str], each: list[dict] | None = None, **shared: Any
) -> Path:
    frames = []
    for at, name in enumerate(names):
        own = each[at] if each else {}
        write_image(bpy, folder / name, (own.get("w", SIZE[0]), own.get("h", SIZE[1])))
        pose = np.eye(4)
        pose[0, 3] = 0.1 * at
        frames.append({"file_path": name, "transform_matrix": pose.tolist(), **own})
    camera = {"fl_x": 60.0, "fl_y": 60.0, "cx": 32.0, "cy": 24.0, "w": SIZE[0], "h": SIZE[1]}
    data = {k: v for k, v in {**camera, **shared}.items() if v is not None}
    (folder / "transforms.json").write_text(json.dumps({**data, "frames": frames[::-1]}))
    return folder


def imported(bpy: Any, folder: Path) -> Any:
    assert bpy.ops.splatsmith.import_capture(directory=str(folder)) == {"FINISHED"}
    return bpy.context.scene.camera


def shown_numbers(bpy: Any, camera: Any, count: int) -> list[int | None]:
    """The number of the file behind the camera at each frame; None where there is none."""
    (background,) = camera.data.background_images
    numbers = []
    for frame in range(1, count + 1):
        bpy.context.scene.frame_set(frame)
        numbers.append(shown_picture(background.image_user, frame))
    return numbers


@pytest.mark.parametrize(("names", "numbers"), [
    (["images/frame_00001.png", "images/frame_00002.png", "images/frame_00003.png"], [1, 2, 3]),
    (["images/frame_9.png", "images/frame_10.png", "images/frame_11.png"], [9, 10, 11]),
    (["a/DSC0007_x.png", "a/DSC0009_x.png", "a/DSC0012_x.png"], [7, 9, 12]),
    (["0.png", "1.png", "2.png"], [0, 1, 2]),
])  # fmt: skip
def test_footage_stands_behind_the_camera_frame_by_frame(
    bpy: Any, tmp_path: Path, names: list[str], numbers: list[int]
) -> None:
    camera = imported(bpy, write_capture(bpy, tmp_path / "c", names))
    (background,) = camera.data.background_images
    assert background.image.filepath.endswith(Path(names[0]).name)
    assert background.image.source == "SEQUENCE" and camera.data.show_background_images
    assert shown_numbers(bpy, camera, 3) == numbers


def test_footage_with_gaps_and_times_keeps_both(bpy: Any, tmp_path: Path) -> None:
    """Blender hides a sequence that has ended: where keys pick the pictures, it never does."""
    names = [f"take2_{n}.png" for n in (8, 9, 11, 30)]
    times = [{"time": t / 24} for t in (0, 1, 5, 6)]
    camera = imported(bpy, write_capture(bpy, tmp_path / "c", names, times, fps=24.0))
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1, 7)
    assert shown_numbers(bpy, camera, 9) == [8, 9, 9, 9, 9, 11, 30, 30, 30]
    assert camera.data.background_images[0].image_user.use_cyclic
    for frame, x in ((1, 0.0), (2, 0.1), (6, 0.2), (7, 0.3)):
        bpy.context.scene.frame_set(frame)
        assert camera.location.x == pytest.approx(x, abs=1e-6)


@pytest.mark.parametrize(("numbers", "shown"), [
    ([3, 4, 7, 8], [3, 4, 4, 4, 7, 8, 8]),
    ([1, 2, 3, 6], [1, 2, 3, 3, 3, 6, 6]),
    ([10, 15], [10, 10, 10, 10, 10, 15, 15]),
    ([5, 6, 7, 8], [5, 6, 7, 8, None, None, None]),
])  # fmt: skip
def test_footage_whose_numbers_and_times_have_the_same_gaps_is_never_black(
    bpy: Any, tmp_path: Path, numbers: list[int], shown: list[int | None]
) -> None:
    """As a sequence of Blender's it would ask for the files of the gaps, which are not there."""
    times = [{"time": n / 24} for n in numbers]
    names = [f"images/{n:04d}.png" for n in numbers]
    camera = imported(bpy, write_capture(bpy, tmp_path / "c", names, times, fps=24.0))
    assert shown_numbers(bpy, camera, 7) == shown


@pytest.mark.parametrize("shown", [[1, 2, 3, 4], [2, 1, 4, 3], [4, 3, 2, 1]])
def test_footage_is_shown_in_the_order_of_its_times(
    bpy: Any, tmp_path: Path, shown: list[int]
) -> None:
    times = [{"time": shown.index(n) / 25} for n in (1, 2, 3, 4)]
    names = [f"images/{n:04d}.png" for n in (1, 2, 3, 4)]
    camera = imported(bpy, write_capture(bpy, tmp_path / "c", names, times, fps=25.0))
    assert shown_numbers(bpy, camera, 4) == shown


def test_footage_that_is_no_sequence_is_said(bpy: Any, tmp_path: Path, rooms: Any) -> None:
    folder = write_capture(bpy, tmp_path / "c", ["left.png", "middle.png", "right.png"])
    line = rooms("scene.results").import_capture(bpy.context, folder, "c")
    assert "not numbered as one sequence" in line
    assert not bpy.context.scene.camera.data.background_images


@pytest.mark.parametrize(("fl_x", "fl_y"), [(60.0, 80.0), (80.0, 60.0), (60.0, 60.0)])
def test_two_focal_lengths_become_the_pixels_shape(
    bpy: Any, tmp_path: Path, rooms: Any, fl_x: float, fl_y: float
) -> None:
    from bpy_extras.object_utils import world_to_camera_view

    names = [f"{i}.png" for i in range(3)]
    folder = write_capture(bpy, tmp_path / "c", names, fl_x=fl_x, fl_y=fl_y, cx=30.0, cy=20.0)
    camera, scene = imported(bpy, folder), bpy.context.scene
    scene.frame_set(1)
    record = rooms("scene.captures.solved_camera").pose_record(scene, camera, *SIZE)
    assert [record[k] for k in ("fl_x", "fl_y", "cx", "cy")] == pytest.approx(
        [fl_x, fl_y, 30, 20], rel=1e-5
    )
    point = camera.matrix_world @ Vector((0.2, 0.1, -1.0))
    seen = world_to_camera_view(scene, camera, point)
    wanted = (30 + 0.2 * fl_x) / SIZE[0], 1 - (20 - 0.1 * fl_y) / SIZE[1]
    assert (seen.x, seen.y) == pytest.approx(wanted, abs=1e-4)
    method = "FIT" if fl_x == fl_y else "STRETCH"
    assert camera.data.background_images[0].frame_method == method


def test_standing_pictures_among_lying_ones_keep_their_lens(bpy: Any, tmp_path: Path) -> None:
    standing = {"w": 48, "h": 64, "cx": 24.0, "cy": 32.0}
    names = [f"{i}.png" for i in range(4)]
    folder = write_capture(bpy, tmp_path / "c", names, [{}, {}, standing, {}])
    camera, scene = imported(bpy, folder), bpy.context.scene
    assert (scene.render.resolution_x, scene.render.resolution_y) == SIZE
    scene.frame_set(1)
    lying = camera.data.lens
    scene.frame_set(3)  # the picture is fitted into the view: 48 of 64 pixels high
    assert camera.data.lens == pytest.approx(lying * 48 / 64, rel=1e-5)
    assert (camera.data.shift_x, camera.data.shift_y) == pytest.approx((0, 0), abs=1e-6)


def test_what_blenders_camera_can_not_show_is_said(bpy: Any, tmp_path: Path, rooms: Any) -> None:
    names = [f"{i}.png" for i in range(3)]
    importing = rooms("scene.results").import_capture
    folder = write_capture(bpy, tmp_path / "bent", names, k1=0.1)
    assert "3 pictures have lens distortion" in importing(bpy.context, folder, "bent")
    folder = write_capture(bpy, tmp_path / "turned", names)
    data = json.loads((folder / "transforms.json").read_text())
    (folder / "transforms.json").write_text(json.dumps({**data, "w": 48, "h": 64}))
    assert "3 pictures are not of their camera's shape" in importing(bpy.context, folder, "turned")
    folder = write_capture(bpy, tmp_path / "fish", names, camera_model="OPENCV_FISHEYE")
    assert "3 pictures have lens distortion" in importing(bpy.context, folder, "fish")


def test_points_that_are_nowhere_are_counted(bpy: Any, tmp_path: Path, rooms: Any) -> None:
    folder = write_capture(bpy, tmp_path / "c", [f"{i}.png" for i in range(4)])
    head = "ply\nformat ascii 1.0\nelement vertex 3\n"
    head += "".join(f"property float {n}\n" for n in "xyz") + "end_header\n"
    (folder / "points3D.ply").write_text(head + "0 0 0\n1 nan 0\n0 1 0\n")
    line = rooms("scene.results").import_capture(bpy.context, folder, "c")
    assert "2 points" in line and "points3D.ply: 1 of 3 points left out" in line


def test_far_worlds_come_near_and_are_said(bpy: Any, tmp_path: Path, rooms: Any) -> None:
    folder = write_capture(bpy, tmp_path / "utm", [f"{i}.png" for i in range(4)])
    data = json.loads((folder / "transforms.json").read_text())
    for frame in data["frames"]:
        frame["transform_matrix"][0][3] += 500_000.0
        frame["transform_matrix"][1][3] += 4_500_000.0
    (folder / "transforms.json").write_text(json.dumps(data))
    line = rooms("scene.results").import_capture(bpy.context, folder, "utm")
    assert "moved by (500000, 4500000, 0)" in line
    places = []
    for number in range(1, 5):
        bpy.context.scene.frame_set(number)
        places.append(bpy.context.scene.camera.location.x)
    assert np.diff(places) == pytest.approx([0.1] * 3, abs=1e-5)


@pytest.mark.parametrize("touched", [False, True])
def test_the_default_cube_is_hidden_where_nobody_touched_it(
    bpy: Any, tmp_path: Path, capfd: Any, touched: bool
) -> None:
    bpy.ops.mesh.primitive_cube_add(size=2.0)
    cube = bpy.context.object
    cube.location.x = 0.5 * touched
    bpy.context.view_layer.update()
    imported(bpy, write_capture(bpy, tmp_path, ["1.png", "2.png", "3.png"]))
    assert cube.hide_get() is cube.hide_render is not touched
    assert ("which would stand in the picture, is hidden" in capfd.readouterr().out) is not touched
