"""The best rotation between two sets of points: never mirrored, the same in numpy and torch."""

import numpy as np
import torch

from backend.geometry import rotations
from backend.geometry.nearest_rotation import nearest_rotation

MIRROR = np.diag([1.0, 1.0, -1.0])


def turned(count: int) -> np.ndarray:
    """(count, 3, 3) random rotations."""
    vectors = torch.from_numpy(np.random.default_rng(0).normal(size=(count, 3)))
    return rotations.rotation_vector_to_matrix(vectors).numpy()


def covariance(rotation: np.ndarray, spread: tuple[float, float, float]) -> np.ndarray:
    """(..., 3, 3) sum of target source^T for points that lie so wide along the axes."""
    return rotation @ np.diag(spread)


def test_a_rotation_is_found_again_one_or_many() -> None:
    truth = turned(5)
    found, singular = nearest_rotation(covariance(truth, (3.0, 2.0, 0.5)))
    np.testing.assert_allclose(found, truth, atol=1e-12)
    np.testing.assert_allclose(singular, np.tile([3.0, 2.0, 0.5], (5, 1)), atol=1e-12)
    np.testing.assert_allclose(nearest_rotation(3 * truth[0])[0], truth[0], atol=1e-12)


def test_a_mirror_image_is_turned_as_well_as_can_be_and_said_by_the_sign() -> None:
    truth = turned(4)
    found, singular = nearest_rotation(covariance(truth, (3.0, 2.0, 0.5)) @ MIRROR)
    np.testing.assert_allclose(np.linalg.det(found), 1.0, atol=1e-12)
    np.testing.assert_allclose(found, truth, atol=1e-12)
    np.testing.assert_allclose(singular, np.tile([3.0, 2.0, -0.5], (4, 1)), atol=1e-12)


def test_no_other_rotation_fits_better() -> None:
    random = np.random.default_rng(1)
    matrix, others = random.normal(size=(3, 3)), turned(500)
    best = np.trace(nearest_rotation(matrix)[0].T @ matrix)
    assert (np.einsum("nij,ij->n", others, matrix) < best).all()


def test_torch_has_the_same() -> None:
    matrices = np.random.default_rng(2).normal(size=(20, 3, 3))
    for ours, theirs in zip(
        nearest_rotation(matrices),
        rotations.nearest_rotation(torch.from_numpy(matrices)),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-10)
