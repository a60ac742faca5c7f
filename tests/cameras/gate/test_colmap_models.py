"""COLMAP models of other people: pictures found by name, order, sizes, turns, lenses, layouts, and
whatever is left out is named.
"""

import struct
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from helpers.command_line import refusal
from helpers.foreign_solves import (
    COUNT,
    FOCAL,
    ON_SIDE,
    SIZE,
    UPSIDE,
    Model,
    is_upright,
    mark_of,
    marked,
    poses,
    read,
    save_turned,
    write_pictures,
)
from PIL import Image

from backend.geometry.conventions import to_viewmat

pytestmark = pytest.mark.process
NAMES = [f"img_{i:03d}.jpg" for i in range(COUNT)]


def refused(source: Path, tmp_path: Path) -> str:
    failure = refusal("cameras", "--input", source, "--output", tmp_path / "no", "--no-depth")
    return failure.what


@pytest.mark.parametrize(("spelled", "files"), [
    ([f"img_{i}.JPG" for i in range(COUNT)], [f"img_{i}.jpg" for i in range(COUNT)]),
    ([f"IMG_{i}.jpg" for i in range(COUNT)], [f"img_{i}.jpg" for i in range(COUNT)]),
    ([f"img_{i}.jpg" for i in range(COUNT)], [f"img_{i}.png" for i in range(COUNT)]),
    ([f"cam/img_{i}.jpg" for i in range(COUNT)], [f"img_{i}.jpg" for i in range(COUNT)]),
    ([f"cam\\img_{i}.jpg" for i in range(COUNT)], [f"cam/img_{i}.jpg" for i in range(COUNT)]),
    ([f"./img_{i}.jpeg" for i in range(COUNT)], [f"img_{i}.jpg" for i in range(COUNT)]),
    ([f"img_{i}.jpg" for i in range(COUNT)], [f"left/img_{i}.jpg" for i in range(COUNT)]),
    ([f"A-DJI 2024 plan ({i}).jpg" for i in range(COUNT)],) * 2,
    ([f"Kölner Dom {i}.jpg" for i in range(COUNT)],) * 2,
])  # fmt: skip
def test_pictures_are_found_by_name(spelled: list[str], files: list[str], tmp_path: Path) -> None:
    Model(names=spelled).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", files)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == list(range(COUNT)) and result.sources == spelled
    np.testing.assert_allclose(result.places(), [p[:3, 3] for p in poses()], atol=1e-9)
    assert ("spelled otherwise" in result.said) == (spelled != files)


def test_names_that_fit_nothing_are_refused_with_both_lists(tmp_path: Path) -> None:
    Model(names=NAMES).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", [f"photo_{i}.jpg" for i in range(COUNT)])
    what = refused(tmp_path / "scene", tmp_path)
    assert "img_000.jpg" in what and "photo_0.jpg" in what


def test_two_files_that_fit_one_name_are_not_guessed_between(tmp_path: Path) -> None:
    Model(names=[f"{i}.tif" for i in range(COUNT)]).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", [f"{i}.jpg" for i in range(COUNT)])
    save_turned(marked(9), tmp_path / "scene" / "images" / "3.png")
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == [0, 1, 2, 4, 5, 6, 7]
    assert "1 of 8 cameras have no picture and were left out: 3.tif" in result.said


@pytest.mark.parametrize("names", [
    [f"frame_{i}.jpg" for i in range(7, 7 + COUNT)],
    [f"{c}/{i}.jpg" for c in ("cam2", "cam10") for i in (9, 10, 11, 100)],
    [f"v1.{i}-final.jpg" for i in (1, 2, 10, 11, 12, 20, 100, 101)],
    [f"Take{i}.JPG" for i in (0, 3, 5, 10, 20, 30, 100, 1000)],
])  # fmt: skip
def test_pictures_come_in_natural_order(names: list[str], tmp_path: Path) -> None:
    shuffled = [names[i] for i in (3, 0, 7, 1, 6, 2, 5, 4)]
    Model(names=shuffled).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", shuffled)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.sources == names
    assert [f.image.stem for f in result.capture.frames] == [f"{i:04d}" for i in range(1, 9)]


# ---- pictures and their cameras
@pytest.mark.parametrize("orientation", [ON_SIDE, 8])
def test_pictures_stand_as_their_cameras_saw_them(orientation: int, tmp_path: Path) -> None:
    camera = {1: "PINHOLE 120 160 150 150 60 80"}
    Model(names=NAMES, cameras=camera).write(tmp_path / "scene" / "sparse" / "0")
    for number, name in enumerate(NAMES):
        picture = marked(number, (120, 160))
        save_turned(picture, tmp_path / "scene" / "images" / name, orientation)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert all(is_upright(f.image) for f in result.capture.frames)
    assert {(f.width, f.height, f.fl_x, f.fl_y) for f in result.capture.frames} == {
        (120, 160, FOCAL, FOCAL)
    }
    assert "8 of 8 pictures were turned upright" in result.said


def test_pictures_that_were_solved_as_stored_lose_their_stale_turn(tmp_path: Path) -> None:
    Model(names=NAMES).write(tmp_path / "scene" / "sparse" / "0")
    for number, name in enumerate(NAMES):
        path = tmp_path / "scene" / "images" / name
        save_turned(marked(number, (120, 160)), path, ON_SIDE)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert {(f.width, f.height, f.fl_x) for f in result.capture.frames} == {(*SIZE, FOCAL)}
    first = result.capture.frames[0].image
    with Image.open(tmp_path / "scene" / "images" / NAMES[0]) as stored, Image.open(first) as kept:
        np.testing.assert_array_equal(np.asarray(stored), np.asarray(kept), "not stored anew")


def test_a_turn_that_sizes_do_not_tell_of_follows_the_others(tmp_path: Path) -> None:
    """A phone's landscape photos, some upside down, among portrait ones that were solved upright;
    alone nothing tells, and that is said.
    """
    cameras = {1: "PINHOLE 160 120 150 150 80 60", 2: "PINHOLE 120 160 150 150 60 80"}
    model = Model(names=NAMES, cameras=cameras, camera_of=lambda i: 2 if i < 4 else 1)
    model.write(tmp_path / "scene" / "sparse" / "0")
    Model(names=NAMES).write(tmp_path / "alone" / "sparse" / "0")
    for number, name in enumerate(NAMES):
        for scene in ("scene", "alone"):
            stands = number < 4 and scene == "scene"
            picture = marked(number, SIZE[::-1] if stands else SIZE)
            save_turned(picture, tmp_path / scene / "images" / name, ON_SIDE if stands else UPSIDE)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert all(is_upright(f.image) for f in result.capture.frames)
    result = read(tmp_path / "alone", tmp_path / "out2")
    assert not any(is_upright(f.image) for f in result.capture.frames)
    assert "8 of 8 pictures have an EXIF turn that their cameras say nothing of" in result.said


def test_pictures_of_one_camera_may_have_several_sizes(tmp_path: Path) -> None:
    Model(names=NAMES).write(tmp_path / "scene" / "sparse" / "0")
    sizes = [(80, 60), (160, 120), (320, 240), (107, 80)] * 2
    for number, (name, size) in enumerate(zip(NAMES, sizes, strict=True)):
        save_turned(marked(number, size), tmp_path / "scene" / "images" / name)
    result = read(tmp_path / "scene", tmp_path / "out")
    for frame, size in zip(result.capture.frames, sizes, strict=True):
        assert (frame.width, frame.height) == size
        assert frame.fl_x == pytest.approx(FOCAL * size[0] / 160)
        assert frame.fl_y == pytest.approx(FOCAL * size[1] / 120)
        assert frame.cx == pytest.approx(size[0] / 2)


@pytest.mark.parametrize("wrong", [(120, 160), (160, 90), (100, 100), (160, 124)])
def test_pictures_of_another_shape_are_left_out_by_name(
    wrong: tuple[int, int], tmp_path: Path
) -> None:
    Model(names=NAMES).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", NAMES)
    for name in NAMES[2:4]:
        save_turned(marked(9, wrong), tmp_path / "scene" / "images" / name)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == [0, 1, 4, 5, 6, 7]
    said = f"img_002.jpg ({wrong[0]} x {wrong[1]} pixels, its camera 160 x 120)"
    assert "2 of 8 pictures are not of their camera's shape" in result.said and said in result.said
    write_pictures(tmp_path / "scene" / "images", NAMES, wrong)
    assert "None of the pictures fits its camera" in refused(tmp_path / "scene", tmp_path)


# ---- layouts
@pytest.mark.parametrize(("model", "images"), [
    ("sparse/0", "images"), ("sparse", "images"), ("colmap/sparse/0", "images"),
    ("dense/0/sparse", "dense/0/images"), ("dense/sparse", "dense/images"),
    ("distorted/sparse/0", "input"), (".", "."), ("0", "images"), ("sparse/0", "rgb"),
    ("colmap/sparse", "colmap/images"),
])  # fmt: skip
def test_models_are_found_where_programs_put_them(model: str, images: str, tmp_path: Path) -> None:
    Model(names=NAMES).write(tmp_path / "scene" / model)
    write_pictures(tmp_path / "scene" / images, NAMES)
    assert read(tmp_path / "scene", tmp_path / "out").marks == list(range(COUNT))


def test_the_largest_model_is_read_and_the_others_named(tmp_path: Path) -> None:
    for number, part in enumerate((NAMES[:2], NAMES[2:], NAMES[:3])):
        Model(names=part).write(tmp_path / "scene" / "sparse" / str(number))
    write_pictures(tmp_path / "scene" / "images", NAMES)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == [2, 3, 4, 5, 6, 7]
    assert "sparse/1 was read, of 6 pictures" in result.said
    assert "sparse/0 (2 pictures), sparse/2 (3 pictures)" in result.said


def test_hidden_twins_and_byte_order_marks_are_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "scene" / "sparse" / "0"
    Model(names=NAMES).write(folder)
    for path in folder.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    write_pictures(tmp_path / "scene" / "images", NAMES)
    for name in NAMES:
        (tmp_path / "scene" / "images" / f"._{name}").write_bytes(b"AppleDouble")
    (tmp_path / "scene" / "images" / "Thumbs.db").write_bytes(b"thumbs")
    assert read(tmp_path / "scene", tmp_path / "out").marks == list(range(COUNT))


def test_an_unfinished_model_is_not_solved_anew(tmp_path: Path) -> None:
    folder = tmp_path / "scene" / "sparse" / "0"
    Model(names=NAMES).write(folder)
    write_pictures(tmp_path / "scene" / "images", NAMES)
    (folder / "images.txt").unlink()
    assert "damaged or incomplete" in refused(tmp_path / "scene", tmp_path)


@pytest.mark.parametrize("lens", [
    "METASHAPE_FRAME 160 120 150 80 60", "pinhole 160 120 150 150 80 60", "99 160 120 150 80 60",
])  # fmt: skip
def test_a_camera_model_that_nobody_knows_is_named(lens: str, tmp_path: Path) -> None:
    folder = tmp_path / "scene" / "sparse" / "0"
    cameras = {1: "PINHOLE 160 120 150 150 80 60", 2: lens}
    Model(names=NAMES, cameras=cameras).write(folder)
    write_pictures(tmp_path / "scene" / "images", NAMES)
    assert f"camera model {lens.split()[0]!r}, which is not known" in refused(
        tmp_path / "scene", tmp_path
    )


def test_a_camera_model_of_a_number_that_nobody_knows_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "scene" / "sparse" / "0"
    Model(names=NAMES).write(folder)
    write_pictures(tmp_path / "scene" / "images", NAMES)
    model = pycolmap.Reconstruction(str(folder))
    model.write_binary(str(folder))
    whole = (folder / "cameras.bin").read_bytes()
    other = struct.pack("<IiQQ3d", 2, 42, 160, 120, 150, 80, 60)
    (folder / "cameras.bin").write_bytes(struct.pack("<Q", 2) + whole[8:] + other)
    assert "camera model 'number 42', which is not known" in refused(tmp_path / "scene", tmp_path)


@pytest.mark.parametrize("count", [2**40, 3])
def test_lists_that_promise_more_than_they_hold(count: int, tmp_path: Path) -> None:
    folder = tmp_path / "scene" / "sparse" / "0"
    Model(names=NAMES).write(folder)
    write_pictures(tmp_path / "scene" / "images", NAMES)
    for part in ("cameras", "points3D"):
        (folder / f"{part}.bin").write_bytes(bytes(8))
    (folder / "images.bin").write_bytes(struct.pack("<Q", count) + b"\xff" * 300)
    assert "damaged or incomplete" in refused(tmp_path / "scene", tmp_path)


# ---- what is left out
def test_one_bad_pose_among_many(tmp_path: Path) -> None:
    bad = {2: "nan nan nan nan 0 0 0", 5: "1 0 0 0 1e12 0 0"}
    Model(names=NAMES, spoil=bad).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", NAMES)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == [0, 1, 3, 4, 6, 7]
    assert "2 of 8 cameras have no usable pose" in result.said
    assert "img_002.jpg, img_005.jpg" in result.said
    assert not result.capture.reading.world.offset.any()


@pytest.mark.parametrize("lens", [
    "OPENCV 160 120 150 150 80 60 9e5 0 0 0", "PINHOLE 160 120 -150 150 80 60",
    "SIMPLE_RADIAL 160 120 150 80 60 -700",
])  # fmt: skip
def test_one_bad_lens_among_many(lens: str, tmp_path: Path) -> None:
    cameras = {1: "PINHOLE 160 120 150 150 80 60", 2: lens}
    Model(names=NAMES, cameras=cameras, camera_of=lambda i: 2 if i == 4 else 1).write(
        tmp_path / "scene" / "sparse" / "0"
    )
    write_pictures(tmp_path / "scene" / "images", NAMES)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == [0, 1, 2, 3, 5, 6, 7]
    assert "1 of 8 cameras have no usable lens and were left out: img_004.jpg" in result.said


def test_missing_and_broken_pictures_are_named(tmp_path: Path) -> None:
    Model(names=NAMES).write(tmp_path / "scene" / "sparse" / "0")
    images = tmp_path / "scene" / "images"
    write_pictures(images, NAMES)
    (images / NAMES[1]).unlink()
    (images / NAMES[4]).write_bytes(b"no picture")
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == [0, 2, 3, 5, 6, 7]
    assert "no picture and were left out: img_001.jpg" in result.said
    assert "can't be read and were left out: img_004.jpg" in result.said
    assert "6 of 8 cameras" in result.said


@pytest.mark.parametrize(
    "naming", ["{name}.png", "{stem}.png", "{stem}_mask.png", "{stem}.MASK.PNG"]
)
def test_masks_beside_the_pictures_come_along(naming: str, tmp_path: Path) -> None:
    Model(names=NAMES).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", NAMES)
    (tmp_path / "scene" / "masks").mkdir()
    for number, name in enumerate(NAMES[:5]):
        mask = np.full((120, 160), 255, np.uint8)
        mask[:, 10 * number : 10 * number + 10] = 0
        file = naming.format(name=name, stem=Path(name).stem)
        Image.fromarray(mask).save(tmp_path / "scene" / "masks" / file)
    result = read(tmp_path / "scene", tmp_path / "out")
    for number, frame in enumerate(result.capture.frames):
        assert (frame.mask is not None) == (number < 5)
        if frame.mask is not None:
            hidden = np.flatnonzero(np.asarray(Image.open(frame.mask))[60] == 0)
            assert hidden.tolist() == list(range(10 * number, 10 * number + 10))
    assert "3 of 8 pictures have no mask: img_005.jpg, img_006.jpg, img_007.jpg" in result.said


def test_the_other_pictures_of_a_rig_stay(tmp_path: Path) -> None:
    """Two cameras on one rig: the picture of one is missing at one moment."""
    import pycolmap

    model, rig = pycolmap.Reconstruction(), pycolmap.Rig(rig_id=1)
    for number in (1, 2):
        params = [150.0, 150, 80, 60]
        model.add_camera(
            pycolmap.Camera(model="PINHOLE", width=160, height=120, params=params, camera_id=number)
        )
    rig.add_ref_sensor(model.cameras[1].sensor_id)
    beside = pycolmap.Rigid3d(pycolmap.Rotation3d(), np.array([-0.2, 0, 0]))
    rig.add_sensor(model.cameras[2].sensor_id, beside)
    model.add_rig(rig)
    names = []
    for at, pose in enumerate(poses(4), 1):
        frame = pycolmap.Frame(frame_id=at, rig_id=1)
        images = []
        for side, camera in (("left", 1), ("right", 2)):
            names.append(f"{side}/{at}.jpg")
            image = pycolmap.Image(name=names[-1], camera_id=camera, image_id=2 * at + camera - 2)
            frame.add_data_id(image.data_id)
            image.frame_id = at
            images.append(image)
        frame.rig_from_world = pycolmap.Rigid3d(to_viewmat(pose)[:3])
        model.add_frame(frame)
        for image in images:
            model.add_image(image)
        model.register_frame(at)
    (tmp_path / "scene" / "sparse" / "0").mkdir(parents=True)
    model.write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", [n for n in names if n != "left/2.jpg"])
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.sources == [
        "left/1.jpg", "left/3.jpg", "left/4.jpg", *(f"right/{i}.jpg" for i in (1, 2, 3, 4)),
    ]  # fmt: skip
    assert "1 of 8 cameras have no picture and were left out: left/2.jpg" in result.said
    apart = np.linalg.norm(result.places()[0] - result.places()[3])
    assert apart == pytest.approx(0.2, abs=1e-6)


# ---- lenses and far worlds
@pytest.mark.parametrize("lens", [
    "OPENCV_FISHEYE 160 120 150 150 80 60 0.02 -0.01 0 0",
    "FULL_OPENCV 160 120 150 150 80 60 0.01 -0.002 0 0 0.0005 0 0 0",
    "THIN_PRISM_FISHEYE 160 120 150 150 80 60 0.01 0.01 0.001 0 0 0 0.001 0.001",
    "SIMPLE_RADIAL 160 120 150 80 60 -0.1", "FOV 160 120 150 150 80 60 0.8",
    "RADIAL_FISHEYE 160 120 150 80 60 0.02 0.01",
])  # fmt: skip
def test_bent_lenses_are_straightened_masks_with_them(lens: str, tmp_path: Path) -> None:
    cameras = {1: lens, 2: "PINHOLE 160 120 140 150 80 60"}
    model = Model(names=NAMES, cameras=cameras, camera_of=lambda i: 1 + i % 2)
    model.write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", NAMES)
    (tmp_path / "scene" / "masks").mkdir()
    mask = np.full((120, 160), 255, np.uint8)
    mask[:, :40] = 0
    for name in NAMES:
        Image.fromarray(mask).save(tmp_path / "scene" / "masks" / f"{name}.png")
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == list(range(COUNT))
    for number, frame in enumerate(result.capture.frames):
        assert frame.is_pinhole and frame.mask is not None
        with Image.open(frame.mask) as kept:
            assert kept.size == (frame.width, frame.height)
            values = np.asarray(kept)
        assert set(np.unique(values)) == {0, 255}
        assert frame.fl_y == 150 and frame.fl_x == (140 if number % 2 else 150)


@pytest.mark.parametrize("lens", [
    "OPENCV 160 120 150 150 80 60 -44.85 1017.4 0.62 0.94", "SIMPLE_RADIAL 160 120 150 80 60 -5",
    "OPENCV 160 120 150 150 80 60 50 0 0 0", "OPENCV 160 120 150 150 80 60 0 0 0.62 0.94",
    "OPENCV_FISHEYE 160 120 60 60 80 60 -5 0 0 0", "SIMPLE_RADIAL 160 120 150 80 60 1e6",
])  # fmt: skip
def test_absurd_distortion_is_refused(lens: str, tmp_path: Path) -> None:
    Model(names=NAMES, cameras={1: lens}).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", NAMES)
    assert "distortion can't be right" in refused(tmp_path / "scene", tmp_path)


@pytest.mark.parametrize("offset", [
    (500_000.0, 4_500_000.0, 120.0), (-3_000_000.0, 0.0, 5_100_000.0), (2_000.0, 0.0, 0.0),
])  # fmt: skip
def test_surveyed_worlds_come_near_and_keep_their_offset(
    offset: tuple[float, float, float], tmp_path: Path
) -> None:
    Model(names=NAMES, offset=offset).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", NAMES)
    result = read(tmp_path / "scene", tmp_path / "out")
    near = np.stack([f.camera_to_world[:3, 3] for f in result.capture.frames])
    assert np.abs(near).max() < 10
    truth = np.stack([p[:3, 3] for p in poses()]) + offset
    np.testing.assert_allclose(result.places(), truth, atol=1e-7)
    assert "was moved by" in result.said
    again = read(tmp_path / "out", tmp_path / "again")
    np.testing.assert_allclose(again.places(), truth, atol=1e-7)


def test_near_worlds_stay_where_they_are(tmp_path: Path) -> None:
    Model(names=NAMES, offset=(90.0, 0.0, 0.0)).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", NAMES)
    result = read(tmp_path / "scene", tmp_path / "out")
    assert not result.capture.reading.world.offset.any()
    assert mark_of(result.capture.frames[3].image) == 3
