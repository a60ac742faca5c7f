"""Moved splats look from a moved camera as the old ones did from the old camera."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.random_splats import make

from backend.formats.splat_moves import matrices_of, moved
from backend.formats.splat_ply import SplatArrays
from backend.gaussians.model import from_arrays
from backend.gaussians.rasterize import rasterize
from backend.protocol import InputError


def rendered(arrays: SplatArrays, viewmat: np.ndarray) -> np.ndarray:
    model, K = from_arrays(arrays), torch.tensor([[60.0, 0, 32], [0, 60.0, 24], [0, 0, 1]])
    return np.asarray(
        rasterize(
            model.means,
            model.quats,
            model.scales,
            model.opacities,
            model.sh(3),
            torch.from_numpy(viewmat).float()[None],
            K[None],
            64,
            48,
            sh_degree=3,
        ).image[0]
    )


def some_splats() -> SplatArrays:
    arrays = make(60)
    return replace(arrays, log_scales=arrays.log_scales + 2.5, sh=arrays.sh * 0.3)


def rotation(seed: int) -> np.ndarray:
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return np.asarray(q * np.sign(np.linalg.det(q)))


VIEW = np.array([[1, 0, 0, 0.1], [0, 1, 0, 0], [0, 0, 1, 4.0], [0, 0, 0, 1]])


def test_a_moved_scene_from_a_moved_camera_is_the_same_picture() -> None:
    arrays, matrix = some_splats(), np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = 1.7 * rotation(1), (3.0, -2.0, 1.0)
    turn = rotation(1)
    view = np.eye(4)
    view[:3, :3] = VIEW[:3, :3] @ turn.T
    view[:3, 3] = 1.7 * VIEW[:3, 3] - view[:3, :3] @ matrix[:3, 3]
    before, after = rendered(arrays, VIEW), rendered(moved(arrays, matrix), view)
    assert before.std() > 0.05
    np.testing.assert_allclose(after, before, atol=2e-3)


def test_there_and_back_is_as_it_was() -> None:
    arrays, matrix = some_splats(), np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = 0.4 * rotation(5), (1.0, 2.0, 3.0)
    back = moved(moved(arrays, matrix), np.asarray(np.linalg.inv(matrix), np.float64))
    np.testing.assert_allclose(back.means, arrays.means, atol=1e-4)
    np.testing.assert_allclose(back.log_scales, arrays.log_scales, atol=1e-4)
    np.testing.assert_allclose(back.sh, arrays.sh, atol=1e-4)
    np.testing.assert_allclose(matrices_of(back.quats), matrices_of(arrays.quats), atol=1e-4)
    np.testing.assert_array_equal(back.extra["label"], arrays.extra["label"])


@pytest.mark.parametrize("stretch", [(2.0, 0.5, 1.0), (-1.0, 1.0, 1.0)])
def test_uneven_and_mirroring_maps_carry_the_ellipsoids(
    stretch: tuple[float, float, float],
) -> None:
    arrays, matrix = some_splats(), np.eye(4)
    matrix[:3, :3] = rotation(2) @ np.diag(stretch) @ rotation(3)
    after = moved(arrays, matrix)

    def covariances(a: SplatArrays) -> np.ndarray:
        axes = matrices_of(a.quats) * np.exp(a.log_scales.astype(np.float64))[:, None]
        return np.asarray(axes @ axes.transpose(0, 2, 1))

    expected = matrix[:3, :3] @ covariances(arrays) @ matrix[:3, :3].T
    np.testing.assert_allclose(covariances(after), expected, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(after.quats, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("fault", [np.nan, 0.0])
def test_what_flattens_space_is_refused(fault: float) -> None:
    matrix = np.diag([1.0, fault, 1.0, 1.0])
    with pytest.raises(InputError, match="scaled to nothing"):
        moved(some_splats(), matrix)
