"""Cameras from tracks alone, with no idea of where to begin: straight paths in every direction, the
best one kept.

A clip's camera moves little from frame to frame. Laying it on a straight line, looking one way, and
letting bundle adjustment bend that line finds the truth from one direction or another (as Yu and
Gallup 2014 found for small motion), also where an incremental solver's first pair leads it astray:
on the way forwards. The opposite direction ends in the hollow-face solution, near and far swapped,
whose error is what tells the two apart.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from ...geometry.arrays import Ints
from ...geometry.rotations import nearest_rotation
from ...media.tracks.tracks import Tracks
from ...runtime.kept_stage import KEEP_NOTHING, StageKeeper
from ..bundle.adjust import AdjustConfig, Prior, adjust
from ..bundle.equations import FreeParameters
from ..bundle.state import Observations, Reconstruction, errors, unit_of_size, unit_scale
from ..bundle.triangulate import triangulate

LEAST = 20  # tracks that a stretch must have
DIRECTIONS = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


@dataclass(frozen=True, kw_only=True)
class StraightConfig:
    """Focal lengths in units of sqrt(width * height). The first rounds are cheap: few frames, few
    tracks, few steps.
    """

    focals: tuple[float, ...] = (0.7, 1.4)
    frames: int = 24
    tracks: int = 350
    finalists: int = 3
    window: float = 4.0  # frames solved at once, in mean track lengths: beyond, paths are joined
    cap: float = 3.0  # pixels at which an error counts no further


def blank(frames: int, size: tuple[int, int], focal: float) -> Reconstruction:
    """Cameras all in one place, looking one way; no points."""
    f64 = torch.float64
    return Reconstruction(
        rotations=torch.eye(3, dtype=f64).repeat(frames, 1, 1),
        translations=torch.zeros(frames, 3, dtype=f64),
        focals=torch.full((frames,), focal, dtype=f64),
        radial=torch.zeros(2, dtype=f64),
        center=torch.tensor(size, dtype=f64) / 2,
        points=torch.zeros(0, 4, dtype=f64),
    )


def longest(tracks: Tracks, count: int, seed: int) -> Tracks:
    """The tracks with most observations."""
    if tracks.points <= count:
        return tracks
    noise = np.random.default_rng(seed).random(tracks.points)
    mask = np.zeros(tracks.points, bool)
    mask[np.argsort(-tracks.lengths + noise, kind="stable")[:count]] = True
    return tracks.keep_points(mask)


def capped_error(solve: Reconstruction, observations: Observations, cap: float) -> float:
    """Mean reprojection error with every observation counted at most `cap` pixels."""
    return float(errors(solve, observations).clamp(max=cap).mean())


def descend(
    solve: Reconstruction,
    observations: Observations,
    count: int,
    schedule: tuple[tuple[float, int], ...],
    free_parameters: FreeParameters,
    prior: Prior | None,
) -> Reconstruction:
    """Bundle adjustment from coarse to fine: (Cauchy scale in pixels, steps) in turn, points
    renewed in between.
    """
    solve = triangulate(unit_scale(solve), observations, count)
    for scale, steps in schedule:
        solve = adjust(
            solve, observations, free_parameters, AdjustConfig(scale=scale, steps=steps), prior
        )
        solve = triangulate(unit_scale(solve), observations, count, 2)
    return solve


def _starts(
    frames: Ints, size: tuple[int, int], config: StraightConfig, prior: Prior | None
) -> list[Reconstruction]:
    unit = (size[0] * size[1]) ** 0.5
    focals = [float(np.exp(prior.log_focal))] if prior else [f * unit for f in config.focals]
    along = torch.from_numpy((frames - frames[0]) / max(int(frames[-1] - frames[0]), 1))
    starts = []
    for focal in focals:
        level = blank(len(frames), size, focal)
        starts += [
            replace(level, translations=-along[:, None] * torch.tensor(d, dtype=torch.float64))
            for d in DIRECTIONS
        ]
    return starts


def solve_window(
    tracks: Tracks,
    frames: int,
    size: tuple[int, int],
    config: StraightConfig,
    prior: Prior | None,
    seed: int,
    tick: Callable[[], None],
) -> Reconstruction:
    """All frames of a stretch short enough for its tracks to hold it together; `tick` is called
    often, and may raise to cancel.
    """
    unit, chosen = (
        unit_of_size(size),
        np.unique(np.linspace(0, frames - 1, min(frames, config.frames)).round().astype(int)),
    )
    few = longest(tracks.in_frames(chosen, 3), config.tracks, seed)
    observations, free_parameters = (
        Observations.of(few),
        FreeParameters(focal=prior is None or prior.sigma > 0),
    )

    def ranked(solves: list[Reconstruction], *schedule: tuple[float, int]) -> list[Reconstruction]:
        done = []
        for start in solves:
            tick()
            done.append(
                descend(
                    start,
                    observations,
                    few.points,
                    tuple((a * unit, n) for a, n in schedule),
                    free_parameters,
                    prior,
                )
            )
        return sorted(done, key=lambda s: capped_error(s, observations, config.cap * unit))

    coarse = ranked(_starts(chosen, size, config, prior), (20.0, 6))
    best = ranked(coarse[: 2 * config.finalists], (20.0, 6), (4.0, 6))[: config.finalists]
    best = ranked(best, (4.0, 8), (1.0, 12))
    best = [best[0], *ranked([mirrored(best[0])], (20.0, 6), (4.0, 8), (1.0, 12))]
    winner = min(best, key=lambda s: capped_error(s, observations, config.cap * unit))
    return _all_frames(winner, tracks, chosen, frames, free_parameters, prior, unit)


def mirrored(solve: Reconstruction) -> Reconstruction:
    """A start for the hollow-face twin of a solve: the same turns, every movement reversed, so that
    near becomes far.
    """
    centers = solve.centers
    return replace(
        solve,
        translations=(solve.rotations @ (centers - 2 * centers.mean(0))[..., None])[..., 0],
        points=solve.points[:0],
    )


def _all_frames(
    coarse: Reconstruction,
    tracks: Tracks,
    chosen: Ints,
    frames: int,
    free_parameters: FreeParameters,
    prior: Prior | None,
    unit: float,
) -> Reconstruction:
    """Cameras between the chosen ones by interpolation, then bundle adjustment of everything."""
    schedule = ((4.0 * unit, 8), (1.0 * unit, 10)) if len(chosen) < frames else ((1.0 * unit, 10),)
    return descend(
        between(coarse, chosen, frames),
        Observations.of(tracks),
        tracks.points,
        schedule,
        free_parameters,
        prior,
    )


def between(coarse: Reconstruction, chosen: Ints, frames: int) -> Reconstruction:
    """Cameras of all frames, interpolated between those that are known at `chosen`; without
    points.
    """
    where = np.interp(np.arange(frames), chosen, np.arange(len(chosen)))
    low = torch.from_numpy(np.minimum(where.astype(int), max(len(chosen) - 2, 0)))
    share = torch.from_numpy(where)[:, None] - low[:, None]
    high = (low + 1).clamp(max=len(chosen) - 1)
    centers = coarse.centers[low] * (1 - share) + coarse.centers[high] * share
    rotations = nearest_rotation(
        coarse.rotations[low] * (1 - share[..., None]) + coarse.rotations[high] * share[..., None]
    )[0]
    translations = -(rotations @ centers[..., None])[..., 0]
    focals = coarse.focals[low] * (1 - share[:, 0]) + coarse.focals[high] * share[:, 0]
    return replace(
        coarse,
        rotations=rotations,
        translations=translations,
        focals=focals,
        points=coarse.points[:0],
    )


def _joined(left: Reconstruction, right: Reconstruction, overlap: int) -> Reconstruction:
    """`right` continues `left`, whose last `overlap` frames are its first: by a similarity that
    makes these agree.
    """
    ours, theirs = left.centers[-overlap:], right.centers[:overlap]
    turns = (
        left.rotations[-overlap:].transpose(1, 2) @ right.rotations[:overlap]
    )  # from their world to ours
    turn = nearest_rotation(turns.mean(0))[0]
    a, b = ours - ours.mean(0), (theirs - theirs.mean(0)) @ turn.T
    scale = (a.norm() / b.norm().clamp(min=1e-12)).clamp(1e-6, 1e6)
    shift = ours.mean(0) - scale * (theirs.mean(0) @ turn.T)
    centers = scale * right.centers[overlap:] @ turn.T + shift
    rotations = right.rotations[overlap:] @ turn.T
    translations = -(rotations @ centers[..., None])[..., 0]
    return replace(
        left,
        rotations=torch.cat([left.rotations, rotations]),
        translations=torch.cat([left.translations, translations]),
        focals=torch.cat([left.focals, left.focals[-1:].expand(len(rotations))]),
        points=left.points[:0],
    )


def solve(
    tracks: Tracks,
    frames: int,
    size: tuple[int, int],
    config: StraightConfig,
    prior: Prior | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda step, total: None,
    keeper: StageKeeper = KEEP_NOTHING,
) -> Reconstruction | None:
    """Cameras of all frames from tracks in pixels of `size` (width, height); points are those of
    the tracks. None where a stretch of the clip has next to no tracks.

    `prior`: what is known of the focal length; with sigma 0 it is kept.
    """
    length = len(tracks.frame) / max(tracks.points, 1)
    window = int(np.clip(round(config.window * length), 16, 60))
    if frames <= window * 1.3:
        return solve_window(tracks, frames, size, config, prior, seed, lambda: progress(0, 1))
    overlap, whole = window // 3, None
    firsts = list(range(0, frames - overlap, window - overlap))
    for number, first in enumerate(firsts):
        tick = partial(progress, number, len(firsts))
        stretch = np.arange(first, min(first + window, frames))
        known = prior if whole is None else Prior(float(whole.focals[-1].log()), 0.0)
        local = tracks.in_frames(stretch, 3)
        if local.points < LEAST:
            return None
        solve_this = partial(solve_window, local, len(stretch), size, config, known, seed, tick)
        part = keeper.stage(f"straight-{number}", Reconstruction, solve_this)
        whole = part if whole is None else _joined(whole, part, min(overlap, len(stretch)))
    assert whole is not None
    unit, free_parameters = (
        unit_of_size(size),
        FreeParameters(focal=prior is None or prior.sigma > 0),
    )
    return descend(
        whole,
        Observations.of(tracks),
        tracks.points,
        ((20 * unit, 6), (4.0 * unit, 10), (1.0 * unit, 12)),
        free_parameters,
        prior,
    )
