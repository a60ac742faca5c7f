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
    angle = (omega.square().sum(-1) + 1e-24).sqrt()[..., None, None]
    half = torch.sinc(angle / (2 * torch.pi))  # sin(angle / 2) / (angle / 2)
    matrix: Tensor = (
        torch.eye(3, dtype=omega.dtype, device=omega.device)
        + torch.sinc(angle / torch.pi) * skew
        + 0.5 * half**2 * skew @ skew
    )
    return matrix


def matrix_to_quat(matrices: Tensor) -> Tensor:
    """(N, 3, 3) rotations -> (N, 4) wxyz of length one: the row of q q^T with the largest diagonal,
    so that nothing cancels.
    """
    m = matrices.flatten(1).unbind(1)
    xx, yy, zz = m[0], m[4], m[8]
    xw, yw, zw = m[7] - m[5], m[2] - m[6], m[3] - m[1]
    xy, xz, yz = m[1] + m[3], m[2] + m[6], m[5] + m[7]
    rows = [
        [1 + xx + yy + zz, xw, yw, zw],
        [xw, 1 + xx - yy - zz, xy, xz],
        [yw, xy, 1 - xx + yy - zz, yz],
        [zw, xz, yz, 1 - xx - yy + zz],
    ]
    table = torch.stack([torch.stack(row, 1) for row in rows], 1)  # (N, 4, 4): 4 q q^T
    best = table.diagonal(dim1=1, dim2=2).argmax(1)
    return torch.nn.functional.normalize(table[torch.arange(len(table)), best], dim=1)


def multiply_quats(a: Tensor, b: Tensor) -> Tensor:
    """(N, 4) wxyz: first b, then a."""
    aw, ax, ay, az = a.unbind(1)
    bw, bx, by, bz = b.unbind(1)
    return torch.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        1,
    )


def nearest_rotation(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Of a covariance sum(target source^T), the rotation that carries source best onto target
    (Kabsch 1976, Umeyama 1991); differentiable where the singular values differ.

    Args:
        matrices: (..., 3, 3).

    Returns:
        The rotations (..., 3, 3), never mirrored, and the singular values (..., 3), the last of
        them negative where the best orthogonal matrix would have been a mirror.
    """
    u, singular, vt = torch.linalg.svd(matrices)
    last = torch.linalg.det(u @ vt).sign().detach()
    sign = torch.cat([torch.ones_like(singular[..., :2]), last[..., None]], -1)
    return (u * sign[..., None, :]) @ vt, singular * sign
