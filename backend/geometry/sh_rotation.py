"""Spherical harmonics in numpy, and how their coefficients turn with the splats that carry them."""

import numpy as np

from .arrays import Doubles, Floats

SAMPLES = 64  # directions, of which 25 would do; more make the fit rounder
AT_ONCE = 1 << 16  # splats that are turned in double precision


def sh_basis(degree: int, directions: Doubles | Floats) -> Doubles | Floats:
    """(N, 3) unit directions -> (N, (degree + 1)^2), with the signs that 3DGS files use."""
    x, y, z = directions.T
    basis = [np.full_like(x, 0.28209479177387814)]
    if degree >= 1:
        basis += [-0.48860251190292 * y, 0.48860251190292 * z, -0.48860251190292 * x]
    if degree >= 2:
        basis += [
            1.092548430592079 * x * y,
            -1.092548430592079 * y * z,
            0.9461746957575601 * z * z - 0.3153915652525201,
            -1.092548430592079 * x * z,
            0.5462742152960395 * (x * x - y * y),
        ]
    if degree >= 3:
        r = 0.4570457994644658 - 2.285228997322329 * z * z
        basis += [
            -0.5900435899266435 * y * (3 * x * x - y * y),
            2.890611442640554 * x * y * z,
            r * y,
            z * (1.865881662950577 * z * z - 1.119528997770346),
            r * x,
            1.445305721320277 * z * (x * x - y * y),
            -0.5900435899266435 * x * (x * x - 3 * y * y),
        ]
    if degree >= 4:
        xx_yy, zz = x * x - y * y, z * z
        basis += [
            2.5033429417967046 * x * y * xx_yy,
            -1.7701307697799304 * y * z * (3 * x * x - y * y),
            0.9461746957575601 * x * y * (7 * zz - 1),
            -0.6690465435572892 * y * z * (7 * zz - 3),
            0.10578554691520431 * (35 * zz * zz - 30 * zz + 3),
            -0.6690465435572892 * x * z * (7 * zz - 3),
            0.47308734787878004 * xx_yy * (7 * zz - 1),
            -1.7701307697799304 * x * z * (x * x - 3 * y * y),
            0.6258357354491761 * (xx_yy * xx_yy - 4 * x * x * y * y),
        ]
    return np.stack(basis, 1)


def turn_sh(sh: Floats, rotation: Doubles) -> Floats:
    """Coefficients (N, K, 3), K = 1 to 25, of the same colours after the splats were turned
    by an orthogonal `rotation` (3, 3); mirrored ones too.

    Every degree is a space of its own under rotations, so the matrix that turns it follows from
    enough directions: the turned colour in direction d is the old one in the direction that d came
    from.
    """
    degree = int(sh.shape[1] ** 0.5) - 1
    k = np.arange(SAMPLES) + 0.5
    polar, around = np.arccos(1 - 2 * k / SAMPLES), np.pi * (1 + 5**0.5) * k
    directions = np.stack(
        [np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)], 1
    )
    new, old = sh_basis(degree, directions), sh_basis(degree, directions @ rotation)
    turned = sh.copy()
    for band in range(1, degree + 1):
        columns = slice(band * band, (band + 1) ** 2)
        matrix = np.linalg.lstsq(new[:, columns], old[:, columns], rcond=None)[0]
        for some in range(0, len(sh), AT_ONCE):
            rows = slice(some, some + AT_ONCE)
            turned[rows, columns] = np.einsum("jk,nkc->njc", matrix, sh[rows, columns])
    return turned
