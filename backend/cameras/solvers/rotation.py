"""Cameras that only turn, on a tripod: rotations and focal lengths from tracks, every point at
infinity.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...geometry.rotations import nearest_rotation
from ...media.tracks.tracks import Tracks
from ..bundle.adjust import AdjustConfig, Prior, adjust
from ..bundle.equations import FreeParameters
from ..bundle.state import Observations, Reconstruction, bearings, errors, unit_of_size
from .straight import blank, capped_error


@dataclass(frozen=True)
class RotationConfig:
    """Focal lengths to begin from, in units of sqrt(width * height)."""

    focals: tuple[float, ...] = (0.4, 0.8, 1.6, 3.2)
    cap: float = 3.0
    rough: float = 6.0  # pixels that count as one while a start is tried,
    steps: int = 8  # for so many steps


def _turns(first: Tensor, second: Tensor, weights: Tensor) -> Tensor:
    """(3, 3) the rotation that carries unit vectors `first` (m, 3) best onto `second` (Kabsch)."""
    return nearest_rotation((second * weights[:, None]).T @ first)[0]


def _chain(solve: Reconstruction, observations: Observations) -> Reconstruction:
    """Rotations of neighbouring frames, three times reweighted against outliers, one after the
    other.
    """
    rays, frames = bearings(solve, observations), len(solve.rotations)
    rotations = [torch.eye(3, dtype=torch.float64)]
    following = (observations.point[1:] == observations.point[:-1]) & (
        observations.frame[1:] == observations.frame[:-1] + 1
    )
    starts = torch.nonzero(following)[:, 0]
    for frame in range(frames - 1):
        at = starts[observations.frame[starts] == frame]
        a, b = rays[at], rays[at + 1]
        turn, weights = torch.eye(3, dtype=torch.float64), torch.ones(len(at), dtype=torch.float64)
        for _ in range(3 if len(at) >= 3 else 0):
            turn = _turns(a, b, weights)
            miss = (b - a @ turn.T).norm(dim=1) * solve.focals[frame]
            weights = 1 / (1 + (miss / miss.median().clamp(min=0.1)) ** 2)
        rotations.append(turn @ rotations[-1])
    return replace(solve, rotations=nearest_rotation(torch.stack(rotations))[0])


def points_at_infinity(
    solve: Reconstruction, observations: Observations, count: int
) -> Reconstruction:
    """The cameras with `count` points at infinity, (P, 4) with w = 0: the mean ray of each
    track.
    """
    rays = (
        solve.rotations[observations.frame].transpose(1, 2)
        @ bearings(solve, observations)[..., None]
    )[..., 0]
    mean = torch.zeros(count, 3, dtype=torch.float64).index_add_(0, observations.point, rays)
    far = torch.nn.functional.normalize(mean, dim=1)
    return replace(solve, points=torch.cat([far, torch.zeros(count, 1, dtype=torch.float64)], 1))


def _descend(
    solve: Reconstruction,
    observations: Observations,
    count: int,
    free_parameters: FreeParameters,
    prior: Prior | None,
    unit: float,
) -> Reconstruction:
    solve = points_at_infinity(solve, observations, count)
    for scale in (8.0, 2.0, 1.0):
        solve = adjust(
            solve, observations, free_parameters, AdjustConfig(scale=scale * unit, steps=10), prior
        )
    return solve


def solve(
    tracks: Tracks,
    frames: int,
    size: tuple[int, int],
    config: RotationConfig,
    prior: Prior | None = None,
    zoom: bool = False,
) -> Reconstruction:
    """The best turning camera for tracks in pixels of `size`; `zoom` gives every frame its own
    focal length.
    """
    unit, base = unit_of_size(size), (size[0] * size[1]) ** 0.5
    observations, focal_free = Observations.of(tracks), prior is None or prior.sigma > 0
    starts = (
        [float(torch.tensor(prior.log_focal).exp())] if prior else [f * base for f in config.focals]
    )
    free_parameters = FreeParameters(
        translations=False, focal=focal_free, focal_per_frame=zoom and focal_free
    )
    candidates = []
    for focal in starts:
        start = points_at_infinity(
            _chain(blank(frames, size, focal), observations), observations, tracks.points
        )
        candidates.append(
            adjust(
                start,
                observations,
                free_parameters,
                AdjustConfig(scale=config.rough * unit, steps=config.steps),
                prior,
            )
        )
    best = min(candidates, key=lambda s: capped_error(s, observations, 3 * config.cap * unit))
    return _descend(best, observations, tracks.points, free_parameters, prior, unit)


def typical_error(solve: Reconstruction, observations: Observations) -> float:
    """Median reprojection error in pixels."""
    return float(errors(solve, observations).median()) if len(observations.frame) else float("inf")
