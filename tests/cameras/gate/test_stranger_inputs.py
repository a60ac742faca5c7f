"""Scenes as strangers hand them in: names in old encodings, rounded rotations, masks that say it in
their own way, captures a folder further down, archives.
"""

import gzip
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command_line import refusal
from helpers.foreign_solves import (
    COUNT,
    ON_SIDE,
    SIZE,
    Model,
    is_upright,
    marked,
    poses,
    read,
    save_turned,
    write_pictures,
    write_transforms,
)
from PIL import Image

from backend.cameras.footage import sources
from backend.formats import capture
from backend.protocol import InputError

pytestmark = pytest.mark.process
NAMES = [f"img_{i:03d}.jpg" for i in range(COUNT)]
STRIPE = SIZE[0] // COUNT  # pixels of width that each mask hides, one after another


# ---- models
@pytest.mark.parametrize(("encoding", "word"), [
    ("latin-1", "Köln"), ("cp1252", "Fotos – früh"), ("cp1252", "Maße 2 €"),
])  # fmt: skip
def test_names_in_windows_old_encodings(encoding: str, word: str, tmp_path: Path) -> None:
    names = [f"{word} {i}.jpg" for i in range(COUNT)]
    Model(names=names).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", names)
    listing = tmp_path / "scene" / "sparse" / "0" / "images.txt"
    listing.write_bytes(listing.read_text(encoding="utf-8").encode(encoding))
    result = read(tmp_path / "scene", tmp_path / "out")
    assert result.marks == list(range(COUNT)) and result.sources == names


@pytest.mark.parametrize("change", [
    lambda q: 2 * q, lambda q: -0.25 * q, lambda q: np.round(q, 2),
])  # fmt: skip
def test_rotations_need_no_length_of_one(
    change: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    Model(names=NAMES).write(tmp_path / "scene" / "sparse" / "0")
    write_pictures(tmp_path / "scene" / "images", NAMES)
    listing = tmp_path / "scene" / "sparse" / "0" / "images.txt"
    lines = listing.read_text().splitlines()
    for at, line in enumerate(lines):
        words = line.split()
        if words[-1].endswith(".jpg"):
            words[1:5] = map(str, change(np.array(words[1:5], float)).tolist())
            lines[at] = " ".join(words)
    listing.write_text("\n".join(lines) + "\n")
    result = read(tmp_path / "scene", tmp_path / "out")
    assert len(result.capture.frames) == COUNT
    for frame, pose in zip(result.capture.frames, poses(), strict=True):
        np.testing.assert_allclose(frame.camera_to_world[:3, :3], pose[:3, :3], atol=0.03)


# ---- pictures and their cameras
@pytest.mark.parametrize("orientation", [ON_SIDE, 8])
def test_a_principal_point_tells_how_pictures_stand(orientation: int, tmp_path: Path) -> None:
    """Nobody says how large they are."""
    said: dict[str, Any] = {"w": None, "h": None, "cx": 59.0, "cy": 82.0}
    scene = write_transforms(tmp_path / "scene", NAMES, **said)
    for number, name in enumerate(NAMES):
        save_turned(marked(number, (120, 160)), scene / name, orientation)
    result = read(scene, tmp_path / "out")
    frame = result.capture.frames[0]
    assert (frame.width, frame.height, frame.cx, frame.cy) == (120, 160, 59.0, 82.0)
    assert all(is_upright(f.image) for f in result.capture.frames)


@pytest.mark.parametrize("said", [
    {"camera_angle_x": 0.9, "fl_x": None, "fl_y": None, "cx": None, "cy": None},
    {"cx": None, "cy": None}, {"cx": 80.0, "cy": 60.0},
])  # fmt: skip
def test_a_turn_that_nothing_tells_of_is_named(said: dict[str, Any], tmp_path: Path) -> None:
    scene = write_transforms(tmp_path / "scene", NAMES, **{"w": None, "h": None, **said})
    for number, name in enumerate(NAMES):
        save_turned(marked(number, (120, 160)), scene / name, ON_SIDE if number else 1)
        if not number:
            save_turned(marked(number), scene / name)
    result = read(scene, tmp_path / "out")
    assert "7 of 8 pictures have an EXIF turn that their cameras say nothing of" in result.said
    assert {(f.width, f.height) for f in result.capture.frames} == {SIZE}


@pytest.mark.parametrize(("point", "said"), [
    ((800.0, 600.0), True), ((-3.0, 60.0), True), ((80.0, 121.0), True), ((10.0, 110.0), False),
])  # fmt: skip
@pytest.mark.parametrize("kind", ["transforms", "colmap"])
def test_lenses_of_pictures_of_another_size_are_named(
    point: tuple[float, float], said: bool, kind: str, tmp_path: Path
) -> None:
    x, y = point
    scene = tmp_path / "scene"
    if kind == "transforms":
        write_transforms(scene, NAMES, cx=x, cy=y)
    else:
        Model(names=NAMES, cameras={1: f"PINHOLE 160 120 150 150 {x} {y}"}).write(scene / "sparse")
    write_pictures(scene if kind == "transforms" else scene / "images", NAMES)
    assert ("principal point outside" in read(scene, tmp_path / "out").said) == said


# ---- masks
def _hiding(number: int) -> np.ndarray:
    """(H, W): 0 in the stripe that the mask of this number hides."""
    shown = np.ones(SIZE[::-1], np.uint8)
    shown[:, STRIPE * number : STRIPE * (number + 1)] = 0
    return shown


def _cut_out(shown: np.ndarray) -> Image.Image:
    colors = np.full((*shown.shape, 3), 30, np.uint8)
    colors[::2] = 200
    return Image.fromarray(np.concatenate([colors, 255 * shown[..., None]], 2))


def _dark_palette(shown: np.ndarray) -> Image.Image:
    image = Image.fromarray(shown).convert("P")
    image.putpalette([0, 0, 0, 128, 0, 0])
    return image


def _numbered(shown: np.ndarray) -> Image.Image:
    labels = shown.copy()
    labels[: SIZE[1] // 2] *= 2
    return Image.fromarray(labels)


MASKS: dict[str, Callable[[np.ndarray], Image.Image]] = {
    "white": lambda shown: Image.fromarray(shown * np.uint8(255)),
    "cut out": _cut_out,
    "transparent black": lambda s: Image.fromarray(np.stack([0 * s, 0 * s, 0 * s, 255 * s], 2)),
    "opaque": lambda s: Image.fromarray(np.stack([255 * s] * 3 + [0 * s + 255], 2)),
    "palette": _dark_palette,
    "numbers of objects": _numbered,
    "16 bits": lambda shown: Image.fromarray(shown * np.uint16(65535)),
    "one bit": lambda shown: Image.fromarray(shown * np.uint8(255)).convert("1"),
}


@pytest.mark.parametrize(("kind", "folder"), [
    *((kind, "masks") for kind in MASKS), ("white", "Masks"), ("white", "MASK"),
])  # fmt: skip
def test_masks_of_every_kind_hide_the_same(kind: str, folder: str, tmp_path: Path) -> None:
    scene = write_transforms(tmp_path / "scene", NAMES)
    write_pictures(scene, NAMES)
    (scene / folder).mkdir()
    for number, name in enumerate(NAMES):
        MASKS[kind](_hiding(number)).save(scene / folder / f"{name}.png")
    for number, frame in enumerate(read(scene, tmp_path / "out").capture.frames):
        assert frame.mask is not None
        with Image.open(frame.mask) as mask:
            np.testing.assert_array_equal(np.asarray(mask) > 0, _hiding(number) > 0)


# ---- layouts
def test_a_capture_one_folder_down_is_not_solved_anew(tmp_path: Path) -> None:
    write_pictures(write_transforms(tmp_path / "top" / "scene", NAMES), NAMES)
    result = read(tmp_path / "top", tmp_path / "out")
    assert result.marks == list(range(COUNT)) and "scene/transforms.json" in result.said
    np.testing.assert_allclose(result.places(), [p[:3, 3] for p in poses()], atol=1e-9)


def test_several_captures_are_not_chosen_between(tmp_path: Path) -> None:
    for name in ("take2", "take10"):
        write_pictures(write_transforms(tmp_path / "top" / name, NAMES), NAMES)
    failure = refusal("cameras", "--input", tmp_path / "top", "--output", tmp_path / "no")
    assert "take2, take10" in failure.what


@pytest.mark.parametrize("name", ["cameras.xml", "bundle.out", "scene.nvm", "poses_bounds.npy"])
@pytest.mark.parametrize("inner", ["", "images"])
def test_cameras_of_kinds_that_are_not_read_are_named(
    name: str, inner: str, tmp_path: Path
) -> None:
    write_pictures(tmp_path / "scene" / inner, NAMES)
    (tmp_path / "scene" / name).write_bytes(b"cameras")
    for handed_in in {tmp_path / "scene", tmp_path / "scene" / inner}:
        source = sources.identify(handed_in)
        assert source.kind == "photos" and name in source.told[0]


def test_plain_photos_are_said_nothing_of(tmp_path: Path) -> None:
    write_pictures(tmp_path / "scene", NAMES)
    (tmp_path / "scene" / "notes.txt").write_text("sunny")
    assert sources.identify(tmp_path / "scene").told == ()


def test_the_folder_of_photos_alone(tmp_path: Path) -> None:
    """Masks beside it come along, and a model beside it is named."""
    scene = tmp_path / "scene"
    write_pictures(scene / "images", NAMES)
    write_pictures(scene / "masks", NAMES)
    assert sources.identify(scene / "images").masks == scene / "masks"
    Model(names=NAMES).write(scene / "sparse" / "0")
    assert "sparse/0" in sources.identify(scene / "images").told[0]


@pytest.mark.parametrize("given", ["sparse", "sparse/0", ""])
def test_the_folder_of_models_alone(given: str, tmp_path: Path) -> None:
    write_pictures(tmp_path / "scene" / "images", NAMES)
    Model(names=NAMES).write(tmp_path / "scene" / "sparse" / "0")
    source = sources.identify(tmp_path / "scene" / given)
    assert source.kind == "colmap" and source.images == tmp_path / "scene" / "images"


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("transforms.json", "{}")


def _tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.add(Path(__file__), "a.jpg")


@pytest.mark.parametrize(("name", "make"), [
    ("scene.zip", _zip), ("scene", _zip), ("scene.mp4", _zip), ("scene.tar", _tar), ("s.mov", _tar),
    ("scene.tar.gz", lambda path: path.write_bytes(gzip.compress(b"scene"))),
    ("scene.7z", lambda path: path.write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(40))),
    ("scene.rar", lambda path: path.write_bytes(b"Rar!\x1a\x07\x01\x00")),
    ("empty.zip", lambda path: path.write_bytes(b"")),
])  # fmt: skip
def test_archives_are_to_be_unpacked(
    name: str, make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / name)
    for look in (sources.identify, capture.read):
        with pytest.raises(InputError, match="is an archive") as caught:
            look(tmp_path / name)
        assert "Unpack it" in caught.value.advice


def test_no_video_is_an_archive(tmp_path: Path) -> None:
    for begin in (b"\0\0\0\x20ftypisom", b"\x1aE\xdf\xa3", b"RIFF\0\0\0\0AVI ", b"GIF89a"):
        (tmp_path / "a.mov").write_bytes(begin + bytes(600))
        assert sources.identify(tmp_path / "a.mov").kind == "video"
