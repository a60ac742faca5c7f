"""Levenberg-Marquardt on tracks: poses, lens and points move until the reprojection error is
least.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...geometry.rotations import rotation_vector_to_matrix
from .equations import Equations, FreeParameters, assemble, damped_inverse, reduce, robust, tangent
from .state import Observations, Reconstruction, facing, project


@dataclass(frozen=True)
class Prior:
    """What is believed of the focal length beforehand: its logarithm, give or take `sigma`."""

    log_focal: float
    sigma: float


@dataclass(frozen=True, kw_only=True)
class AdjustConfig:
    """`scale`: pixels from which an observation counts as an outlier (Cauchy)."""

    steps: int = 30
    scale: float = 1.0
    tolerance: float = 1e-5  # relative fall of the cost at which it is done
    tries: int = 6  # dampings tried for one step
    smooth_focal: float = 0.02  # log units by which a zoom may bend from one frame to the next


def _add_focal_terms(
    equations: Equations,
    solve: Reconstruction,
    free_parameters: FreeParameters,
    prior: Prior | None,
    config: AdjustConfig,
) -> tuple[Tensor, Tensor]:
    """Camera matrix and gradient with what is known of the focal length besides the pictures."""
    matrix, gradient = equations.cameras, equations.camera_gradient
    if not free_parameters.focal:
        return matrix, gradient
    n, start = len(solve.focals), 6 * len(solve.focals)
    logs = solve.focals.log()
    if free_parameters.focal_per_frame:  # second differences: a zoom goes on as it goes
        bend = torch.zeros(n - 2, n, dtype=logs.dtype)
        rows = torch.arange(n - 2)
        bend[rows, rows], bend[rows, rows + 1], bend[rows, rows + 2] = 1.0, -2.0, 1.0
        weight = 1 / config.smooth_focal**2
        matrix[start : start + n, start : start + n] += weight * bend.T @ bend
        gradient[start : start + n] -= weight * bend.T @ (bend @ logs)
    if prior is not None:
        width = n if free_parameters.focal_per_frame else 1
        weight, off = 1 / prior.sigma**2 / width, logs[:width] - prior.log_focal
        matrix[range(start, start + width), range(start, start + width)] += weight
        gradient[start : start + width] -= weight * off
    return matrix, gradient


def _cost(
    solve: Reconstruction,
    observations: Observations,
    free_parameters: FreeParameters,
    prior: Prior | None,
    config: AdjustConfig,
) -> float:
    total = float(robust(project(solve, observations) - observations.uv, config.scale)[1].sum())
    logs = solve.focals.log()
    if free_parameters.focal and free_parameters.focal_per_frame:
        total += 0.5 * float((logs.diff(n=2) ** 2).sum()) / config.smooth_focal**2
    if free_parameters.focal and prior is not None:
        off = (logs if free_parameters.focal_per_frame else logs[:1]) - prior.log_focal
        total += 0.5 * float((off**2).mean()) / prior.sigma**2
    return total


def _moved(
    solve: Reconstruction, step: Tensor, point_step: Tensor, free_parameters: FreeParameters
) -> Reconstruction:
    n = len(solve.rotations)
    poses = step[: 6 * n].view(n, 6)
    turn = rotation_vector_to_matrix(poses[:, :3])
    focals, radial, at = solve.focals, solve.radial.clone(), 6 * n
    if free_parameters.focal:
        width = n if free_parameters.focal_per_frame else 1
        focals = focals * step[at : at + width].clamp(-0.5, 0.5).exp()
        at += width
    radial[: free_parameters.radial] += step[at : at + free_parameters.radial]
    points = solve.points + (tangent(solve.points) @ point_step[..., None])[..., 0]
    return replace(
        solve,
        rotations=turn @ solve.rotations,
        translations=(turn @ solve.translations[..., None])[..., 0]
        + (poses[:, 3:] if free_parameters.translations else 0.0),
        focals=focals,
        radial=radial,
        points=torch.nn.functional.normalize(points, dim=1),
    )


def adjust(
    solve: Reconstruction,
    observations: Observations,
    free_parameters: FreeParameters,
    config: AdjustConfig,
    prior: Prior | None = None,
) -> Reconstruction:
    """The solve with the least robust cost that can be reached downhill from here."""
    if not len(observations.frame):
        return solve
    damping, cost = 1e-4, _cost(solve, observations, free_parameters, prior, config)
    for _ in range(config.steps):
        equations = assemble(solve, observations, free_parameters, config.scale)
        matrix, gradient = _add_focal_terms(equations, solve, free_parameters, prior, config)
        equations = replace(equations, cameras=matrix, camera_gradient=gradient)
        better = None
        for _ in range(config.tries):
            inverse = damped_inverse(equations.points, damping)
            reduced, right = reduce(equations, observations.point, inverse)
            diagonal = reduced.diagonal()
            diagonal += (
                equations.cameras.diagonal() * damping + 1e-9 * equations.cameras.diagonal().max()
            )
            step, trouble = torch.linalg.solve_ex(reduced, right)
            if int(trouble) or not bool(step.isfinite().all()):
                damping *= 6
                continue
            pull = torch.zeros_like(equations.point_gradient).index_add_(
                0,
                observations.point,
                (equations.cross.transpose(1, 2) @ step[equations.column][..., None])[..., 0],
            )
            moved = _moved(
                solve,
                step,
                (inverse @ (equations.point_gradient - pull)[..., None])[..., 0],
                free_parameters,
            )
            new = _cost(moved, observations, free_parameters, prior, config)
            if new < cost:
                better, damping = moved, max(damping / 5, 1e-9)
                break
            damping *= 6
        if better is None:
            break
        fall, solve, cost = (cost - new) / max(cost, 1e-12), better, new
        if fall < config.tolerance:
            break
    return facing(solve)
