"""Footage to believable cameras: which solvers run when, and what is said when none is good enough."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ..media.frames import Footage
from ..media.tracks.tracks import Tracks, split
from ..protocol import CamerasOptions, CrashError, OutOfMemory, SolveError
from ..runtime.device import choose_device, core_count
from ..runtime.job import Job
from .bundle.adjust import Prior
from .bundle.equations import Freedom
from .bundle.state import Observations, Solve, errors, unit_of_size
from .colmap import runner, solved
from .colmap.colmap_command import ColmapTask
from .estimation.estimate import Estimate, EstimateConfig, Estimator, Problem, Start, at_infinity, conclude, only_turns, turning
from .estimation.keyframes import at_keyframes, complete, keyframes
from .estimation.refine import Refined, fewer
from .flowmap.pretrained import Pretrained, load
from .flowmap.solve_footage import flowmap_start
from .solvers import rotation, straight

FILM_BETTER = (
    "Move the camera sideways around the subject instead of turning on the spot, film slowly in good light, keep"
    " textured things in view, and let neighbouring pictures overlap by two thirds."
)
EXIF_SIGMA, USER_SIGMA = 0.1, 0.02  # by which a focal length from EXIF, or a person, may be off
# Seconds that COLMAP's mapper is given, and more for each picture: it may search in vain for very long. Clips that it
# can solve take it half of the first; where nothing else can solve the footage it has longer.
PATIENCE, LAST_RESORT = (20.0, 0.5), (60.0, 1.0)


@dataclass(frozen=True)
class Footing:
    """What every solver is handed."""

    job: Job
    footage: Footage
    work: Path
    masks: Path | None
    features: int
    problem: Problem
    config: EstimateConfig
    stage: Callable[[str], None]

    @property
    def options(self) -> CamerasOptions:
        options = self.job.request.options
        assert isinstance(options, CamerasOptions)
        return options


def prior_of(options: CamerasOptions, footage: Footage) -> Prior | None:
    """From the user's lens field, or else from EXIF."""
    if options.focal_mm:
        return Prior(math.log(options.focal_mm / 36 * footage.width), 0.0 if options.lock_focal else USER_SIGMA)
    if footage.focal:
        return Prior(math.log(footage.focal), 0.0 if options.lock_focal else EXIF_SIGMA)
    return None


def _task(footing: Footing, kind: str, mapper: str = "incremental") -> ColmapTask:
    prior = footing.problem.prior
    return ColmapTask(
        "match" if kind == "match" else "map", str(footing.footage.folder), str(footing.work), "", footing.footage.names,
        footing.footage.ordered, focal=math.exp(prior.log_focal) if prior else 0.0,
        lock_focal=prior is not None and prior.sigma == 0, features=footing.features,
        mapper="global" if mapper == "global" else "incremental", masks=str(footing.masks or ""),
        solved=str(footing.work / f"{kind}-{mapper}.npz"), seed=footing.job.request.seed, threads=core_count(),
    )  # fmt: skip


def match(footing: Footing) -> tuple[Tracks, str]:
    """Feature tracks through all pictures, and a clause on what the pictures lack if nothing comes of them."""
    task = _task(footing, "match")
    stats = runner.run(task, footing.job.cancel, footing.stage, footing.job.progress)
    return solved.load(Path(task.solved)).tracks, stats["why_nothing"]


def colmap(footing: Footing, mapper: str) -> Start | None:
    """COLMAP's cameras from the matches; None when it finds none, dies, or takes too long."""
    footing.stage("Solving cameras with COLMAP" if mapper == "incremental" else "Solving cameras with COLMAP's global mapper")
    task = _task(footing, "map", mapper)
    seconds, each = PATIENCE if footing.footage.ordered else LAST_RESORT
    try:
        runner.run(task, footing.job.cancel, lambda _: None, footing.job.progress, seconds + each * footing.problem.frames)
    except (runner.OutOfTimeError, CrashError, OutOfMemory) as error:
        footing.job.warn("COLMAP", f"COLMAP gave no cameras ({'it took too long' if not str(error) else error}).")
        return None
    found = solved.load(Path(task.solved))
    if len(found.frames) < 3:
        return None
    viewmats = torch.from_numpy(found.viewmats)
    centre = torch.tensor(footing.problem.size, dtype=torch.float64) / 2
    none = torch.zeros(0, 4, dtype=torch.float64)
    cameras = Solve(viewmats[:, :3, :3], viewmats[:, :3, 3], torch.from_numpy(found.focals), torch.from_numpy(found.radial), centre, none)
    return Start(f"COLMAP {mapper}", found.frames, cameras)


def straight_paths(footing: Footing) -> Start | None:
    problem = footing.problem
    if problem.followed.points < 40:
        return None
    footing.stage("Solving cameras from straight paths")
    found = straight.solve(
        problem.followed, problem.frames, problem.size, footing.config.straight, problem.prior, problem.seed, footing.job.progress
    )
    if found is None:
        return None
    return Start("straight paths", np.arange(problem.frames), found)


def flowmap(footing: Footing) -> Start | None:
    """FlowMap, which needs pictures in the order of time."""
    footing.stage("Solving cameras with FlowMap")
    problem = footing.problem
    try:
        cameras = flowmap_start(footing.footage, footing.masks, problem, _pretrained(footing), footing.job.progress)
    except RuntimeError as error:  # torch's LinAlgError is one
        if "linalg" not in str(error):
            raise
        footing.job.warn("FLOWMAP", "FlowMap gave no cameras: parts of the clip show no motion that it could follow.")
        return None
    return Start("FlowMap", np.arange(problem.frames), cameras)


def _pretrained(footing: Footing) -> Pretrained:
    """The networks that the user gave, on the device that the job asks for."""
    options = footing.options
    if not (options.flow_model or options.depth_model or options.track_model):
        return Pretrained()
    device, _ = choose_device(footing.job.request.device)
    flow, depth = load(options.flow_model, "flow", device), load(options.depth_model, "depth", device)
    return Pretrained(flow, depth, load(options.track_model, "tracking", device), device)


def _turns_only(footing: Footing, moving: Start | None) -> Estimate | None:
    """The estimate of a camera that only turns, if that explains the tracks and a moving one does so no better."""
    problem, config = footing.problem, footing.config
    if moving is None:
        return None
    footing.stage("Looking for parallax")
    found, error, zooms = turning(problem, config)
    if not only_turns(problem, found, error, moving.solve, config):
        return None
    unit = unit_of_size(problem.size)
    tracks, judges = split(fewer(problem.followed, 2000, problem.frames), config.held_out, problem.seed)
    known = Prior(float(found.focals.median().log()), 1.0) if problem.prior is None else problem.prior
    found = rotation.solve(tracks, problem.frames, problem.size, config.rotation, known, zooms)
    good = errors(found, Observations.of(tracks)).numpy() < config.refine.outlier * unit
    kept = tracks.keep(good)
    again = rotation.solve(kept, problem.frames, problem.size, config.rotation, known, zooms)
    median = rotation.typical_error(at_infinity(again, judges), Observations.of(judges))
    freedom = Freedom(translations=False, focal=problem.prior is None or problem.prior.sigma > 0, focal_per_frame=zooms)
    best = Refined("a turning camera", np.arange(problem.frames), again, kept, freedom, median, median, float(good.mean()))
    return conclude(best, problem, kept, "turning", config)


def _second_opinions(footing: Footing, estimator: Estimator) -> None:
    """More solvers, cheapest first, until two agree."""
    ordered = footing.footage.ordered
    zoomed = any(r.freedom.focal_per_frame for r in estimator.refined)
    attempts: list[Callable[[], Start | None]] = []
    if not zoomed:  # COLMAP takes the lens for fixed
        attempts.append(lambda: colmap(footing, "incremental"))
    attempts.append((lambda: flowmap(footing)) if ordered else (lambda: colmap(footing, "global")))
    for attempt in attempts:
        if estimator.settled:
            return
        start = attempt()
        if start is not None:
            estimator.add(start)


def solve(footing: Footing) -> Estimate:
    """The best cameras that can be had; SolveError when they are not worth showing."""
    keys = keyframes(footing.problem.frames)
    if len(keys) == footing.problem.frames or not footing.footage.ordered:
        return _solve_together(footing)
    problem, few = footing.problem, footing.footage.only(keys.tolist())
    estimate = _solve_together(replace(footing, footage=few, problem=at_keyframes(problem, keys)))
    footing.stage("Placing the frames between")
    if estimate.verdict.kind == "turning":
        return _spread(estimate, keys)
    try:
        return _believed(complete(estimate, keys, problem, footing.config), "")
    except SolveError:  # the keyframes were matched by features; from frame to frame nothing can be followed
        return _spread(estimate, keys)


def _spread(estimate: Estimate, keys: np.ndarray) -> Estimate:
    """Keyframes only, for a camera that only turns, where the frames between add nothing, or where they can't be placed."""
    return replace(estimate, frames=keys[estimate.frames])


def _solve_together(footing: Footing) -> Estimate:
    options = footing.options
    if options.solver in ("straight", "flowmap") and not footing.footage.ordered:
        raise SolveError("This solver needs a video or a sequence of frames.", "Choose solver auto for photos.")
    alone = {
        "straight": lambda: straight_paths(footing),
        "flowmap": lambda: flowmap(footing),
        "incremental": lambda: colmap(footing, "incremental"),
        "global": lambda: colmap(footing, "global"),
    }
    first = straight_paths(footing) if options.solver == "auto" else None
    turned = _turns_only(footing, first)
    if turned is not None and turned.verdict.level != "failed":
        return turned
    matched, why = match(footing)
    if options.solver != "auto":
        first = alone[options.solver]()
    footing.stage("Bundle adjustment")
    estimator = Estimator(footing.problem, matched, footing.config, footing.job.progress)
    if first is not None:
        estimator.add(first)
    if options.solver == "auto":
        _second_opinions(footing, estimator)
    if not estimator.refined:
        raise SolveError(f"No cameras could be found: {why}.", FILM_BETTER)
    footing.stage("Judging the cameras")
    prior = footing.problem.prior
    estimate = estimator.estimate(math.exp(prior.log_focal) if prior else 0.0)
    return _believed(estimate, why)


def _believed(estimate: Estimate, why: str) -> Estimate:
    """The estimate, unless it has failed."""
    if estimate.verdict.level == "failed":
        reasons = "; ".join(estimate.verdict.reasons) or why
        raise SolveError(f"No cameras that can be believed were found: {reasons}.", " ".join(estimate.verdict.advice) or FILM_BETTER)
    return estimate
