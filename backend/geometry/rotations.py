"""Rotations in torch. Quaternions are (w, x, y, z); matrices act on column vectors."""

import torch
from torch import Tensor


def quat_to_matrix(quats: Tensor) -> Tensor:
    """(..., 4) quaternions of any length -> (..., 3, 3) rotation matrices."""
    w, x, y, z = torch.nn.functional.normalize(quats, dim=-1).unbind(-1)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def rotation_vector_to_matrix(omega: Tensor) -> Tensor:
    """(..., 3) axis times angle in radians -> (..., 3, 3), Rodrigues' formula; smooth at zero."""
    x, y, z = omega.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    matrix: Tensor = torch.linalg.matrix_exp(skew)
    return matrix
