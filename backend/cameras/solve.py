"""Footage to believable cameras: which solvers run when, and what is said when none is good
enough.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..media.frames import Footage
from ..media.tracks.tracks import Tracks, split
from ..protocol import CrashError, OutOfMemory, SolveError
from ..runtime.device import choose_device, core_count
from ..runtime.job import Job
from .bundle.adjust import Prior
from .bundle.equations import FreeParameters
from .bundle.state import Observations, Reconstruction, errors, unit_of_size
from .cameras_verb import CamerasOptions
from .colmap import runner, solved
from .colmap.colmap_command import ColmapTask
from .estimation.estimate import (
    Estimate,
    EstimateConfig,
    Estimator,
    Problem,
    SolverResult,
    at_infinity,
    conclude,
    only_turns,
    turning,
)
from .estimation.keyframes import at_keyframes, complete, keyframes
from .estimation.refine import Refined, fewer
from .flowmap.pretrained import Pretrained, load
from .flowmap.solve_footage import flowmap_start
from .solvers import rotation, straight

FILM_BETTER = (
    "Move the camera sideways around the subject instead of turning on the spot, film slowly in "
    "good light, keep"
    " textured things in view, and let neighbouring pictures overlap by two thirds."
)
EXIF_SIGMA, USER_SIGMA = 0.1, 0.02  # by which a focal length from EXIF, or a person, may be off
# Seconds that COLMAP's mapper is given, and more for each picture: it may search in vain for very
# long. Clips that it can solve take it half of the first; where nothing else can solve the footage
# it has longer.
PATIENCE, LAST_RESORT = (20.0, 0.5), (60.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class SolveContext:
    """What every solver is handed."""

    job: Job[CamerasOptions]
    footage: Footage
    work: Path
    masks: Path | None
    features: int
    problem: Problem
    config: EstimateConfig
    stage: Callable[[str], None]

    @property
    def options(self) -> CamerasOptions:
        options = self.job.options
        return options


def prior_of(options: CamerasOptions, footage: Footage) -> Prior | None:
    """From the user's lens field, or else from EXIF."""
    if options.focal_mm:
        return Prior(
            math.log(options.focal_mm / 36 * footage.width),
            0.0 if options.lock_focal else USER_SIGMA,
        )
    if footage.focal:
        return Prior(math.log(footage.focal), 0.0 if options.lock_focal else EXIF_SIGMA)
    return None


def _task(context: SolveContext, kind: str, mapper: str = "incremental") -> ColmapTask:
    prior = context.problem.prior
    return ColmapTask(
        kind="match" if kind == "match" else "map",
        images=str(context.footage.folder),
        work=str(context.work),
        output="",
        names=context.footage.names,
        ordered=context.footage.ordered,
        focal=math.exp(prior.log_focal) if prior else 0.0,
        lock_focal=prior is not None and prior.sigma == 0,
        features=context.features,
        mapper="global" if mapper == "global" else "incremental",
        masks=str(context.masks or ""),
        solved=str(context.work / f"{kind}-{mapper}.npz"),
        seed=context.job.request.seed,
        threads=core_count(),
    )


def match(context: SolveContext) -> tuple[Tracks, str]:
    """Feature tracks through all pictures, and a clause on what the pictures lack if nothing comes
    of them.
    """
    task = _task(context, "match")
    stats = runner.run(task, context.job.cancel, context.stage, context.job.progress)
    return solved.load(Path(task.solved)).tracks, stats["why_nothing"]


def colmap(context: SolveContext, mapper: str) -> SolverResult | None:
    """COLMAP's cameras from the matches; None when it finds none, dies, or takes too long."""
    context.stage(
        "Solving cameras with COLMAP"
        if mapper == "incremental"
        else "Solving cameras with COLMAP's global mapper"
    )
    task = _task(context, "map", mapper)
    seconds, each = PATIENCE if context.footage.ordered else LAST_RESORT
    try:
        runner.run(
            task,
            context.job.cancel,
            lambda _: None,
            context.job.progress,
            seconds + each * context.problem.frames,
        )
    except (runner.OutOfTimeError, CrashError, OutOfMemory) as error:
        context.job.warn(
            "COLMAP", f"COLMAP gave no cameras ({'it took too long' if not str(error) else error})."
        )
        return None
    found = solved.load(Path(task.solved))
    if len(found.frames) < 3:
        return None
    viewmats = torch.from_numpy(found.viewmats)
    center = torch.tensor(context.problem.size, dtype=torch.float64) / 2
    none = torch.zeros(0, 4, dtype=torch.float64)
    cameras = Reconstruction(
        rotations=viewmats[:, :3, :3],
        translations=viewmats[:, :3, 3],
        focals=torch.from_numpy(found.focals),
        radial=torch.from_numpy(found.radial),
        center=center,
        points=none,
    )
    return SolverResult(f"COLMAP {mapper}", found.frames, cameras)


def straight_paths(context: SolveContext) -> SolverResult | None:
    problem = context.problem
    if problem.klt_tracks.points < 40:
        return None
    context.stage("Solving cameras from straight paths")
    found = straight.solve(
        problem.klt_tracks,
        problem.frames,
        problem.size,
        context.config.straight,
        problem.prior,
        problem.seed,
        context.job.progress,
    )
    if found is None:
        return None
    return SolverResult("straight paths", np.arange(problem.frames), found)


def flowmap(context: SolveContext) -> SolverResult | None:
    """FlowMap, which needs pictures in the order of time."""
    context.stage("Solving cameras with FlowMap")
    problem = context.problem
    try:
        cameras = flowmap_start(
            context.footage, context.masks, problem, _pretrained(context), context.job.progress
        )
    except RuntimeError as error:  # torch's LinAlgError is one
        if "linalg" not in str(error):
            raise
        context.job.warn(
            "FLOWMAP",
            "FlowMap gave no cameras: parts of the clip show no motion that it could follow.",
        )
        return None
    return SolverResult("FlowMap", np.arange(problem.frames), cameras)


def _pretrained(context: SolveContext) -> Pretrained:
    """The networks that the user gave, on the device that the job asks for."""
    options = context.options
    if not (options.flow_model or options.depth_model or options.track_model):
        return Pretrained()
    device, _ = choose_device(context.job.request.device)
    flow, depth = (
        load(options.flow_model, "flow", device),
        load(options.depth_model, "depth", device),
    )
    return Pretrained(flow, depth, load(options.track_model, "tracking", device), device)


def _turns_only(context: SolveContext, moving: SolverResult | None) -> Estimate | None:
    """The estimate of a camera that only turns, if that explains the tracks and a moving one does
    so no better.
    """
    problem, config = context.problem, context.config
    if moving is None:
        return None
    context.stage("Looking for parallax")
    found, error, zooms = turning(problem, config)
    if not only_turns(problem, found, error, moving.solve, config):
        return None
    unit = unit_of_size(problem.size)
    tracks, judges = split(
        fewer(problem.klt_tracks, 2000, problem.frames), config.held_out, problem.seed
    )
    known = (
        Prior(float(found.focals.median().log()), 1.0) if problem.prior is None else problem.prior
    )
    found = rotation.solve(tracks, problem.frames, problem.size, config.rotation, known, zooms)
    good = errors(found, Observations.of(tracks)).numpy() < config.refine.outlier * unit
    kept = tracks.keep(good)
    again = rotation.solve(kept, problem.frames, problem.size, config.rotation, known, zooms)
    median = rotation.typical_error(at_infinity(again, judges), Observations.of(judges))
    free_parameters = FreeParameters(
        translations=False,
        focal=problem.prior is None or problem.prior.sigma > 0,
        focal_per_frame=zooms,
    )
    best = Refined(
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
        return _believed(complete(estimate, keys, problem, context.config), "")
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
    estimator = Estimator(context.problem, matched, context.config, context.job.progress)
    if first is not None:
        estimator.add(first)
    if options.solver == "auto":
        _second_opinions(context, estimator)
    if not estimator.refined:
        raise SolveError(f"No cameras could be found: {why}.", FILM_BETTER)
    context.stage("Judging the cameras")
    prior = context.problem.prior
    estimate = estimator.estimate(math.exp(prior.log_focal) if prior else 0.0)
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
