"""Spherical harmonics: orthonormal, with the signs of 3DGS files, and colours from them."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y

from backend.geometry.spherical_harmonics import SH_C0, coefficient_count, sh_basis, sh_to_rgb

DIRECTIONS = torch.nn.functional.normalize(
    torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64), dim=1
)


def real_harmonics(directions: np.ndarray) -> np.ndarray:
    """(N, 25) from scipy's complex ones, which carry Condon and Shortley's sign, as 3DGS's do."""
    polar, around = np.arccos(directions[:, 2]), np.arctan2(directions[:, 1], directions[:, 0])
    columns = []
    for degree in range(5):
        for order in range(-degree, degree + 1):
            value = sph_harm_y(degree, abs(order), polar, around)
            columns.append(
                value.real if order == 0 else np.sqrt(2) * (value.imag if order < 0 else value.real)
            )
    return np.stack(columns, 1)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4])
def test_the_basis_is_the_one_of_the_books(degree: int) -> None:
    found: Any = sh_basis(degree, DIRECTIONS)
    assert found.shape == (50, coefficient_count(degree)) == (50, (degree + 1) * (degree + 1))
    np.testing.assert_allclose(
        found, real_harmonics(DIRECTIONS.numpy())[:, : found.shape[1]], atol=1e-9
    )


def test_signs_of_the_first_degree() -> None:
    """Kerbl et al.: -y, z, -x."""
    x, y, z = sh_basis(1, torch.eye(3))[:, 1:]
    assert (x[2] < 0 and y[0] < 0 and z[1] > 0) and x[:2].abs().max() == 0


def test_any_number_of_dimensions() -> None:
    assert sh_basis(3, DIRECTIONS.reshape(2, 25, 3)).shape == (2, 25, 16)


def test_the_constant_part_is_a_colour() -> None:
    """coefficient = (colour - 0.5) / SH_C0, from everywhere."""
    color = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    coefficients = ((color - 0.5) / SH_C0).expand(50, 1, 3)
    np.testing.assert_allclose(sh_to_rgb(0, DIRECTIONS, coefficients), color.expand(50, 3))


def test_colours_are_not_below_zero_but_may_glare() -> None:
    coefficients = torch.tensor([[[-3.0, 0, 3]]]) / SH_C0
    assert sh_to_rgb(0, torch.eye(3)[:1], coefficients)[0].tolist() == pytest.approx([0, 0.5, 3.5])


def test_coefficients_beyond_the_degree_have_no_say() -> None:
    coefficients = (
        torch.randn(50, 25, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        * 0.1
    )
    for degree in range(5):
        cut = coefficients.clone()
        cut[:, (degree + 1) ** 2 :] = 100
        np.testing.assert_array_equal(
            sh_to_rgb(degree, DIRECTIONS, coefficients), sh_to_rgb(degree, DIRECTIONS, cut)
        )
        wanted = 0.5 + np.einsum(
            "nk,nkc->nc",
            real_harmonics(DIRECTIONS.numpy())[:, : (degree + 1) ** 2],
            coefficients[:, : (degree + 1) ** 2],
        )
        np.testing.assert_allclose(
            sh_to_rgb(degree, DIRECTIONS, coefficients), wanted.clip(0), atol=1e-9
        )
