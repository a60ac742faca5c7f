"""The first Gaussians: where, how wide, how many, of which colour."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import clips
from helpers.small_training import small_config, small_view

from backend.formats import points_ply
from backend.formats.capture import Capture
from backend.gaussians.model import Gaussians
from backend.geometry.conventions import to_viewmat
from backend.splats.discs import discs
from backend.splats.initialization import (
    _seen,
    initialise,
    neighbor_distance,
    points_of,
    scatter,
    thin,
)
from backend.splats.views import TrainingView, ViewSet


def views_around(center: np.ndarray, radius: float, count: int = 12) -> ViewSet:
    """Cameras on an arc that look at `centre`."""
    full = []
    for i in range(count):
        pose = clips.camera_on_arc(i / count, radius)
        pose[:3, 3] = pose[:3, 3] / np.linalg.norm(pose[:3, 3]) * radius + center
        plain = small_view(0)
        full.append(
            TrainingView(
                name="",
                pixels=plain.pixels,
                viewmat=torch.tensor(to_viewmat(pose), dtype=torch.float32),
                K=plain.K,
            )
        )
    return ViewSet(
        full=full,
        half=full,
        training=list(range(count)),
        held_out=[],
        extent=2.0,
        transparent=False,
    )


VIEWS = views_around(np.array([5.0, -3, 2]), 4.0)


def first(
    folder: Path, points: np.ndarray | None, colors: np.ndarray | None = None, **config: int
) -> Gaussians:
    path = None
    if points is not None:
        path = folder / "points3D.ply"
        points_ply.write(
            path, points, np.full(points.shape, 255, np.uint8) if colors is None else colors
        )
    found = points_of(Capture(root=folder, frames=[], points=path))
    return initialise(found, VIEWS, small_config(**config), 0, "cpu")


# ------------------------------------------------------------------------------ scattered ones
def test_without_points_they_fill_a_ball_that_the_cameras_look_at() -> None:
    points, colors = scatter(VIEWS, 0)
    assert (
        points.shape == colors.shape == (10_000, 3)
        and points.dtype == np.float32
        and colors.dtype == np.uint8
    )
    away = np.linalg.norm(points - [5, -3, 2], axis=1)
    assert away.max() == pytest.approx(2, abs=0.01), "half as far as the cameras are"
    np.testing.assert_allclose(points.mean(0), [5, -3, 2], atol=0.05)
    assert (away < 1).mean() == pytest.approx(1 / 8, abs=0.02), "as many in every part of it"
    spread = (points - [5, -3, 2]).std(0)
    np.testing.assert_allclose(spread, spread.mean(), rtol=0.05)
    assert colors.min() == 0 and colors.max() == 255 and colors.std() > 70


def test_scattering_goes_by_the_seed() -> None:
    assert np.array_equal(scatter(VIEWS, 1)[0], scatter(VIEWS, 1)[0])
    assert not np.array_equal(scatter(VIEWS, 1)[0], scatter(VIEWS, 2)[0])


def test_one_camera_that_is_far_does_not_blow_it_up() -> None:
    far = views_around(np.array([5.0, -3, 2]), 400.0, 2)
    mixed = ViewSet(
        full=[*VIEWS.full, *far.full],
        half=[],
        training=[],
        held_out=[],
        extent=2.0,
        transparent=False,
    )
    away = np.linalg.norm(scatter(mixed, 0)[0] - [5, -3, 2], axis=1)
    assert away.max() == pytest.approx(2, abs=0.1)


# ------------------------------------------------------------------------------ crowds
def test_thinning_comes_as_close_to_its_limit_as_a_grid_can() -> None:
    """On a plane of 30 by 30 points, as fine a grid as holds 250 of them at most."""
    x, y = np.meshgrid(np.arange(30), np.arange(30))
    points = np.stack([x.ravel(), y.ravel(), x.ravel() * 0], 1).astype(np.float32)
    for most in (250, 901, 900, 899):
        kept = thin(points, most)
        assert len(set(kept.tolist())) == len(kept) <= most
        assert len(kept) > 0.8 * min(most, 256)
    spread: Any = points[thin(points, 250)]
    distance = np.linalg.norm(spread[:, None] - spread[None], axis=2) + 100 * np.eye(len(spread))
    assert distance.min(1).max() < 4, "evenly"


def test_thinning_does_not_depend_on_place_or_size() -> None:
    random = np.random.default_rng(0)
    points: Any = random.random((500, 3)).astype(np.float32)
    kept = thin(points, 100).tolist()
    assert thin(points * 1024, 100).tolist() == kept
    assert thin(points / 1024, 100).tolist() == kept
    assert thin(points * [1, 1, 4], 100).tolist() != kept
    coarse = (points * 256).round() / 256  # so that moving rounds nothing
    assert (
        thin(coarse, 100).tolist()
        == thin(coarse + 7, 100).tolist()
        == thin(coarse - 50, 100).tolist()
    )


def test_as_many_as_allowed_are_allowed() -> None:
    crowds = np.repeat(np.array([[0, 0, 0], [1, 0, 0], [9, 5, 0]], np.float32), 10, 0)
    assert thin(crowds, 3).tolist() == [0, 10, 20]
    assert thin(crowds, 2).tolist() == [0, 20]


def test_points_in_one_place_are_one() -> None:
    assert thin(np.full((50, 3), 7, np.float32), 10).tolist() == [0]


def test_distances_to_the_three_nearest() -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3], [100, 0, 0]], np.float32)
    found = neighbor_distance(points)
    assert found[0] == pytest.approx(np.sqrt((1 + 4 + 9) / 3))
    assert found[4] == pytest.approx(np.sqrt((99**2 + 100**2 + 100**2 + 4) / 3), rel=1e-6)
    assert neighbor_distance(points[:2] * 3).tolist() == [3, 3]
    assert neighbor_distance(points[:1]).tolist() == [1], "a lone one has to have some width"


# ------------------------------------------------------------------------------ all of it
def test_they_are_at_the_points_and_of_their_colours(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    points, colors = (
        random.random((100, 3)).astype(np.float32),
        random.integers(0, 256, (100, 3)).astype(np.uint8),
    )
    model = first(tmp_path, points, colors, max_splats=200, sh_degree=2)
    np.testing.assert_array_equal(model.means.detach(), points)
    np.testing.assert_allclose(model.sh0.detach()[:, 0] * 0.28209479 + 0.5, colors / 255, atol=1e-6)
    assert model.sh_rest.shape == (100, 8, 3) and not model.sh_rest.any()
    np.testing.assert_allclose(model.opacities.detach(), 0.3, atol=1e-6)
    quats, shape = discs(points)
    np.testing.assert_array_equal(model.quats.detach(), quats)
    width = torch.from_numpy(neighbor_distance(points).clip(max=0.4)).float()
    torch.testing.assert_close(model.scales.detach(), width[:, None] * shape)
    assert all(
        p.requires_grad and p.is_leaf and p.dtype == torch.float32 for p in model.named().values()
    )


def test_nine_tenths_of_the_limit_to_begin_with(tmp_path: Path) -> None:
    points = np.random.default_rng(0).random((1000, 3)).astype(np.float32)
    assert 0.7 * 270 < len(first(tmp_path, points, max_splats=300)) <= 270
    assert len(first(tmp_path, points[:270], max_splats=300)) == 270


def test_widths_are_held_within_shares_of_the_scene(tmp_path: Path) -> None:
    points = np.concatenate(
        [np.full((60, 3), 3), np.eye(3)[np.arange(60) % 3] * np.arange(1, 61)[:, None] * 50]
    ).astype(np.float32)
    scales = first(tmp_path, points, max_splats=10_000).scales.detach()
    assert scales.min() == pytest.approx(2e-4, rel=1e-4), "a ten thousandth of the extent"
    assert scales.max() == pytest.approx(0.4, rel=1e-4), "a fifth of it"


def test_few_points_are_as_good_as_none(tmp_path: Path) -> None:
    points = np.random.default_rng(0).random((100, 3)).astype(np.float32)
    assert len(first(tmp_path, points, max_splats=600)) == 100
    for few in (points[:99], None):
        model = first(tmp_path, few, max_splats=600)
        assert 400 < len(model) <= 540
        np.testing.assert_allclose(model.means.detach().mean(0), [5, -3, 2], atol=0.5)


def test_points_that_only_held_out_pictures_saw_are_left_out() -> None:
    """One cloud in the middle, which all see, and one behind the cameras of training."""

    held = replace(VIEWS, training=[0, 1], beyond=list(range(2, len(VIEWS.full))))
    place = -VIEWS.full[0].viewmat[:3, :3].T @ VIEWS.full[0].viewmat[:3, 3]
    middle = torch.tensor([5.0, -3, 2])
    points = torch.stack([middle, place + (place - middle)]).numpy()
    assert _seen(points, held).tolist() == [True, False]
