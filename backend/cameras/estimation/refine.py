"""Bundle adjustment as the last word: every solver's cameras are refined on all tracks, as complex
a lens as they earn.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from ...geometry.arrays import Ints
from ...media.tracks.tracks import Tracks, merge
from ..bundle.adjust import AdjustConfig, Prior, adjust
from ..bundle.equations import FreeParameters
from ..bundle.state import Observations, Reconstruction, errors, unit_of, unit_scale
from ..bundle.triangulate import triangulate
from ..solvers.straight import capped_error


@dataclass(frozen=True, kw_only=True)
class RefineConfig:
    """Pixels are those of a picture 320 wide and grow with it."""

    scale: float = 0.5
    outlier: float = 2.0
    points: int = 3500  # that adjustment works on; others are only triangulated
    earn: float = 0.01  # share by which the cost must fall for a lens parameter more
    zoom_earns: float = 0.25  # and for a focal length a frame
    cap: float = 3.0


@dataclass(frozen=True, kw_only=True)
class RefinedCameras:
    """A candidate's cameras after refinement; `frames` are indices into the footage."""

    name: str
    frames: Ints
    solve: Reconstruction
    tracks: Tracks  # what it was refined on, outliers out, frames renumbered
    free_parameters: FreeParameters
    held_out: float  # mean capped error of tracks it has not seen, pixels
    median: float  # median of the same
    inliers: float  # share of all observations that it explains


def fewer(tracks: Tracks, count: int, frames: int) -> Tracks:
    """At most about `count` points, longer tracks first but every frame served."""
    if tracks.points <= count:
        return tracks
    crowd = np.bincount(tracks.frame, minlength=frames).astype(float)
    need = np.zeros(tracks.points)
    np.add.at(need, tracks.point, 1 / np.maximum(crowd[tracks.frame], 1))
    noise = np.random.default_rng(0).random(tracks.points)
    mask = np.zeros(tracks.points, bool)
    mask[np.argsort(-need * (0.5 + noise))[:count]] = True
    return tracks.keep_points(mask)


def drop_outliers(solve: Reconstruction, tracks: Tracks, limit: float) -> Tracks:
    """Observations that miss by less than the limit, of points that keep two."""
    bad = errors(solve, Observations.of(tracks)).numpy()
    return tracks.keep(bad < limit)


def _trusted(solve: Reconstruction, tracks: Tracks, unit: float) -> tuple[Tracks, float]:
    """How rough a start is, in pixels of a picture 320 wide, and the tracks that fit it that well:
    a good start knows moving things from still ones, a rough one does not.
    """
    observations = Observations.of(tracks)
    placed = triangulate(unit_scale(solve), observations, tracks.points)
    error = errors(placed, observations).clamp(max=1e3)
    rough = min(max(3 * float(error.median()) / unit, 1.0), 8.0)
    mean = (
        torch.zeros(tracks.points, dtype=error.dtype)
        .index_add_(0, observations.point, error)
        .numpy()
        / tracks.lengths
    )
    fitting = tracks.keep_points(mean < 4 * rough * unit)
    return (fitting if fitting.points >= 8 else tracks), rough


def _settle(
    solve: Reconstruction,
    tracks: Tracks,
    free_parameters: FreeParameters,
    config: RefineConfig,
    prior: Prior | None,
    unit: float,
    steps: int = 20,
) -> Reconstruction:
    observations = Observations.of(tracks)
    solve = triangulate(unit_scale(solve), observations, tracks.points)
    return adjust(
        solve,
        observations,
        free_parameters,
        AdjustConfig(scale=config.scale * unit, steps=steps),
        prior,
    )


def refine(
    name: str,
    start: Reconstruction,
    frames: Ints,
    fit: Tracks,
    held: Tracks,
    config: RefineConfig,
    prior: Prior | None = None,
) -> RefinedCameras:
    """Cameras of `frames` from a start, refined on the tracks `fit` and judged by `held` (both
    over the whole footage).
    """
    unit = unit_of(start)
    own = fewer(fit.in_frames(frames), config.points, len(frames))
    everything = len(own.frame)
    free_parameters = FreeParameters(focal=prior is None or prior.sigma > 0)
    solve = replace(
        start, radial=torch.zeros_like(start.radial)
    )  # distortion has to be earned anew
    if prior is not None and prior.sigma == 0:  # locked, whatever the start made of it
        solve = replace(solve, focals=torch.full_like(solve.focals, math.exp(prior.log_focal)))
    own, rough = _trusted(solve, own, unit)
    for scale in (rough, 1.0):
        observations = Observations.of(own)
        solve = triangulate(unit_scale(solve), observations, own.points)
        solve = adjust(
            solve, observations, free_parameters, AdjustConfig(scale=scale * unit, steps=12), prior
        )
    trimmed = drop_outliers(solve, own, 4 * config.outlier * unit)
    if trimmed.points < 8:
        trimmed = own
    solve, free_parameters = _choose_lens(solve, trimmed, free_parameters, config, prior, unit)
    solve = triangulate(solve, Observations.of(own), own.points)
    kept = drop_outliers(solve, own, config.outlier * unit)
    if kept.points >= 8:
        solve = _settle(solve, kept, free_parameters, config, prior, unit)
    else:
        kept = own
        solve = triangulate(solve, Observations.of(kept), kept.points)
    own_held = held.in_frames(frames, 3)
    if own_held.points < 8:  # so few that chance would judge
        own_held = merge([own_held, fit.in_frames(frames, 3)])
    held_out, median = judge_by(solve, own_held, config.cap * unit)
    return RefinedCameras(
        name=name,
        frames=frames,
        solve=solve,
        tracks=kept,
        free_parameters=free_parameters,
        held_out=held_out,
        median=median,
        inliers=len(kept.frame) / max(everything, 1),
    )


def _choose_lens(
    solve: Reconstruction,
    tracks: Tracks,
    free_parameters: FreeParameters,
    config: RefineConfig,
    prior: Prior | None,
    unit: float,
) -> tuple[Reconstruction, FreeParameters]:
    """A shared focal length; k1 and k2 if they earn their place; a focal length a frame if the lens
    was zoomed.
    """
    observations = Observations.of(tracks)

    def cost(s: Reconstruction) -> float:
        return float(
            torch.log1p((errors(s, observations) / (config.scale * unit)).clamp(max=1e3) ** 2).sum()
        )

    best = _settle(solve, tracks, free_parameters, config, prior, unit)
    least = cost(best)
    for radial in (1, 2):
        wider = replace(free_parameters, radial=radial)
        trial = _settle(best, tracks, wider, config, prior, unit)
        if (new := cost(trial)) > (1 - config.earn) * least or float(
            trial.radial.abs().max()
        ) > 0.6:
            break
        best, least, free_parameters = trial, new, wider
    if free_parameters.focal:
        wider = FreeParameters(focal_per_frame=True)
        trial = _settle(
            replace(best, radial=torch.zeros_like(best.radial)),
            tracks,
            wider,
            config,
            prior,
            unit,
            40,
        )
        if cost(trial) < (1 - config.zoom_earns) * least:
            best, free_parameters = trial, wider
    return best, free_parameters


def judge_by(solve: Reconstruction, tracks: Tracks, cap: float) -> tuple[float, float]:
    """Mean capped error and median error, in pixels, of observations that had no say: each track's
    points are triangulated from its even observations and measured on its odd ones.
    """
    if not tracks.points:
        return cap, cap
    first = np.searchsorted(tracks.point, tracks.point)
    odd = (np.arange(len(tracks.point)) - first) % 2 == 1
    observations = Observations.of(Tracks(tracks.frame[~odd], tracks.point[~odd], tracks.uv[~odd]))
    placed = triangulate(solve, observations, tracks.points)
    left = Observations.of(Tracks(tracks.frame[odd], tracks.point[odd], tracks.uv[odd]))
    return capped_error(placed, left, cap), float(errors(placed, left).median())
