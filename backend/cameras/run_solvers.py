"""Each solver as it is run on footage: its own tracks, COLMAP's process, FlowMap."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..media.frames import Footage
from ..media.tracks.tracks import Tracks
from ..networks.onnx_model import for_networks
from ..networks.relative_depth import load_depth
from ..protocol import CrashError, OutOfMemory
from ..runtime.device import choose_device, core_count
from ..runtime.job import Job
from ..runtime.kept_stage import KEEP_NOTHING, StageKeeper
from .bundle.adjust import Prior
from .bundle.state import Reconstruction
from .cameras_verb import CamerasOptions
from .colmap import runner, solved
from .colmap.colmap_command import ColmapTask
from .estimation.problem import EstimateConfig, Problem, SolverResult
from .flowmap.pretrained import Pretrained, load
from .flowmap.solve_footage import flowmap_start
from .solvers import straight

EXIF_SIGMA, USER_SIGMA = 0.1, 0.02  # by which a focal length from EXIF, or a person, may be off


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
    keeper: StageKeeper = KEEP_NOTHING

    @property
    def options(self) -> CamerasOptions:
        """What the verb was told."""
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
        goes_on=context.job.resumed,
        seed=context.job.request.seed,
        threads=core_count(),
    )


def match(context: SolveContext) -> tuple[Tracks, str]:
    """Feature tracks through all pictures, and a clause on what the pictures lack if nothing comes
    of them.
    """
    task = _task(context, "match")

    def matched() -> tuple[Tracks, str]:
        stats = runner.run(task, context.job.cancel, context.stage, context.job.progress)
        return solved.load(Path(task.solved)).tracks, stats["why_nothing"]

    return context.keeper.stage(
        "matches",
        tuple[Tracks, str],
        matched,
        lambda _: (context.work / "database.db").is_file(),  # which COLMAP's mappers read
    )


def colmap(context: SolveContext, mapper: str) -> SolverResult | None:
    """COLMAP's cameras from the matches; None when it finds none, dies, or takes too long."""
    context.stage(
        "Solving cameras with COLMAP"
        if mapper == "incremental"
        else "Solving cameras with COLMAP's global mapper"
    )
    return context.keeper.stage(
        f"colmap-{mapper}", SolverResult | None, lambda: _mapped(context, mapper)
    )


def _mapped(context: SolveContext, mapper: str) -> SolverResult | None:
    task, job = _task(context, "map", mapper), context.job
    try:
        stats = runner.run(task, job.cancel, lambda _: None, job.progress)
    except (CrashError, OutOfMemory) as error:
        job.warn("COLMAP", f"COLMAP gave no cameras ({error}).")
        return None
    if stats["stopped"]:
        job.warn("COLMAP", "COLMAP gave no cameras (it took too long).")
    model = solved.load(Path(task.solved))
    if len(model.frames) < 3:
        return None
    viewmats = torch.from_numpy(model.viewmats)
    center = torch.tensor(context.problem.size, dtype=torch.float64) / 2
    none = torch.zeros(0, 4, dtype=torch.float64)
    cameras = Reconstruction(
        rotations=viewmats[:, :3, :3],
        translations=viewmats[:, :3, 3],
        focals=torch.from_numpy(model.focals),
        radial=torch.from_numpy(model.radial),
        center=center,
        points=none,
    )
    return SolverResult(f"COLMAP {mapper}", model.frames, cameras)


def straight_paths(context: SolveContext) -> SolverResult | None:
    """The straight-path solver on the klt tracks; None where it finds no way."""
    problem = context.problem
    if problem.klt_tracks.points < 40:
        return None
    context.stage("Solving cameras from straight paths")
    cameras = context.keeper.stage(
        "straight-paths",
        Reconstruction | None,
        lambda: straight.solve(
            problem.klt_tracks,
            problem.frames,
            problem.size,
            context.config.straight,
            problem.prior,
            problem.seed,
            context.job.progress,
            context.keeper.inside("windows"),
        ),
    )
    if cameras is None:
        return None
    return SolverResult("straight paths", np.arange(problem.frames), cameras)


def flowmap(context: SolveContext) -> SolverResult | None:
    """FlowMap, which needs pictures in the order of time."""
    context.stage("Solving cameras with FlowMap")
    return context.keeper.stage("flowmap", SolverResult | None, lambda: _flowmap(context))


def _flowmap(context: SolveContext) -> SolverResult | None:
    problem = context.problem
    try:
        cameras = flowmap_start(
            context.footage,
            context.masks,
            problem,
            _pretrained(context),
            context.job.progress,
            context.keeper,
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
    on = for_networks(context.job.request.device, device)
    flow, tracker = load(options.flow_model, "flow", on), load(options.track_model, "track", on)
    depth = load_depth(Path(options.depth_model), on) if options.depth_model else None
    return Pretrained(flow, depth, tracker, device)
