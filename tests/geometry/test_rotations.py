"""Rotations against scipy's, which has them from elsewhere."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from backend.geometry.rotations import (
    matrix_to_quat,
    multiply_quats,
    quat_to_matrix,
    rotation_vector_to_matrix,
)

QUATS = torch.randn(64, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
# half turns, and small ones, where one part of the quaternion is all that there is
PLAIN = torch.cat(
    [
        torch.eye(4, dtype=torch.float64),
        -torch.eye(4, dtype=torch.float64),
        torch.eye(4, dtype=torch.float64) + 1e-7,
    ]
)
ALL = torch.nn.functional.normalize(torch.cat([QUATS, PLAIN]), dim=1)


def scipy(quats: torch.Tensor) -> Rotation:
    return Rotation.from_quat(quats.numpy(), scalar_first=True)


def test_matrices_of_quaternions_of_any_length() -> None:
    for length in (1, 0.01, 300):
        np.testing.assert_allclose(quat_to_matrix(ALL * length), scipy(ALL).as_matrix(), atol=1e-12)
    many = ALL.reshape(2, 2, -1, 4)
    assert torch.equal(quat_to_matrix(many), quat_to_matrix(ALL).reshape(2, 2, -1, 3, 3))


def test_matrices_give_their_quaternions_back() -> None:
    back = matrix_to_quat(torch.from_numpy(scipy(ALL).as_matrix()))
    np.testing.assert_allclose(
        (back * ALL).sum(1).abs(), 1, atol=1e-12
    )  # q and -q are the same turn
    np.testing.assert_allclose(back.norm(dim=1), 1, atol=1e-12)


def test_single_precision_loses_nothing_to_cancellation() -> None:
    quats = ALL.float()
    back = matrix_to_quat(quat_to_matrix(quats))
    np.testing.assert_allclose((back * quats).sum(1).abs(), 1, atol=1e-6)


def test_rotation_vectors() -> None:
    g = np.random.default_rng(0)
    omega = np.concatenate(
        [g.normal(size=(32, 3)), g.normal(size=(8, 3)) * 1e-5, np.eye(3) * np.pi, np.zeros((1, 3))]
    )
    found = rotation_vector_to_matrix(torch.from_numpy(omega))
    np.testing.assert_allclose(found, Rotation.from_rotvec(omega).as_matrix(), atol=1e-11)
    assert rotation_vector_to_matrix(torch.from_numpy(omega).reshape(2, -1, 3)).shape == (
        2,
        len(omega) // 2,
        3,
        3,
    )


def test_rotation_vectors_can_be_learned_from_zero() -> None:
    """At no turn at all, the derivative is the axis' cross product, and finite."""
    omega = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    jacobian = torch.autograd.functional.jacobian(rotation_vector_to_matrix, omega)
    np.testing.assert_allclose(jacobian[2, 1], [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(jacobian[0, 2], [0, 1, 0], atol=1e-9)
    np.testing.assert_allclose(jacobian[1, 0], [0, 0, 1], atol=1e-9)
    np.testing.assert_allclose(jacobian + jacobian.transpose(0, 1), 0, atol=1e-9)


def test_products_turn_by_the_second_first() -> None:
    a, b = ALL[: len(ALL) // 2], ALL[len(ALL) // 2 :]
    wanted = scipy(a) * scipy(b)
    np.testing.assert_allclose(quat_to_matrix(multiply_quats(a, b)), wanted.as_matrix(), atol=1e-12)


def test_products_of_lengths_are_lengths_of_products() -> None:
    a, b = QUATS[:32], QUATS[32:]
    np.testing.assert_allclose(multiply_quats(a, b).norm(dim=1), a.norm(dim=1) * b.norm(dim=1))
    i, j, k = torch.eye(4, dtype=torch.float64)[1:, None]
    assert multiply_quats(i, j).tolist() == k.tolist(), "ij = k"
    assert multiply_quats(i, i)[0].tolist() == pytest.approx([-1, 0, 0, 0])
