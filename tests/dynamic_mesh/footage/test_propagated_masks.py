"""Masks of a few pictures are carried to the others, by motion and, where that is in doubt, by
colour.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from backend.dynamic_mesh.footage import masks
from backend.dynamic_mesh.footage.propagated_masks import PropagationConfig, carry
from backend.formats import capture

FLOW_ALONE = PropagationConfig(trusted=0.0, unsure=0.5)
WIDTH, HEIGHT, RADIUS = 160, 120, 25


def pattern(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 1)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 2.5)[..., None])


def disc(x: float) -> np.ndarray:
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray((u - x) ** 2 + (v - HEIGHT / 2) ** 2 < RADIUS**2)


def film(
    places: list[float], tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A patterned disc over a patterned wall, (H, W, 3), with its middle at those columns; and its
    masks.
    """
    wall, skin = np.repeat(pattern(0), 3, -1), 255 - pattern(1)
    images = [
        np.where(disc(x)[..., None], np.roll(skin, round(x), 1) * np.array(tint), wall).astype(
            np.uint8
        )
        for x in places
    ]
    return images, [np.asarray(disc(x) * 255, np.uint8) for x in places]


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a > 127) & (b > 127)).sum() / ((a > 127) | (b > 127)).sum())


def behind(images: list[np.ndarray], truth: list[np.ndarray], step: int, wide: int) -> None:
    """A bluish bar passes in front, `step` pixels from picture to picture."""
    for k, mask in enumerate(truth):
        left = 20 + step * k
        bar = np.roll(pattern(2), left, 1) * np.array([0.2, 0.5, 1.0])
        images[k][:, left : left + wide] = bar[:, left : left + wide]
        mask[:, left : left + wide] = 0


def test_masks_are_carried_from_a_few_pictures_to_all() -> None:
    images, truth = film([45.0 + 3 * k for k in range(13)])
    known = [mask if k % 6 == 0 else None for k, mask in enumerate(truth)]
    found = carry(images, known)
    assert all(
        np.array_equal(f, t) for f, t, k in zip(found, truth, known, strict=True) if k is not None
    )
    assert min(iou(f, t) for f, t in zip(found, truth, strict=True)) > 0.88
    still = [truth[0 if k < 3 else 6] for k in range(7)]  # what not following them would give
    assert np.mean([iou(f, t) for f, t in zip(found[:7], truth, strict=False)]) > np.mean(
        [iou(s, t) for s, t in zip(still, truth, strict=False)]
    )


@pytest.mark.parametrize(
    ("step", "wide", "both_ends"), [(6, 10, False), (9, 14, False), (9, 14, True), (16, 20, True)]
)
def test_colour_decides_where_something_passes_in_front(
    step: int, wide: int, both_ends: bool
) -> None:
    images, truth = film([60.0 + 2 * k for k in range(8)], tint=(1.0, 0.5, 0.2))
    behind(images, truth, step, wide)
    known = [truth[0], *[None] * 6, truth[7] if both_ends else None]
    alone, found = (
        [iou(f, t) for f, t in zip(carry(images, known, c), truth, strict=True)]
        for c in (FLOW_ALONE, PropagationConfig())
    )
    assert min(alone) < 0.92, "the clip is too easy"
    assert min(found) > 0.96


def test_what_looks_like_the_object_elsewhere_is_not_it() -> None:
    """Though it has just come, so that no flow leads to it, and nothing but its distance tells that
    it is another.
    """
    images, truth = film([35.0 + 2 * k for k in range(6)], tint=(1.0, 0.5, 0.2))
    twin = np.roll(disc(80), 50, 1)
    for image in images[1:]:
        image[twin] = image[truth[0] > 127][: twin.sum()]
    found = carry(images, [truth[0], *[None] * 5])
    assert all(
        iou(f, t) > 0.9 and not (f[twin] > 127).any() for f, t in zip(found, truth, strict=True)
    )


def test_the_nearer_mask_counts_more() -> None:
    images, _ = film([80.0] * 5)
    small, large = (
        np.asarray(
            (np.hypot(*(np.mgrid[:HEIGHT, :WIDTH] - np.array([60, 80])[:, None, None])) < r) * 255,
            np.uint8,
        )
        for r in (20, 30)
    )
    found = carry(images, [small, None, None, None, large], FLOW_ALONE)
    assert iou(found[1], small) > 0.98 and iou(found[3], large) > 0.98


@pytest.mark.parametrize("value", [0, 255])
def test_nothing_and_everything_stay_so(value: int) -> None:
    """Where there is no object, or nothing else, no colours can be learned; and what comes into the
    picture is as what was at its edge.
    """
    wall = np.hstack([pattern(0), pattern(1)]).repeat(3, -1)
    images = [np.ascontiguousarray(wall[:, 5 * k : 5 * k + WIDTH]) for k in range(6)]
    found = carry(images, [np.full((HEIGHT, WIDTH), value, np.uint8), *[None] * 5])
    assert all((np.abs(f.astype(int) - value) < 128).mean() > 0.999 for f in found)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_pictures_of_one_colour_keep_the_mask(value: int) -> None:
    truth = np.asarray(disc(80) * 255, np.uint8)
    found = carry([np.full((HEIGHT, WIDTH, 3), value, np.uint8)] * 3, [None, truth, None])
    assert min(iou(f, truth) for f in found) > 0.95


def test_results_repeat_whatever_was_drawn_before() -> None:
    images, truth = film([60.0 + 2 * k for k in range(6)], tint=(1.0, 0.8, 0.8))
    behind(images, truth, step=9, wide=14)
    results = []
    for seed in (1, 2, 3):
        cv2.setRNGSeed(seed)
        results.append(np.stack(carry(images, [truth[0], *[None] * 5])))
    assert (results[0] == results[1]).all() and (results[0] == results[2]).all()


def test_every_step_is_told_and_one_can_stop_it() -> None:
    images, truth = film([40.0 + 4 * k for k in range(6)])
    told: list[tuple[int, int]] = []
    carry(
        images,
        [None, truth[1], None, None, truth[4], None],
        progress=lambda step, total: told.append((step, total)),
    )
    assert told == [(step, 10) for step in range(1, 11)], (
        "one way to the ends, two between, and a decision each"
    )

    def stop(step: int, total: int) -> None:
        raise InterruptedError(step)

    with pytest.raises(InterruptedError, match="1"):
        carry(images, [truth[0], *[None] * 5], progress=stop)


def test_large_pictures_get_masks_of_their_size(tmp_path: Path) -> None:
    images, truth = film([40.0 + 2 * k for k in range(4)])
    frames = []
    for k, image in enumerate(images):
        Image.fromarray(image).resize((8 * WIDTH, 8 * HEIGHT)).save(tmp_path / f"{k}.png")
        frames.append(
            capture.Frame(
                image=tmp_path / f"{k}.png",
                camera_to_world=np.eye(4),
                fl_x=900.0,
                fl_y=900.0,
                cx=640.0,
                cy=480.0,
                width=8 * WIDTH,
                height=8 * HEIGHT,
                time=k / 4,
            )
        )
    (tmp_path / "masks").mkdir()
    Image.fromarray(truth[0]).resize((8 * WIDTH, 8 * HEIGHT)).save(tmp_path / "masks" / "0.png")
    found = masks.find(
        capture.Capture(root=tmp_path, frames=frames),
        tmp_path / "masks",
        [Image.open(f.image) for f in frames],
    )
    assert found.propagated == 3 and {a.shape for a in found.alphas} == {(8 * HEIGHT, 8 * WIDTH)}
    assert (
        min(
            iou(cv2.resize(a, (WIDTH, HEIGHT)), t) for a, t in zip(found.alphas, truth, strict=True)
        )
        > 0.9
    )
