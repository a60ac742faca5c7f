"""Long clips: keyframes are solved together, the frames between are placed among their points. Memory stays bounded."""

from dataclasses import replace

import numpy as np
import torch

from .bundle.resect import resect
from .bundle.state import Observations, errors
from .bundle.triangulate import triangulate
from .bundle.uncertainty import Uncertainty
from .estimate import Estimate, Problem
from .refine import RefineConfig, unit_of
from .solvers.straight import between
from .tracks.tracks import Ints, Tracks

MOST = 200  # frames that are solved together


def keyframes(frames: int) -> Ints:
    """Evenly spread, first and last among them; all of them where there are few."""
    return np.unique(np.linspace(0, frames - 1, min(frames, MOST)).round().astype(np.int64))


def at_keyframes(problem: Problem, keys: Ints) -> Problem:
    return replace(problem, frames=len(keys), followed=problem.followed.in_frames(keys, 3))


def complete(estimate: Estimate, keys: Ints, problem: Problem, config: RefineConfig) -> Estimate:
    """The estimate of keyframes carried on to every frame between the first and the last that was solved."""
    solved = keys[estimate.frames]
    frames = np.arange(solved[0], solved[-1] + 1)
    whole, unit = between(estimate.solve, solved - solved[0], len(frames)), unit_of(estimate.solve)
    tracks = problem.followed.in_frames(frames, 3)
    is_key = np.isin(frames, solved)
    held = tracks.keep(is_key[tracks.frame])  # points are placed by the keyframes that see them
    placed = triangulate(whole, Observations.of(held), held.points)
    known = _points_of(tracks, is_key)
    own = tracks.keep_points(known)
    whole = resect(replace(whole, points=placed.points), Observations.of(own), torch.from_numpy(~is_key), unit)
    final = triangulate(whole, Observations.of(tracks), tracks.points)
    kept = tracks.keep(errors(final, Observations.of(tracks)).numpy() < config.outlier * unit)
    final = triangulate(whole, Observations.of(kept), kept.points)
    spread = np.interp(frames, solved, estimate.uncertainty.positions)
    sure = Uncertainty(estimate.uncertainty.focal, estimate.uncertainty.drift, spread)
    return replace(estimate, frames=frames, solve=final, tracks=kept, uncertainty=sure)


def _points_of(tracks: Tracks, is_key: np.ndarray) -> np.ndarray:
    """(P,) points that two keyframes or more see."""
    seen = np.bincount(tracks.point, weights=is_key[tracks.frame], minlength=tracks.points)
    return np.asarray(seen >= 2)
