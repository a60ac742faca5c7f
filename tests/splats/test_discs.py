"""Points on a surface become discs that lie in it."""

import numpy as np
import torch

from backend.geometry.rotations import quat_to_matrix
from backend.splats.discs import NEIGHBORS, THICKNESS, discs


def on_a_plane(normal: np.ndarray, count: int = 400, noise: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(0)
    across, along = np.linalg.svd(normal[None])[2][1:]
    places = random.uniform(-1, 1, (count, 2))
    points = places[:, :1] * across + places[:, 1:] * along
    return (points + noise * random.normal(size=(count, 1)) * normal).astype(np.float32)


def test_discs_lie_in_the_surface_and_are_thin_across_it() -> None:
    normal = np.array([0.48, -0.6, 0.64])
    for noise, least in ((0.0, 0.99999), (0.004, 0.95)):
        quats, shape = discs(on_a_plane(normal, noise=noise))
        across = quat_to_matrix(quats)[:, :, 2].numpy()
        assert np.quantile(np.abs(across @ normal), 0.1) > least
        assert (shape[:, :2] == 1).all()
        assert (shape[:, 2] == THICKNESS).float().mean() > 0.95


def test_axes_are_rotations() -> None:
    points = np.random.default_rng(1).normal(size=(300, 3)).astype(np.float32)
    quats, _ = discs(np.concatenate([points, on_a_plane(np.array([0.0, 0, 1]))]))
    assert torch.allclose(quats.norm(dim=1), torch.ones(700))
    assert torch.allclose(torch.linalg.det(quat_to_matrix(quats)), torch.ones(700), atol=1e-4)


def test_a_cloud_and_points_in_one_place_stay_balls() -> None:
    cloud = np.random.default_rng(0).normal(size=(2000, 3)).astype(np.float32)
    assert (discs(cloud)[1][:, 2] == 1).float().mean() > 0.8
    same = np.ones((50, 3), np.float32)
    quats, shape = discs(same)
    assert (shape == 1).all() and quats.isfinite().all()


def test_too_few_to_tell_a_surface_are_balls() -> None:
    quats, shape = discs(np.zeros((NEIGHBORS - 1, 3), np.float32))
    assert quats.shape == (NEIGHBORS - 1, 4) and (shape == 1).all()
