"""Cut-outs of the object show exactly what the pictures show, at whatever size and place it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from backend.dynamic_mesh.footage import load as footage
from backend.dynamic_mesh.footage.load import FootageConfig
from backend.formats import capture, depth_exr
from backend.protocol import InputError


def write(
    folder: Path, boxes: list[tuple[int, int, int, int]], size: tuple[int, int] = (150, 131)
) -> list[np.ndarray]:
    """A capture of pictures with one box each (left, top, right, bottom), of random colours; their
    pixels (H, W, 4).
    """
    random, frames, images = np.random.default_rng(0), [], []
    (folder / "images").mkdir(parents=True)
    width, height = size
    for k, (left, top, right, bottom) in enumerate(boxes):
        pixels = random.integers(40, 255, (height, width, 4), np.uint8)
        pixels[..., 3] = 0
        pixels[top:bottom, left:right, 3] = 255
        path, pose = folder / "images" / f"{k}.png", np.eye(4)
        pose[:3, 3] = (0.1 * k, 0, 3)
        Image.fromarray(pixels).save(path)
        frames.append(
            capture.Frame(
                image=path,
                camera_to_world=pose,
                fl_x=160.0,
                fl_y=170.0,
                cx=width / 2,
                cy=height / 2,
                width=width,
                height=height,
                time=k / 24,
            )
        )
        images.append(pixels)
    capture.write(folder, frames, None)
    return images


def test_an_object_that_fills_its_picture_is_cut_off_nowhere(tmp_path: Path) -> None:
    write(tmp_path, [(0, 30, 150, 80), (40, 0, 90, 131)])
    for side in (61, 97, 149):
        for view in footage.load(capture.read(tmp_path), None, 0.0, FootageConfig(side=side)).views:
            level = view.levels[0]
            area = float(level.alpha.sum() / (level.K[0, 0] * level.K[1, 1]))
            assert area == pytest.approx(
                150 * 50 / (160 * 170) if view.time == 0 else 50 * 131 / (160 * 170), rel=1e-4
            )


BOXES = [(31, 40, 78, 93), (28, 37, 79, 95), (0, 41, 46, 131), (100, 0, 150, 57)]


def rays(alpha: np.ndarray, K: np.ndarray) -> tuple[np.ndarray, float]:
    """The middle of a coverage, and its area, on the plane at depth 1."""
    rows, columns = np.indices(alpha.shape) + 0.5
    middle = np.array([(alpha * columns).sum(), (alpha * rows).sum()]) / alpha.sum()
    return (middle - K[:2, 2]) / K[[0, 1], [0, 1]], float(alpha.sum() / (K[0, 0] * K[1, 1]))


def test_small_pictures_keep_their_pixels(tmp_path: Path) -> None:
    images = write(tmp_path, BOXES)
    found = footage.load(capture.read(tmp_path), None, 0.0, FootageConfig(side=200))
    for view, image in zip(found.views, images, strict=True):
        level = view.levels[0]
        assert (
            all(n % 4 == 0 for n in level.alpha.shape)
            and level.K[0, 0] == 160
            and level.K[1, 1] == 170
        )
        left, top = 75 - float(level.K[0, 2]), 65.5 - float(level.K[1, 2])
        assert left.is_integer() and top.is_integer()
        left, top = int(left), int(top)
        height, width = level.alpha.shape
        there = image[top : top + height, left : left + width] / 255
        assert torch.allclose(level.alpha, torch.tensor(there[..., 3]).float(), atol=1e-6)
        assert torch.allclose(
            level.color, torch.tensor(there[..., :3] * there[..., 3:]).float(), atol=1e-6
        )


@pytest.mark.parametrize("side", [31, 50, 64, 97])
def test_the_object_is_where_and_as_large_as_it_was(tmp_path: Path, side: int) -> None:
    images = write(tmp_path, BOXES)
    found = footage.load(capture.read(tmp_path), None, 0.0, FootageConfig(side=side))
    K = np.array([[160.0, 0, 75], [0, 170.0, 65.5], [0, 0, 1]])
    for view, image in zip(found.views, images, strict=True):
        middle, area = rays(image[..., 3] / 255, K)
        for level in view.levels:
            assert rays(level.alpha.numpy(), level.K.numpy())[1] == pytest.approx(area, rel=1e-4)
        there = rays(view.levels[0].alpha.numpy(), view.levels[0].K.numpy())[0]
        assert (
            np.abs(there - middle).max() < 0.03 / 160
        )  # pixels: those at its rim have their middles elsewhere


def test_depth_counts_where_the_cameras_were_solved_from(tmp_path: Path) -> None:
    """White in a capture's mask stood still; what else there is of depth was matched as if it had.
    The map slopes down and across.
    """
    write(tmp_path, [(30, 40, 110, 100)] * 2)
    found = capture.read(tmp_path)
    slope = 6 + 0.02 * np.arange(65)[:, None] + 0.05 * np.arange(75)
    depth_exr.write(tmp_path / "depth.exr", slope.astype(np.float32))
    for name, box in {
        "most.png": (slice(None), slice(35, None)),
        "half.png": (slice(None), slice(75, None)),
    }.items():
        mask = np.zeros((131, 150), np.uint8)
        mask[box] = 255
        Image.fromarray(mask).save(tmp_path / name)

    def depth(mask: str | None) -> tuple[torch.Tensor | None, footage.ObjectFootage]:
        frames = [
            replace(f, depth=tmp_path / "depth.exr", mask=None if mask is None else tmp_path / mask)
            for f in found.frames
        ]
        loaded = footage.load(
            replace(found, frames=frames), tmp_path / "images", 0.0, FootageConfig(side=160)
        )
        return loaded.views[0].levels[0].depth, loaded

    (everywhere, loaded), (right, _) = depth(None), depth("most.png")
    assert depth("half.png")[0] is None and everywhere is not None and right is not None
    assert torch.equal(everywhere, depth("lost.png")[0])
    K = loaded.views[0].levels[0].K
    rows, columns = np.nonzero(everywhere.numpy())
    down, across = (
        (rows + 0.5 - K[1, 2].item()) / K[1, 1].item() * 170 + 131 / 2,
        (columns + 0.5 - K[0, 2].item()) / K[0, 0].item() * 160 + 75,
    )
    wanted = (
        slope[(down * 65 / 131).astype(int), (across / 2).astype(int)] / loaded.placement.radius
    )
    assert (
        np.abs(everywhere.numpy()[rows, columns] - wanted).max() < 0.06 / loaded.placement.radius
    )  # a pixel, and half floats
    there = right.numpy()[rows, columns] > 0
    assert (there == (across > 35)).mean() > 0.98 and there.mean() == pytest.approx(
        75 / 80, abs=0.03
    )
    assert (right.numpy()[rows, columns] == everywhere.numpy()[rows, columns])[there].all()


def test_a_capture_of_other_sizes_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [(30, 40, 110, 100)] * 2)
    found = capture.read(tmp_path)
    wrong = replace(found, frames=[replace(f, width=300, height=262) for f in found.frames])
    with pytest.raises(InputError, match="has not the size that the capture tells"):
        footage.load(wrong, None, 0.0)
