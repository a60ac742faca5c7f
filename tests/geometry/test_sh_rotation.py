"""Harmonics in numpy against those in torch; turned colours are the old ones seen from where they
came.
"""

import numpy as np
import pytest
import torch

from backend.geometry.sh_rotation import sh_basis, turn_sh
from backend.geometry.spherical_harmonics import sh_basis as torch_basis


def directions(count: int = 50) -> np.ndarray:
    away = np.random.default_rng(1).normal(size=(count, 3))
    return np.asarray(away / np.linalg.norm(away, axis=1, keepdims=True))


def orthogonal(seed: int, mirror: bool = False) -> np.ndarray:
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    q *= np.sign(np.linalg.det(q))
    return np.asarray(-q if mirror else q)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4])
def test_the_basis_is_that_of_training(degree: int) -> None:
    expected = torch_basis(degree, torch.from_numpy(directions())).numpy()
    np.testing.assert_allclose(sh_basis(degree, directions()), expected, atol=1e-12)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("coefficients", [1, 4, 9, 16, 25])
def test_colors_turn_with_the_splats(coefficients: int, mirror: bool) -> None:
    sh = np.random.default_rng(2).normal(size=(7, coefficients, 3)).astype(np.float32)
    turn, degree = orthogonal(3, mirror), int(coefficients**0.5) - 1
    turned = turn_sh(sh, turn)
    before = np.einsum("dk,nkc->ndc", sh_basis(degree, directions() @ turn), sh)
    after = np.einsum("dk,nkc->ndc", sh_basis(degree, directions()), turned)
    np.testing.assert_allclose(after, before, atol=1e-5)
    np.testing.assert_array_equal(turned[:, 0], sh[:, 0])
