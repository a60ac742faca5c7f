"""Footage to believable cameras: which solvers run when, and what is said when none is good
enough.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..media.tracks.tracks import split
from ..protocol import SolveError
from .bundle.adjust import Prior
from .bundle.equations import FreeParameters
from .bundle.state import Observations, errors, unit_of_size
from .estimation.conclusion import at_infinity, conclude
from .estimation.estimate import Estimator, only_turns, turning
from .estimation.keyframes import at_keyframes, complete, keyframes
from .estimation.problem import Estimate, SolverResult
from .estimation.refine import RefinedCameras, fewer
from .run_solvers import SolveContext, colmap, flowmap, match, straight_paths
from .solvers import rotation

FILM_BETTER = (
    "Move the camera sideways around the subject instead of turning on the spot, film slowly in "
    "good light, keep"
    " textured things in view, and let neighbouring pictures overlap by two thirds."
)


def _turns_only(context: SolveContext, moving: SolverResult | None) -> Estimate | None:
    """The estimate of a camera that only turns, if that explains the tracks and a moving one does
    so no better.
    """
    if moving is None:
        return None
    context.stage("Looking for parallax")
    return context.keeper.stage("turning", Estimate | None, lambda: _turned(context, moving))


def _turned(context: SolveContext, moving: SolverResult) -> Estimate | None:
    problem, config = context.problem, context.config
    cameras, error, zooms = turning(problem, config)
    if not only_turns(problem, cameras, error, moving.solve, config):
        return None
    unit = unit_of_size(problem.size)
    tracks, judges = split(
        fewer(problem.klt_tracks, 2000, problem.frames), config.held_out, problem.seed
    )
    known = (
        Prior(float(cameras.focals.median().log()), 1.0) if problem.prior is None else problem.prior
    )
    cameras = rotation.solve(tracks, problem.frames, problem.size, config.rotation, known, zooms)
    good = errors(cameras, Observations.of(tracks)).numpy() < config.refine.outlier * unit
    kept = tracks.keep(good)
    again = rotation.solve(kept, problem.frames, problem.size, config.rotation, known, zooms)
    median = rotation.typical_error(at_infinity(again, judges), Observations.of(judges))
    free_parameters = FreeParameters(
        translations=False,
        focal=problem.prior is None or problem.prior.sigma > 0,
        focal_per_frame=zooms,
    )
    best = RefinedCameras(
        name="a turning camera",
        frames=np.arange(problem.frames),
        solve=again,
        tracks=kept,
        free_parameters=free_parameters,
        held_out=median,
        median=median,
        inliers=float(good.mean()),
    )
    return conclude(best, problem, kept, "turning", config)


def _second_opinions(context: SolveContext, estimator: Estimator) -> None:
    """More solvers, cheapest first, until two agree."""
    ordered = context.footage.ordered
    zoomed = any(r.free_parameters.focal_per_frame for r in estimator.refined)
    attempts: list[Callable[[], SolverResult | None]] = []
    if not zoomed:  # COLMAP takes the lens for fixed
        attempts.append(lambda: colmap(context, "incremental"))
    attempts.append((lambda: flowmap(context)) if ordered else (lambda: colmap(context, "global")))
    for attempt in attempts:
        if estimator.settled:
            return
        start = attempt()
        if start is not None:
            estimator.add(start)


def solve(context: SolveContext) -> Estimate:
    """The best cameras that can be had; SolveError when they are not worth showing."""
    keys = keyframes(context.problem.frames)
    if len(keys) == context.problem.frames or not context.footage.ordered:
        return _solve_together(context)
    problem, few = context.problem, context.footage.only(keys.tolist())
    estimate = _solve_together(replace(context, footage=few, problem=at_keyframes(problem, keys)))
    context.stage("Placing the frames between")
    if estimate.verdict.kind == "turning":
        return _spread(estimate, keys)
    try:
        completed = context.keeper.stage(
            "between", Estimate, lambda: complete(estimate, keys, problem, context.config)
        )
        return _believed(completed, "")
    except (
        SolveError
    ):  # the keyframes were matched by features; from frame to frame nothing can be followed
        return _spread(estimate, keys)


def _spread(estimate: Estimate, keys: np.ndarray) -> Estimate:
    """Keyframes only, for a camera that only turns, where the frames between add nothing, or where
    they can't be placed.
    """
    return replace(estimate, frames=keys[estimate.frames])


def _solve_together(context: SolveContext) -> Estimate:
    options = context.options
    if options.solver in ("straight", "flowmap") and not context.footage.ordered:
        raise SolveError(
            "This solver needs a video or a sequence of frames.", "Choose solver auto for photos."
        )
    alone = {
        "straight": lambda: straight_paths(context),
        "flowmap": lambda: flowmap(context),
        "incremental": lambda: colmap(context, "incremental"),
        "global": lambda: colmap(context, "global"),
    }
    first = straight_paths(context) if options.solver == "auto" else None
    turned = _turns_only(context, first)
    if turned is not None and turned.verdict.level != "failed":
        return turned
    matched, why = match(context)
    if options.solver != "auto":
        first = alone[options.solver]()
    context.stage("Bundle adjustment")
    estimator = Estimator(
        context.problem, matched, context.config, context.job.progress, context.keeper
    )
    if first is not None:
        estimator.add(first)
    if options.solver == "auto":
        _second_opinions(context, estimator)
    if not estimator.refined:
        raise SolveError(f"No cameras could be found: {why}.", FILM_BETTER)
    context.stage("Judging the cameras")
    prior = context.problem.prior
    expected = math.exp(prior.log_focal) if prior else 0.0
    estimate = context.keeper.stage("estimate", Estimate, lambda: estimator.estimate(expected))
    return _believed(estimate, why)


def _believed(estimate: Estimate, why: str) -> Estimate:
    """The estimate, unless it has failed."""
    if estimate.verdict.level == "failed":
        reasons = "; ".join(estimate.verdict.reasons) or why
        raise SolveError(
            f"No cameras that can be believed were found: {reasons}.",
            " ".join(estimate.verdict.advice) or FILM_BETTER,
        )
    return estimate
