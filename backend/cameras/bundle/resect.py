"""Cameras placed one by one among points that stay: how frames between solved ones get theirs."""

from dataclasses import replace

import torch
from torch import Tensor

from ...geometry.rotations import rotation_vector_to_matrix
from .equations import FreeParameters, jacobians, robust, tangent
from .state import Observations, Reconstruction

POSES_ONLY = FreeParameters(focal=False)


def _cost_by_frame(residual: Tensor, frame: Tensor, frames: int, scale: float) -> Tensor:
    return torch.zeros(frames, dtype=residual.dtype).index_add_(
        0, frame, robust(residual, scale)[1]
    )


def resect(
    solve: Reconstruction, observations: Observations, free: Tensor, scale: float, steps: int = 12
) -> Reconstruction:
    """Gauss-Newton on the poses of the frames that are `free` (n,), each by itself; a step that
    does not help is not taken.
    """
    frames, damping = len(solve.rotations), 1e-4
    mine = free[observations.frame]
    own = Observations(observations.frame[mine], observations.point[mine], observations.uv[mine])
    for _ in range(steps):
        residual, by_pose, _ = jacobians(solve, own, POSES_ONLY, tangent(solve.points))
        weighted = by_pose.transpose(1, 2) * robust(residual, scale)[0][:, None, None]
        matrix = torch.zeros(frames, 6, 6, dtype=residual.dtype).index_add_(
            0, own.frame, weighted @ by_pose
        )
        right = torch.zeros(frames, 6, dtype=residual.dtype).index_add_(
            0, own.frame, -(weighted @ residual[..., None])[..., 0]
        )
        diagonal = matrix.diagonal(dim1=1, dim2=2)
        step = torch.linalg.solve(
            matrix
            + torch.diag_embed(diagonal * damping + 1e-9 + 1e-9 * diagonal.amax(1, keepdim=True)),
            right,
        )
        turn = rotation_vector_to_matrix(step[:, :3])
        moved = replace(
            solve,
            rotations=turn @ solve.rotations,
            translations=(turn @ solve.translations[..., None])[..., 0] + step[:, 3:],
        )
        after = _cost_by_frame(
            jacobians(moved, own, POSES_ONLY, tangent(solve.points))[0], own.frame, frames, scale
        )
        better = free & (after < _cost_by_frame(residual, own.frame, frames, scale))
        solve = replace(
            solve,
            rotations=torch.where(better[:, None, None], moved.rotations, solve.rotations),
            translations=torch.where(better[:, None], moved.translations, solve.translations),
        )
    return solve
