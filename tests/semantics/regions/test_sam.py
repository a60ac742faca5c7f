"""Regions by a SAM that the test makes: masks on a grid, the surest of those alike, and clicks."""

from pathlib import Path

import numpy as np
import pytest
from helpers import tiny_onnx
from numpy.typing import ArrayLike

from backend.networks.sam import BACKGROUND, FOREGROUND, Candidates
from backend.protocol import InputError
from backend.semantics.regions import sam


def discs(height: int = 80, width: int = 100) -> np.ndarray:
    """A red disc on a green wall, with a small blue one on it."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 1] = 200
    y, x = np.mgrid[:height, :width]
    image[np.hypot(x - 40, y - 36) < 26] = (230, 0, 0)
    image[np.hypot(x - 40, y - 36) < 9] = (0, 0, 230)
    return image


def floats(values: ArrayLike) -> np.ndarray:
    return np.asarray(values, np.float32)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_everything_in_a_picture_becomes_a_region(tmp_path: Path) -> None:
    found = sam.load(tiny_onnx.sam(tmp_path), config=sam.SamConfig(points=12))
    image = discs()
    regions, count = found.regions(image)
    assert regions.shape == (80, 100) and count == 3
    for color in range(3):
        truth = image.argmax(2) == color
        assert max(overlap(regions == r, truth) for r in range(count)) > 0.9


def test_the_largest_sure_and_stable_mask_of_a_prompt_is_taken() -> None:
    logits = np.full((4, 3, 10, 10), -9.0, np.float32)
    scores = np.full((4, 3), 0.95, np.float32)
    logits[0, 0, :3], logits[0, 1, :6], logits[0, 2] = 9, 9, 9
    scores[0, 2] = 0.5  # the largest is unsure
    logits[1, 1, :4] = 0.5  # nearly undecided: unstable
    logits[1, 0, :2] = 9
    scores[2] = 0.1
    assert sam.largest_sure(Candidates(logits, scores), sam.SamConfig()) == [(0, 1), (1, 0)]


def test_of_masks_alike_the_surest_stays() -> None:
    masks = np.zeros((4, 100), bool)
    masks[0, :50], masks[1, :48], masks[2, 60:], masks[3, :10] = True, True, True, True
    assert sam.distinct(masks, floats([0.9, 0.95, 0.9, 0.8]), 0.7) == [1, 2, 3]
    assert sam.distinct(np.zeros((0, 100), bool), floats([]), 0.7) == []


def test_smaller_things_lie_on_larger_ones() -> None:
    small, large = np.zeros((4, 4), bool), np.ones((4, 4), bool)
    small[0, 0] = True
    regions, count = sam.painted([small, large], (4, 4))
    assert count == 2 and regions[0, 0] == 1 and regions[1, 1] == 0
    assert sam.painted([], (2, 2))[0].tolist() == [[-1, -1], [-1, -1]]


@pytest.mark.parametrize(("level", "least"), [("part", 0.9), ("thing", 0.9), ("group", 0.9)])
def test_a_click_finds_what_is_meant(tmp_path: Path, level: sam.Level, least: float) -> None:
    network = sam.load(tiny_onnx.sam(tmp_path)).network
    image = discs()
    image[:4] = (0, 175, 0)  # nearly the wall's colour
    seen = network.look(image)
    mask = sam.at_click(network, seen, floats([[90, 60]]), floats([FOREGROUND]), level)
    wall = (image[..., 1] == 200) if level == "part" else image[..., 1] > 170
    assert mask.shape == (80, 100)
    assert overlap(mask, wall) > least


def test_further_clicks_leave_one_reading(tmp_path: Path) -> None:
    network = sam.load(tiny_onnx.sam(tmp_path)).network
    image = discs()
    points, labels = floats([[90, 60], [40, 36]]), floats([FOREGROUND, BACKGROUND])
    mask = sam.at_click(network, network.look(image), points, labels, "group")
    assert overlap(mask, image[..., 1] == 200) > 0.9


def test_what_is_no_sam_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        sam.load(tmp_path / "absent")
