"""Points from cameras and tracks."""

from dataclasses import replace

import torch
from torch import Tensor

from .equations import FreeParameters, assemble, damped_inverse, tangent
from .state import Observations, Reconstruction, bearings, project

NO_TRANSLATION = FreeParameters(translations=False, focal=False)
# of the middle eigenvalue: rays closer to parallel than about 0.02 degrees meet at infinity
SMALLEST_PARALLAX = 1e-7


def triangulate(
    solve: Reconstruction, observations: Observations, count: int, refine: int = 3
) -> Reconstruction:
    """The solve with `count` points where the rays of their observations come closest (least
    squares), then refined by a few Gauss-Newton steps on the reprojection error. Rays that run
    parallel meet at infinity.
    """
    rays = (
        solve.rotations[observations.frame].transpose(1, 2)
        @ bearings(solve, observations)[..., None]
    )
    directions, origins = rays[..., 0], solve.centers[observations.frame]
    across = torch.eye(3, dtype=rays.dtype) - directions[:, :, None] * directions[:, None]
    matrix = torch.zeros(count, 3, 3, dtype=rays.dtype).index_add_(0, observations.point, across)
    right = torch.zeros(count, 3, dtype=rays.dtype).index_add_(
        0, observations.point, (across @ origins[..., None])[..., 0]
    )
    values, vectors = torch.linalg.eigh(matrix)
    parallel = values[:, 0] < SMALLEST_PARALLAX * values[:, 1].clamp(min=1e-12)
    inverse = vectors @ torch.diag_embed(1 / values.clamp(min=1e-14)) @ vectors.transpose(1, 2)
    finite = (inverse @ right[..., None])[..., 0]
    mean = torch.zeros(count, 3, dtype=rays.dtype).index_add_(0, observations.point, directions)
    far = torch.cat(
        [torch.nn.functional.normalize(mean, dim=1), torch.zeros(count, 1, dtype=rays.dtype)], 1
    )
    near = torch.cat([finite, torch.ones(count, 1, dtype=rays.dtype)], 1)
    behind = _behind(solve, observations, near)
    points = torch.nn.functional.normalize(
        torch.where((parallel | behind)[:, None], far, near), dim=1
    )
    return polish(replace(solve, points=points), observations, refine)


def _behind(solve: Reconstruction, observations: Observations, points: Tensor) -> Tensor:
    """(P,) points that lie behind most of the cameras which see them."""
    local = solve.rotations[observations.frame, 2] * points[observations.point, :3]
    front = (local.sum(1) + solve.translations[observations.frame, 2]) > 0
    votes = torch.zeros(len(points), dtype=points.dtype)
    return (
        votes.index_add_(0, observations.point, torch.where(front, 1.0, -1.0).to(points.dtype)) <= 0
    )


def polish(
    solve: Reconstruction, observations: Observations, steps: int, scale: float = 2.0
) -> Reconstruction:
    """Points alone moved downhill; a step that makes a point worse is not taken."""
    for _ in range(steps):
        equations = assemble(solve, observations, NO_TRANSLATION, scale)
        step = (damped_inverse(equations.points, 1e-3) @ equations.point_gradient[..., None])[
            ..., 0
        ]
        moved = torch.nn.functional.normalize(
            solve.points + (tangent(solve.points) @ step[..., None])[..., 0], dim=1
        )
        candidate = replace(solve, points=moved)
        before, after = (_cost_by_point(s, observations, scale) for s in (solve, candidate))
        solve = replace(solve, points=torch.where((after < before)[:, None], moved, solve.points))
    return solve


def _cost_by_point(solve: Reconstruction, observations: Observations, scale: float) -> Tensor:
    squared = ((project(solve, observations) - observations.uv) ** 2).sum(1)
    costs = torch.zeros(len(solve.points), dtype=squared.dtype)
    return costs.index_add_(0, observations.point, torch.log1p(squared / scale**2))
