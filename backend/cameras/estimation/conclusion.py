"""From the best cameras to an estimate: which frames are held, how sure it is, the verdict."""

import math
from dataclasses import replace

import numpy as np

from ...geometry.arrays import Ints
from ...media.tracks.tracks import Tracks
from ...protocol import SolveError
from ..bundle.state import (
    Observations,
    Reconstruction,
    errors,
    unit_of,
    with_frames,
)
from ..bundle.triangulate import triangulate
from ..bundle.uncertainty import Uncertainty, uncertainty
from ..solvers import rotation
from .problem import Estimate, EstimateConfig, Problem
from .refine import RefinedCameras, fewer
from .verdict import Kind, SolveEvidence, judge

LEAST_TRACKS = 8  # of a picture; fewer don't hold a camera


def well_seen(tracks: Tracks, frames: int) -> Ints:
    """Frames that share enough with others for their cameras to be more than guesses."""
    seen = np.flatnonzero(np.bincount(tracks.frame, minlength=frames) >= LEAST_TRACKS)
    if len(seen) < 3:
        raise SolveError(
            f"Only {len(seen)} of {frames} pictures share enough points with others.",
            "Film more slowly, with more overlap, in good light.",
        )
    return seen


def at_infinity(solve: Reconstruction, tracks: Tracks) -> Reconstruction:
    """A turning camera's points, for other tracks."""
    return rotation.points_at_infinity(solve, Observations.of(tracks), tracks.points)


def _sure_of(best: RefinedCameras, problem: Problem) -> Uncertainty:
    """Of its positions, where the camera moves, and of its lens."""
    moves = best.free_parameters.translations
    few = fewer(best.tracks, 1500, len(best.frames)) if moves else best.tracks
    subject = triangulate(best.solve, Observations.of(few), few.points) if moves else best.solve
    return uncertainty(
        subject, Observations.of(few), best.free_parameters, unit_of(best.solve), problem.prior
    )


def conclude(
    best: RefinedCameras,
    problem: Problem,
    tracks: Tracks,
    kind: Kind,
    config: EstimateConfig,
    cross_check: tuple[str, float, float] = ("", math.inf, math.inf),
    mirror: float = math.inf,
    expected_focal: float = 0.0,
    cross_check_error: float = 1.0,
) -> Estimate:
    """Points for every track, the uncertainty, and the verdict."""
    unit = unit_of(best.solve)
    local = tracks.in_frames(best.frames)
    placed = (
        triangulate(best.solve, Observations.of(local), local.points)
        if kind == "moving"
        else best.solve
    )
    if kind == "moving":
        kept = local.keep(
            errors(placed, Observations.of(local)).numpy() < config.refine.outlier * unit
        )
        placed = triangulate(best.solve, Observations.of(kept), kept.points)
        inliers = len(kept.frame) / max(len(local.frame), 1)
    else:
        kept, inliers = best.tracks, best.inliers
    sure = _sure_of(best, problem)
    seen = well_seen(kept, len(best.frames))
    frames = best.frames[seen]
    if len(seen) < len(best.frames):  # nothing holds the others: their cameras would be guesses
        kept, sure = kept.in_frames(seen), replace(sure, positions=sure.positions[seen])
        chosen = with_frames(best.solve, seen)
        placed = (
            triangulate(chosen, Observations.of(kept), kept.points)
            if kind == "moving"
            else at_infinity(chosen, kept)
        )
    focal = float(best.solve.focals.median())
    evidence = SolveEvidence(
        placed=len(frames) / problem.frames,
        inliers=inliers,
        held_out_px=best.median / unit,
        focal_sigma=sure.focal,
        drift_sigma=sure.drift,
        field_of_view=math.degrees(2 * math.atan(max(problem.size) / 2 / focal)),
        second_opinion=cross_check[0],
        apart=cross_check[1],
        focal_apart=cross_check[2],
        mirror=mirror,
        expected_focal=expected_focal / focal if expected_focal else 0.0,
        confirmable=problem.klt_tracks.points > 0,
        cross_check_error=cross_check_error,
    )
    return Estimate(
        solver=best.name,
        frames=frames,
        solve=placed,
        tracks=kept,
        verdict=judge(evidence, kind, config.verdict),
        uncertainty=sure,
    )
