"""How sure the tracks make one of a solve: the covariance of focal length and positions, whatever
the gauge.

The inverse of the reduced camera system with its seven free directions left out (Triggs et al.
2000, section 9).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .adjust import Prior
from .equations import FreeParameters, assemble, damped_inverse, reduce
from .state import Observations, Reconstruction, errors, travelled

# errors along a track are alike, so that more observations help less than counting says; measured
# on synthetic clips
CORRELATED = 5.0
LOOSE = 0.01  # share of a direction that no track holds from which a camera is a guess
PIXEL_FLOOR = 0.05  # no tracker is better than this


@dataclass(frozen=True)
class Uncertainty:
    """One standard deviation each."""

    focal: float  # relative
    drift: float  # root mean square of the positions, as a share of the path
    positions: np.ndarray  # (n,) as a share of the path


def _similarity_directions(centers: Tensor) -> Tensor:
    """(3n, 7) orthonormal: how positions move when the world is shifted, turned or scaled."""
    n = len(centers)
    moved = centers - centers.mean(0)
    shifts = torch.eye(3, dtype=centers.dtype).repeat(n, 1)
    axes = torch.eye(3, dtype=centers.dtype)
    turns = torch.stack([torch.linalg.cross(a.expand(n, 3), moved).reshape(-1) for a in axes], 1)
    basis: Tensor = torch.linalg.qr(torch.cat([shifts, turns, moved.reshape(-1, 1)], 1))[0]
    return basis


def uncertainty(
    solve: Reconstruction,
    observations: Observations,
    free_parameters: FreeParameters,
    unit: float,
    prior: Prior | None = None,
) -> Uncertainty:
    """`unit`: pixels that count as one, as in the solvers; `prior` counts as one more measurement
    of the focal length. Infinite where the tracks do not hold a camera at all.
    """
    n = len(solve.rotations)
    residual = errors(solve, observations)
    sigma = max(float(residual.median()) / 1.18, PIXEL_FLOOR * unit) * CORRELATED
    equations = assemble(solve, observations, free_parameters, 2 * float(residual.median()) + 1e-6)
    if free_parameters.focal and prior is not None and prior.sigma > 0:
        width = n if free_parameters.focal_per_frame else 1
        equations.cameras.diagonal()[6 * n : 6 * n + width] += sigma**2 / prior.sigma**2 / width
    matrix, _ = reduce(equations, observations.point, damped_inverse(equations.points, 1e-9))
    alive = torch.nonzero(matrix.diagonal() > 0)[:, 0]
    matrix = matrix[alive[:, None], alive]
    scale = matrix.diagonal().rsqrt()
    values, vectors = torch.linalg.eigh(matrix * scale[:, None] * scale)
    order = values.argsort()[7 if free_parameters.translations else 3 :]  # the gauge
    kept = order[values[order] > 1e-13 * values[-1]]
    root = torch.zeros(free_parameters.columns(n), len(kept), dtype=matrix.dtype)
    root[alive] = scale[:, None] * vectors[:, kept] * values[kept].rsqrt() * sigma
    focal = math.inf
    if free_parameters.focal:
        lens = root[6 * n : 6 * n + (n if free_parameters.focal_per_frame else 1)]
        focal = float(lens.norm(dim=1).median()) if len(kept) == len(order) else math.inf
    if not free_parameters.translations:
        return Uncertainty(focal if free_parameters.focal else 0.0, 0.0, np.zeros(n))
    shift = root[: 6 * n].view(n, 6, -1)[:, 3:]
    positions = (-solve.rotations.transpose(1, 2) @ shift).reshape(3 * n, -1)
    basis = _similarity_directions(solve.centers)
    positions = positions - basis @ (basis.T @ positions)
    each = positions.view(n, 3, -1).square().sum((1, 2)).sqrt() / travelled(solve.centers)
    loose = torch.ones(
        free_parameters.columns(n), dtype=matrix.dtype
    )  # of every column, how much of it nothing holds
    loose[alive] = vectors[:, order[~torch.isin(order, kept)]].norm(dim=1)
    each[loose[: 6 * n].view(n, 6).amax(1) > LOOSE] = math.inf
    held = each[each.isfinite()]
    drift = float(held.square().mean().sqrt()) if len(held) > n / 2 else math.inf
    return Uncertainty(focal if free_parameters.focal else 0.0, drift, each.numpy())
