"""Training pictures: sizes, cameras, transparency, masks, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from backend.formats import capture
from backend.formats.capture import Capture, Frame
from backend.protocol import InputError
from backend.splats.views import ViewSet, load_views


def pose(x: float = 0, y: float = 0, z: float = 0) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = [x, y, z]
    return matrix


def frame(folder: Path, pixels: np.ndarray, name: str = "a.png", **changes: Any) -> Frame:
    Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
    height, width = pixels.shape[:2]
    plain: dict[str, Any] = {
        "fl_x": 40.0,
        "fl_y": 50.0,
        "cx": width / 2,
        "cy": height / 2,
        "width": width,
        "height": height,
    }
    return Frame(
        image=folder / name, camera_to_world=changes.pop("at", pose()), **{**plain, **changes}
    )


def load(
    frames: list[Frame], max_pixels: int = 10**6, holdout: int = 0, progress: Any = lambda *_: None
) -> ViewSet:
    return load_views(Capture(root=Path(), frames=frames), max_pixels, holdout, progress)


def checker(width: int, height: int, channels: int = 3) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.repeat((((x + y) % 2) * 200)[..., None], channels, 2).astype(np.uint8)


# ------------------------------------------------------------------------------ sizes and cameras
def test_pictures_within_the_budget_keep_their_pixels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3))
    view = load([frame(tmp_path, pixels)], 48).full[0]
    assert (view.name, view.size) == ("a.png", (8, 6))
    assert torch.equal(view.pixels, torch.from_numpy(pixels.astype(np.uint8)))
    torch.testing.assert_close(view.K, torch.tensor([[40.0, 0, 4], [0, 50, 3], [0, 0, 1]]))
    torch.testing.assert_close(view.viewmat, torch.diag(torch.tensor([1.0, -1, -1, 1])))


@pytest.mark.parametrize(
    ("pixels", "full", "half"),
    [
        (1200, (40, 30), (20, 15)),
        (300, (20, 15), (10, 7)),
        (12, (4, 3), (2, 1)),
        (1, (1, 1), (1, 1)),
    ],
)
def test_larger_ones_are_shrunk_with_their_cameras(
    pixels: int, full: tuple, half: tuple, tmp_path: Path
) -> None:
    found = load([frame(tmp_path, checker(40, 30), cx=22.0, cy=11.0)], pixels)
    for view, (width, height) in ((found.full[0], full), (found.half[0], half)):
        assert view.size == (width, height)
        shares = torch.tensor([width / 40, height / 30, 1])
        torch.testing.assert_close(
            view.K, torch.tensor([[40.0, 0, 22], [0, 50, 11], [0, 0, 1]]) * shares[:, None]
        )


def test_very_long_pictures_keep_a_row(tmp_path: Path) -> None:
    assert load([frame(tmp_path, checker(100, 1))], 10).full[0].size == (32, 1)
    assert load([frame(tmp_path, checker(1, 100))], 10).half[0].size == (1, 16)


def test_shrinking_averages(tmp_path: Path) -> None:
    """As a sensor of fewer pixels would see it: a chequered board becomes even."""
    found = load([frame(tmp_path, checker(8, 8))])
    assert (found.half[0].pixels == 100).all() and found.half[0].size == (4, 4)


def test_the_cameras_size_is_the_pictures(tmp_path: Path) -> None:
    """A picture of another size is fine while it has the camera's shape: its own pixels count."""
    shrunk = frame(tmp_path, checker(20, 15), width=40, height=30, cx=20.0, cy=15.0)
    view = load([shrunk]).full[0]
    assert view.size == (20, 15)
    torch.testing.assert_close(view.K, torch.tensor([[20.0, 0, 10], [0, 25, 7.5], [0, 0, 1]]))
    for width, height in ((100, 101), (101, 100)):
        load([frame(tmp_path, checker(100, 100), width=width, height=height)])
    for width, height in ((200, 103), (206, 100)):
        with pytest.raises(
            InputError, match=rf"a\.png has 200 x 100 pixels, its camera {width} x {height}"
        ):
            load([frame(tmp_path, checker(200, 100), width=width, height=height)])


def test_the_extent_is_how_far_the_farthest_camera_is_from_their_middle(tmp_path: Path) -> None:
    places = [
        pose(0, 0, 0),
        pose(0, 0, 0),
        pose(0, 0, 3),
        pose(4, 0, 1),
    ]  # their middle is (1, 0, 1)
    found = load([frame(tmp_path, checker(4, 3), at=place) for place in places])
    assert found.extent == pytest.approx(1.1 * 3)
    assert load([frame(tmp_path, checker(4, 3))] * 3).extent == 1, "cameras in one place have none"
    tiny = [frame(tmp_path, checker(4, 3), at=pose(x)) for x in (0, 1e-4)]
    assert load(tiny).extent == pytest.approx(0.55e-4)


def test_progress_counts_the_pictures(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    load([frame(tmp_path, checker(4, 3))] * 3, progress=lambda *numbers: told.append(numbers))
    assert told == [(1, 3), (2, 3), (3, 3)]


# ------------------------------------------------------------------------------ held out
@pytest.mark.parametrize(
    ("count", "holdout", "held"),
    [(8, 8, [4]), (9, 8, [4]), (7, 2, [1, 3, 5]), (8, 3, [1, 4]), (8, 0, []), (10, 1000, [])],
)
def test_what_is_held_out_is_never_trained(
    count: int, holdout: int, held: list[int], tmp_path: Path
) -> None:
    found = load([frame(tmp_path, checker(4, 3))] * count, holdout=holdout)
    assert found.held_out == held
    assert sorted([*found.training, *held]) == list(range(count))
    assert len(found.full) == len(found.half) == count


# --------------------------------------------------------------------------- transparency, masks
def test_a_transparent_picture_lies_over_the_background(tmp_path: Path) -> None:
    pixels = np.array([[[255, 0, 51, 255], [255, 0, 51, 0], [255, 0, 51, 102]]])
    found = load([frame(tmp_path, pixels)])
    assert found.transparent
    target = found.full[0].target(torch.tensor([0.0, 1, 0.5]), "cpu")
    torch.testing.assert_close(
        target[0], torch.tensor([[1, 0, 0.2], [0, 1, 0.5], [0.4, 0.6, 0.38]])
    )


def test_one_transparent_picture_makes_the_capture_so(tmp_path: Path) -> None:
    opaque, clear = frame(tmp_path, checker(4, 3)), frame(tmp_path, checker(4, 3, 4), "b.png")
    assert not load([opaque]).transparent
    assert load([opaque, clear, opaque]).transparent
    view = load([opaque]).full[0]
    torch.testing.assert_close(view.target(torch.ones(3), "cpu"), view.pixels / 255)


@pytest.mark.parametrize("mode", ["LA", "PA", "P", "L", "I;16"])
def test_pictures_of_any_mode(mode: str, tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8))
    if mode == "I;16":
        picture = Image.fromarray(np.array([[0, 65535], [65535, 0]], np.uint16))
    elif mode == "P":
        picture = picture.convert("P")
        picture.info["transparency"] = 0
    elif mode != "L":
        picture = picture.convert("LA").convert(mode)
    name = "a.tif" if mode in ("PA", "I;16") else "a.png"
    picture.save(tmp_path / name)
    found = load(
        [
            Frame(
                image=tmp_path / name,
                camera_to_world=pose(),
                fl_x=4,
                fl_y=4,
                cx=1,
                cy=1,
                width=2,
                height=2,
            )
        ]
    )
    assert found.transparent == (mode in ("LA", "PA", "P"))
    assert found.full[0].pixels[..., :3].float().mean() == 127.5


def test_clear_pixels_do_not_bleed(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 4))
    pixels[0, 0], pixels[1, 1] = [200, 100, 0, 255], [200, 100, 0, 255]
    pixels[0, 1], pixels[1, 0] = [0, 0, 255, 0], [0, 0, 255, 0]
    small = load([frame(tmp_path, pixels)]).half[0].pixels[0, 0]
    assert small[:3].tolist() == pytest.approx([200, 100, 0], abs=2) and small[3] in (127, 128)


def test_a_mask_counts_where_it_is_all_white(tmp_path: Path) -> None:
    mask = np.full((4, 4), 255)
    mask[0, 0], mask[3, 3], mask[0, 3] = 0, 254, 255
    Image.fromarray(mask.astype(np.uint8)).save(tmp_path / "m.png")
    found = load([frame(tmp_path, checker(4, 4), mask=tmp_path / "m.png")])
    full, half = found.full[0].mask, found.half[0].mask
    assert full is not None and half is not None
    assert full.tolist() == (mask > 254).tolist()
    assert half.tolist() == [[False, True], [True, True]], "254.75 of 255 is white"
    image, target = torch.rand(4, 4, 3), torch.rand(4, 4, 3)
    forgiven = found.full[0].forgiving(target, image)
    assert torch.equal(forgiven[full], target[full]) and torch.equal(forgiven[~full], image[~full])
    plain = load([frame(tmp_path, checker(4, 4))]).full[0]
    assert plain.mask is None and plain.forgiving(target, image) is target


# ------------------------------------------------------------------------------ refused
def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    good = frame(tmp_path, checker(4, 3))
    (tmp_path / "b.png").write_bytes(b"no picture")
    bad = Frame(
        image=tmp_path / "b.png",
        camera_to_world=pose(),
        fl_x=4,
        fl_y=4,
        cx=2,
        cy=2,
        width=4,
        height=3,
    )
    with pytest.raises(InputError, match=r"The picture b\.png can't be read"):
        load([good, bad])
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    with pytest.raises(InputError, match=r"The picture a\.png can't be read"):
        load([good])
    with pytest.raises(InputError, match=r"The mask b\.png can't be read"):
        load([frame(tmp_path, checker(4, 3), mask=tmp_path / "b.png")])


def test_distorted_pictures_are_sent_back(tmp_path: Path) -> None:
    for distortion in ((0.1, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, -1e-3)):
        with pytest.raises(InputError, match="lens distortion"):
            load([frame(tmp_path, checker(4, 3), distortion=distortion)])


def test_it_is_all_the_same_by_way_of_a_file(tmp_path: Path) -> None:
    frames = [frame(tmp_path, checker(4, 3), f"{i}.png", at=pose(i)) for i in range(3)]
    capture.write(tmp_path, frames, None)
    assert json.loads((tmp_path / "transforms.json").read_text())["w"] == 4
    found = load_views(capture.read(tmp_path), 100, 0, lambda *_: None)
    for view, wanted in zip(found.full, load(frames).full, strict=True):
        assert view.name == wanted.name
        torch.testing.assert_close(
            (view.pixels, view.viewmat, view.K), (wanted.pixels, wanted.viewmat, wanted.K)
        )
