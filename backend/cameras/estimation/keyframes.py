"""Long clips: keyframes are solved together, the frames between are placed among their points.
Memory stays bounded.
"""

from dataclasses import replace

import numpy as np
import torch

from ...geometry.arrays import Ints
from ...media.tracks.tracks import Tracks
from ..bundle.resect import resect
from ..bundle.state import Observations, errors, unit_of, with_frames
from ..bundle.triangulate import triangulate
from ..bundle.uncertainty import Uncertainty
from ..solvers.straight import between
from .conclusion import well_seen
from .problem import Estimate, EstimateConfig, Problem
from .verdict import judge

MOST = 200  # frames that are solved together


def keyframes(frames: int) -> Ints:
    """Evenly spread, first and last among them; all of them where there are few."""
    return np.unique(np.linspace(0, frames - 1, min(frames, MOST)).round().astype(np.int64))


def at_keyframes(problem: Problem, keys: Ints) -> Problem:
    """The problem of the keyframes alone, renumbered."""
    return replace(problem, frames=len(keys), klt_tracks=problem.klt_tracks.in_frames(keys, 3))


def complete(estimate: Estimate, keys: Ints, problem: Problem, config: EstimateConfig) -> Estimate:
    """The estimate of keyframes carried on to the frames between the first and the last that was
    solved; frames that share too little with the keyframes' points are left out, and the verdict is
    given anew.
    """
    solved = keys[estimate.frames]
    frames = np.arange(solved[0], solved[-1] + 1)
    whole, unit = between(estimate.solve, solved - solved[0], len(frames)), unit_of(estimate.solve)
    tracks = problem.klt_tracks.in_frames(frames, 3)
    is_key = np.isin(frames, solved)
    own = tracks.keep_points(_points_of(tracks, is_key))
    held = own.keep(is_key[own.frame])  # points are placed by the keyframes that see them
    placed = triangulate(whole, Observations.of(held), held.points)
    whole = resect(
        replace(whole, points=placed.points), Observations.of(own), torch.from_numpy(~is_key), unit
    )
    final = triangulate(whole, Observations.of(tracks), tracks.points)
    kept = tracks.keep(
        errors(final, Observations.of(tracks)).numpy() < config.refine.outlier * unit
    )
    inliers = len(kept.frame) / max(len(tracks.frame), 1)
    seen = well_seen(kept, len(frames))
    kept, whole = kept.in_frames(seen), with_frames(whole, seen)
    final = triangulate(whole, Observations.of(kept), kept.points)
    spread = np.interp(frames[seen], solved, estimate.uncertainty.positions)
    sure = Uncertainty(estimate.uncertainty.focal, estimate.uncertainty.drift, spread)
    evidence = replace(
        estimate.verdict.evidence, placed=len(seen) / problem.frames, inliers=inliers
    )
    verdict = judge(evidence, "moving", config.verdict)
    return Estimate(
        solver=estimate.solver,
        frames=frames[seen],
        solve=final,
        tracks=kept,
        verdict=verdict,
        uncertainty=sure,
    )


def _points_of(tracks: Tracks, is_key: np.ndarray) -> np.ndarray:
    """(P,) points that two keyframes or more see."""
    seen = np.bincount(tracks.point, weights=is_key[tracks.frame], minlength=tracks.points)
    return np.asarray(seen >= 2)
