"""Holes are closed by what surrounds them."""

import numpy as np
import pytest
from helpers.cut_scenes import BALL, BLUE, FLOOR, ball, discs, floor, scene

from backend.cutting.filling import fill_behind
from backend.cutting.harmonic import continued
from backend.cutting.planes import planes
from backend.formats.splat_arrays import opacities_of, take


def test_a_skin_is_the_mean_of_its_rim() -> None:
    """A harmonic function is its own continuation: x² - y², and x."""
    v, u = np.indices((30, 40)) / 10.0
    values = np.stack([u * u - v * v, u], -1)
    hole = np.zeros((30, 40), bool)
    hole[8:20, 12:30] = True
    holed = np.where(hole[..., None], 99.0, values)
    np.testing.assert_allclose(continued(holed, ~hole, hole), values, atol=1e-3)
    alone = continued(holed, np.zeros_like(hole), hole)
    assert (alone == holed).all()


def test_planes_are_told_apart() -> None:
    random = np.random.default_rng(0)
    ground = random.uniform(-1, 1, (400, 3)) * [1, 1, 0.005]
    wall = random.uniform(-1, 1, (300, 3)) * [0.005, 1, 1] + [1, 0, 1]
    stray = random.uniform(-1, 1, (40, 3))
    points = np.concatenate([ground, wall, stray]).astype(np.float32)
    made = planes(points, 0.02, 100, 4)
    assert len(made) == 2
    assert abs(made[0][0].axes[2, 2]) > 0.99 and abs(made[1][0].axes[2, 0]) > 0.99
    assert made[0][1][:400].mean() > 0.95 and made[1][1][400:700].mean() > 0.9
    np.testing.assert_allclose(made[0][0].places(made[0][0].flat(points)), points, atol=1e-5)


@pytest.mark.parametrize("turned", [False, True])
def test_the_floor_under_a_ball_is_continued(turned: bool) -> None:
    arrays, labels = scene((ball(), BALL), (floor(hole=0.35, slope=0.5), FLOOR))
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    if turned:
        from backend.formats.splat_moves import moved

        turn = turn * np.sign(np.linalg.det(turn))
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn, [3, -2, 7]
        arrays = moved(arrays, matrix)
    filling = fill_behind(arrays, labels == BALL, labels)
    patch = filling.arrays
    assert patch is not None and filling.surfaces == 1 and (filling.objects == FLOOR).all()
    places = (patch.means - [3, -2, 7]) @ turn if turned else patch.means
    assert np.abs(places[:, 2]).max() < 0.02 and np.linalg.norm(places[:, :2], axis=1).max() < 0.45
    assert np.linalg.norm(places[:, :2], axis=1).min() < 0.1
    area = np.pi * 0.35**2
    spread = 2 * np.pi * np.exp(patch.log_scales[:, :2].astype(float)).prod(1) * opacities_of(patch)
    assert spread.sum() > 1.5 * area  # it covers: Gaussians overlap
    expected = np.array(BLUE) + 0.5 * places[:, :1] * [1, 0, 0]
    assert np.abs(patch.sh[:, 0] - expected).max() < 0.1


def test_a_bowl_is_continued_as_a_bowl() -> None:
    ground = floor(hole=0.35)
    ground.means[:, 2] = 0.1 * (ground.means[:, :2] ** 2).sum(1)
    arrays, labels = scene((ball(), BALL), (ground, FLOOR))
    patch = fill_behind(arrays, labels == BALL, labels).arrays
    assert patch is not None
    wanted = 0.1 * (patch.means[:, :2].astype(float) ** 2).sum(1)
    assert np.abs(patch.means[:, 2] - wanted).max() < 0.02


def test_what_lies_in_the_shadow_is_found_from_where_pictures_were_taken() -> None:
    """A wall behind, that the ball does not touch."""
    line = np.arange(-2, 2, 0.05)
    y, z = np.meshgrid(line, line)
    places = np.stack([np.full(y.size, -1.0), y.ravel(), z.ravel() + 0.5], 1)
    open_ = np.linalg.norm(places[:, 1:] - [0, 0.5], axis=1) >= 0.6
    wall = discs(places[open_], np.tile([[1.0, 0, 0]], (open_.sum(), 1)), 0.03, 0.9, BLUE)
    arrays, labels = scene((ball(), BALL), (wall, FLOOR))
    eyes = np.array([[3.0, 0, 0.5]], np.float32)
    patch = fill_behind(arrays, labels == BALL, labels, eyes).arrays
    assert patch is not None and np.abs(patch.means[:, 0] + 1).max() < 0.02
    wide = np.linalg.norm(patch.means[:, 1:] - [0, 0.5], axis=1).max()
    assert 0.5 < wide < 0.7


def test_what_has_no_hole_is_left_alone() -> None:
    arrays, labels = scene((ball(), BALL), (floor(), FLOOR))
    filling = fill_behind(arrays, labels == BALL, labels)
    assert filling.arrays is None and not len(filling.objects)
    gone = take(arrays, labels == FLOOR)
    none = fill_behind(gone, np.zeros(len(gone), bool), np.ones(len(gone), np.int32))
    assert none.arrays is None


def test_the_gap_between_two_legs_is_no_hole() -> None:
    """Two posts behind the ball, and nothing between them."""
    legs = floor(1.5)
    kept = np.abs(np.abs(legs.means[:, 0]) - 0.6) < 0.12
    posts = take(legs, kept)
    arrays, labels = scene((ball(), BALL), (posts, FLOOR))
    assert fill_behind(arrays, labels == BALL, labels).arrays is None
