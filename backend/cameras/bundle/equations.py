"""The normal equations of bundle adjustment, points eliminated (Schur complement; Triggs et al.
2000, section 6).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .state import Observations, Reconstruction, in_camera

CHUNK = 1500  # points eliminated at a time


@dataclass(frozen=True)
class FreeParameters:
    """What may move. Columns of the camera system: 6 a frame (turn, shift), then the lens."""

    translations: bool = True
    focal: bool = True
    focal_per_frame: bool = False
    radial: int = 0  # 0, 1 (k1) or 2 (k1 k2)

    def columns(self, frames: int) -> int:
        """How many columns the free parameters of so many cameras take: poses, focal lengths,
        radial.
        """
        return (
            6 * frames
            + ((frames if self.focal_per_frame else 1) if self.focal else 0)
            + self.radial
        )


@dataclass(frozen=True, kw_only=True)
class Equations:
    """gradient = -J^T W r and the blocks of J^T W J."""

    cameras: Tensor  # (D, D)
    camera_gradient: Tensor  # (D,)
    points: Tensor  # (P, 3, 3)
    point_gradient: Tensor  # (P, 3)
    cross: Tensor  # (O, k, 3) an observation's camera columns against its point
    column: Tensor  # (O, k) where these columns lie


def tangent(points: Tensor) -> Tensor:
    """(P, 4, 3) a basis of the directions in which unit vectors (P, 4) can move: columns of a
    Householder reflection.
    """
    sign = torch.where(points[:, 3:] < 0, -1.0, 1.0)
    v = torch.cat([points[:, :3], points[:, 3:] + sign], 1)
    reflection = (
        torch.eye(4, dtype=points.dtype)
        - 2 * v[:, :, None] * v[:, None] / (v * v).sum(1)[:, None, None]
    )
    return reflection[:, :, :3]


def _columns(observations: Observations, free_parameters: FreeParameters, frames: int) -> Tensor:
    pose = 6 * observations.frame[:, None] + torch.arange(6)
    parts, base = [pose], 6 * frames
    if free_parameters.focal:
        parts.append(
            base
            + (
                observations.frame[:, None]
                if free_parameters.focal_per_frame
                else torch.zeros_like(pose[:, :1])
            )
        )
        base += frames if free_parameters.focal_per_frame else 1
    parts += [torch.full_like(pose[:, :1], base + i) for i in range(free_parameters.radial)]
    return torch.cat(parts, 1)


def jacobians(
    solve: Reconstruction,
    observations: Observations,
    free_parameters: FreeParameters,
    basis: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Residuals (O, 2), camera Jacobians (O, 2, k), point Jacobians (O, 2, 3)."""
    frame, point = observations.frame, observations.point
    seen = in_camera(solve, observations)
    z = torch.where(seen[:, 2].abs() < 1e-9, 1e-9, seen[:, 2])
    x = seen[:, :2] / z[:, None]
    r2 = (x * x).sum(1)
    k1, k2 = solve.radial
    d, slope, f = 1 + r2 * (k1 + r2 * k2), 2 * k1 + 4 * k2 * r2, solve.focals[frame]
    lens = f[:, None, None] * (
        d[:, None, None] * torch.eye(2, dtype=x.dtype)
        + slope[:, None, None] * x[:, :, None] * x[:, None]
    )
    perspective = (
        torch.cat([torch.eye(2, dtype=x.dtype).expand(len(x), 2, 2), -x[:, :, None]], 2)
        / z[:, None, None]
    )
    by_seen = lens @ perspective  # (O, 2, 3)
    a, b, c = seen.unbind(1)
    o = torch.zeros_like(a)
    turn = torch.stack([o, c, -b, -c, o, a, b, -a, o], 1).view(
        -1, 3, 3
    )  # -[seen]x: a turn from the left
    shift = by_seen * (solve.points[point, 3, None, None] if free_parameters.translations else 0.0)
    pixels = (f * d)[:, None] * x
    parts = [by_seen @ turn, shift]
    if free_parameters.focal:
        parts.append(pixels[:, :, None])  # by the logarithm of the focal length
    if free_parameters.radial:
        parts.append((f * r2)[:, None, None] * x[:, :, None])
    if free_parameters.radial > 1:
        parts.append((f * r2 * r2)[:, None, None] * x[:, :, None])
    by_point = (
        by_seen
        @ torch.cat([solve.rotations[frame], solve.translations[frame][:, :, None]], 2)
        @ basis[point]
    )
    return pixels + solve.center - observations.uv, torch.cat(parts, 2), by_point


def robust(residual: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Weights (O,) and costs (O,) of Cauchy's loss at `scale` pixels."""
    ratio = (residual * residual).sum(1) / scale**2
    return 1 / (1 + ratio), 0.5 * scale**2 * torch.log1p(ratio)


def assemble(
    solve: Reconstruction, observations: Observations, free_parameters: FreeParameters, scale: float
) -> Equations:
    """The normal equations of all observations; see Equations for shapes."""
    frames, count = len(solve.rotations), len(solve.points)
    residual, by_camera, by_point = jacobians(
        solve, observations, free_parameters, tangent(solve.points)
    )
    weight, _ = robust(residual, scale)
    column = _columns(observations, free_parameters, frames)
    size, k = free_parameters.columns(frames), column.shape[1]
    weighted = by_camera.transpose(1, 2) * weight[:, None, None]
    cameras = torch.zeros(size * size, dtype=residual.dtype)
    cameras.index_add_(
        0,
        (column[:, :, None] * size + column[:, None]).reshape(-1),
        (weighted @ by_camera).reshape(-1),
    )
    gradient = torch.zeros(size, dtype=residual.dtype)
    gradient.index_add_(0, column.reshape(-1), -(weighted @ residual[:, :, None]).reshape(-1))
    point_weighted = by_point.transpose(1, 2) * weight[:, None, None]
    points = torch.zeros(count, 3, 3, dtype=residual.dtype).index_add_(
        0, observations.point, point_weighted @ by_point
    )
    point_gradient = torch.zeros(count, 3, dtype=residual.dtype).index_add_(
        0, observations.point, -(point_weighted @ residual[:, :, None])[..., 0]
    )
    assert k == by_camera.shape[2]
    return Equations(
        cameras=cameras.view(size, size),
        camera_gradient=gradient,
        points=points,
        point_gradient=point_gradient,
        cross=weighted @ by_point,
        column=column,
    )


def damped_inverse(blocks: Tensor, damping: float) -> Tensor:
    """(P, 3, 3) inverses; the damping is relative to the diagonal, with a floor for points that no
    pixel holds.
    """
    diagonal = blocks.diagonal(dim1=1, dim2=2)
    floor = diagonal.amax(1, keepdim=True) * 1e-9 + 1e-12
    inverse: Tensor = torch.linalg.inv(blocks + torch.diag_embed(diagonal * damping + floor))
    return inverse


def reduce(equations: Equations, point: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor]:
    """The camera system with the points eliminated: matrix (D, D), right-hand side (D,). `point` is
    sorted.
    """
    matrix, right = equations.cameras.clone(), equations.camera_gradient.clone()
    pulled = (inverse @ equations.point_gradient[..., None])[..., 0]
    right.index_add_(
        0, equations.column.reshape(-1), -(equations.cross @ pulled[point][..., None]).reshape(-1)
    )
    bounds = torch.searchsorted(
        point, torch.arange(0, len(inverse) + CHUNK, CHUNK).clamp(max=len(inverse))
    )
    for chunk in range(len(bounds) - 1):
        rows = slice(int(bounds[chunk]), int(bounds[chunk + 1]))
        if rows.start == rows.stop:
            continue
        columns, local = equations.column[rows].unique(return_inverse=True)
        first = chunk * CHUNK
        members = min(CHUNK, len(inverse) - first)
        cross = torch.zeros(len(columns) * members * 3, dtype=matrix.dtype)
        place = (
            local[:, :, None] * members + (point[rows] - first)[:, None, None]
        ) * 3 + torch.arange(3)
        cross.index_add_(0, place.reshape(-1), equations.cross[rows].reshape(-1))
        cross = cross.view(len(columns), members, 3)
        product = torch.einsum("cpi,pij->cpj", cross, inverse[first : first + members])
        matrix[columns[:, None], columns] -= (
            product.reshape(len(columns), -1) @ cross.reshape(len(columns), -1).T
        )
    return matrix, right
