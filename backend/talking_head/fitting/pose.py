"""Where a head is and how it is turned in every frame: Gauss-Newton on six numbers a frame, all
frames at once.
"""

import torch
from torch import Tensor

from ...geometry.rotations import nearest_rotation, rotation_vector_to_matrix


def project(points: Tensor, focal: float, center: Tensor) -> Tensor:
    """(..., 3) in camera axes (x right, y down, z away) -> (..., 2) pixels."""
    pixels: Tensor = focal * points[..., :2] / points[..., 2:] + center
    return pixels


def projection_jacobian(points: Tensor, focal: float) -> Tensor:
    """(..., 2, 3): how pixels move with points (..., 3) in camera axes."""
    x, y, z = points.unbind(-1)
    zero = torch.zeros_like(z)
    rows = torch.stack(
        [torch.stack([1 / z, zero, -x / z**2], -1), torch.stack([zero, 1 / z, -y / z**2], -1)], -2
    )
    jacobian: Tensor = focal * rows
    return jacobian


def start(
    points: Tensor, tracked: Tensor, weights: Tensor, focal: float, center: Tensor
) -> tuple[Tensor, Tensor]:
    """Rotations (T, 3, 3) and translations (T, 3) that carry points (T, N, 3) onto tracked ones (T,
    N, 3), whose depth is only known up to a shift: a similarity by singular values (Umeyama 1991),
    whose scale tells the distance.
    """
    share = weights / weights.sum()
    mean_x, mean_y = ((share[:, None] * p).sum(1, keepdim=True) for p in (points, tracked))
    a, b = points - mean_x, tracked - mean_y
    rotation, singular = nearest_rotation(torch.einsum("n,tni,tnj->tij", share, b, a))
    scale = singular.sum(1) / torch.einsum("n,tni,tni->t", share, a, a)
    depth = focal / scale
    middle = torch.cat([(mean_y[:, 0, :2] - center) * (depth / focal)[:, None], depth[:, None]], 1)
    return rotation, middle - torch.einsum("tij,tj->ti", rotation, mean_x[:, 0])


def refine(
    points: Tensor,
    tracked: Tensor,
    weights: Tensor,
    rotation: Tensor,
    translation: Tensor,
    focal: float,
    center: Tensor,
    steps: int = 4,
) -> tuple[Tensor, Tensor]:
    """Poses that project points (T, N, 3) nearest to tracked (T, N, 2), from a good start."""
    for _ in range(steps):
        turned = torch.einsum("tij,tnj->tni", rotation, points)
        seen = turned + translation[:, None]
        left = tracked - project(seen, focal, center)
        by_shift = projection_jacobian(seen, focal)
        by_turn = -by_shift @ _skew(turned)
        jacobian = torch.cat([by_turn, by_shift], -1)
        normal = torch.einsum("n,tnia,tnib->tab", weights, jacobian, jacobian)
        right = torch.einsum("n,tnia,tni->ta", weights, jacobian, left)
        step = torch.linalg.solve(
            normal + 1e-6 * torch.diag_embed(normal.diagonal(dim1=1, dim2=2)), right
        )
        rotation = rotation_vector_to_matrix(step[:, :3]) @ rotation
        translation = translation + step[:, 3:]
    return rotation, translation


def _skew(v: Tensor) -> Tensor:
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    matrix: Tensor = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    return matrix
