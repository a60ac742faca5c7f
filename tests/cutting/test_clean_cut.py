"""Objects come out in one piece, without what belongs to others."""

import numpy as np
import pytest
from helpers.cut_scenes import BALL, FLOOR, RED, SPACING, ball, discs, floor, scene

from backend.cutting.clean_cut import CleanCut, clean_cut
from backend.cutting.footprints import footprints_of
from backend.cutting.parts import object_parts
from backend.formats.splat_arrays import SplatArrays, take

UP = np.array([[0.0, 0, 1]])


def _cut(arrays: SplatArrays, labels: np.ndarray, largest: bool = True) -> CleanCut:
    return clean_cut(arrays, labels == BALL, labels == FLOOR, largest)


def test_a_clean_object_stays_whole() -> None:
    arrays, labels = scene((ball(), BALL), (floor(hole=0.2), FLOOR))
    cut = _cut(arrays, labels)
    ours = int((labels == BALL).sum())
    assert len(np.unique(cut.source)) >= 0.99 * ours and not cut.halo and cut.floaters == 0
    plain = ~cut.is_tile
    assert (cut.arrays.means[plain] == arrays.means[cut.source[plain]]).all()


def test_floaters_and_haze_are_left_behind_and_counted() -> None:
    random = np.random.default_rng(1)
    away = random.normal(size=(30, 3))
    away = [0, 0, 0.5] + away / np.linalg.norm(away, axis=1, keepdims=True) * 0.9
    floaters = discs(away, np.tile(UP, (30, 1)), 0.5 * SPACING, 0.9, RED)
    haze = discs(
        np.array([0, 0, 0.5]) + random.normal(0, 0.45, (50, 3)) * [1, 1, 0.3] + [0, 0, 1.2],
        np.tile(UP, (50, 1)), 4 * SPACING, 0.1, RED,
    )  # fmt: skip
    whole = ball()
    arrays, labels = scene((whole, BALL), (floaters, BALL), (haze, BALL))
    cut = _cut(arrays, labels)
    assert cut.floaters >= 28 and cut.halo >= 48
    assert len(cut.source) == len(whole) and cut.source.max() < len(whole)
    assert "30 floaters" in cut.told() or "floaters" in cut.told()
    assert object_parts(footprints_of(cut.arrays)).body.all()


def test_the_largest_part_or_all_that_are_not_small() -> None:
    arrays, labels = scene((ball(), BALL), (ball(0.3, (1.5, 0, 0.3)), BALL))
    large, small = len(ball()), len(ball(0.3))
    assert len(_cut(arrays, labels).source) == large
    assert _cut(arrays, labels).floaters == small
    assert len(_cut(arrays, labels, largest=False).source) == large + small


def test_sparse_splats_hang_together() -> None:
    """Thinned out to a tenth: what is far apart for dense splats is near for these."""
    arrays = take(ball(), np.arange(0, len(ball()), 10))
    body = object_parts(footprints_of(arrays)).body
    assert body.mean() > 0.9


@pytest.mark.parametrize("size", [(6 * SPACING, 0.6 * SPACING), (6 * SPACING, 4 * SPACING)])
def test_a_splat_across_the_border_is_cut_to_the_part_within(size: tuple[float, float]) -> None:
    """A long one of the ball's that lies on the floor."""
    half = floor(1.0)
    mine = half.means[:, 0] < 0
    across = discs(np.zeros((1, 3)), UP, size, 0.8, RED)
    across.quats[:] = [[1, 0, 0, 0]]
    arrays, labels = scene((take(half, mine), BALL), (take(half, ~mine), FLOOR), (across, BALL))
    cut = _cut(arrays, labels)
    at = len(half)
    tiles = cut.arrays.means[cut.source == at]
    assert cut.split == 1 and len(tiles) > 1 and cut.is_tile[cut.source == at].all()
    assert (tiles[:, 0] < SPACING).all() and tiles[:, 0].min() < -2 * SPACING
    reach = cut.arrays.means[:, 0] + 2 * np.exp(cut.arrays.log_scales[:, 0])
    assert reach.max() < 2 * size[0]  # the whole one reached that far


def test_splats_within_another_object_are_left_to_it() -> None:
    ground = floor(1.0)
    lost = discs(
        np.array([[0.8, 0.8, 0.0], [-0.8, 0.7, 0]]), np.tile(UP, (2, 1)), 0.5 * SPACING, 0.5, RED
    )
    arrays, labels = scene((ball(), BALL), (ground, FLOOR), (lost, BALL))
    cut = _cut(arrays, labels)
    assert cut.source.max() < len(ball())
    assert cut.floaters + cut.outside + cut.halo >= 2


def test_nothing_solid_is_kept_as_it_is() -> None:
    haze = discs(np.zeros((3, 3)), np.tile(UP, (3, 1)), 0.1, 0.1, RED)
    cut = clean_cut(haze, np.ones(3, bool), np.zeros(3, bool))
    assert len(cut.source) == 3 and cut.told() == "kept 3"
    assert len(clean_cut(haze, np.zeros(3, bool), np.ones(3, bool)).source) == 0
