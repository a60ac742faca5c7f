"""Real spherical harmonics up to degree 4, with the signs that 3DGS files use (Kerbl et al.
2023).
"""

import torch
from torch import Tensor

SH_C0 = 0.28209479177387814  # the constant basis function: colour = 0.5 + SH_C0 * first coefficient


def coefficient_count(degree: int) -> int:
    """Coefficients a colour channel of harmonics up to `degree`."""
    return (degree + 1) ** 2


def sh_basis(degree: int, directions: Tensor) -> Tensor:
    """(..., 3) unit directions -> (..., (degree + 1)^2) values of the basis."""
    x, y, z = directions.unbind(-1)
    basis = [torch.full_like(x, SH_C0)]
    if degree >= 1:
        c = 0.48860251190292
        basis += [-c * y, c * z, -c * x]
    if degree >= 2:
        a, h = 1.092548430592079, 0.5462742152960395
        xx_yy = x * x - y * y
        basis += [
            2 * h * x * y,
            -a * y * z,
            0.9461746957575601 * z * z - 0.3153915652525201,
            -a * x * z,
            h * xx_yy,
        ]
    if degree >= 3:
        q, p = -0.5900435899266435, 1.445305721320277
        r = 0.4570457994644658 - 2.285228997322329 * z * z
        basis += [
            q * y * (3 * x * x - y * y),
            2 * p * z * x * y,
            r * y,
            z * (1.865881662950577 * z * z - 1.119528997770346),
            r * x,
            p * z * xx_yy,
            q * x * (x * x - 3 * y * y),
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
    return torch.stack(basis, -1)


def sh_to_rgb(degree: int, directions: Tensor, coefficients: Tensor) -> Tensor:
    """Colours (N, 3), not below 0, of coefficients (N, K >= (degree + 1)^2, 3) seen along unit
    directions (N, 3).
    """
    used = coefficients[:, : coefficient_count(degree)]
    return (torch.einsum("nk,nkc->nc", sh_basis(degree, directions), used) + 0.5).clamp_min(0)
