"""The verb `cameras`: footage or someone else's solve in, a capture out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..media.tracks.tracks import EMPTY
from ..runtime.job import Job, Outcome
from . import export, run_solvers, solve as solving
from .cameras_verb import PRESETS, CamerasOptions
from .colmap import runner
from .depth.capture_depth import DepthConfig
from .depth.stage import Dense, add_depth
from .estimation.problem import Estimate, EstimateConfig, Problem
from .estimation.verdict import Verdict, in_words
from .footage import footage_masks, motion_masks, prepare, sources
from .footage.motion_masks import MotionMaskConfig
from .footage.prepare import Excerpt
from .footage.triage import TriageConfig
from .known_cameras import known_task

STAGES = 15  # of a solve at most; one that is sure sooner has fewer
PICTURE_BYTES = 1.2  # of a pixel: the picture as it is read, straightened, and its depth
LEAST_MASKED = 0.005  # share of all pixels


def _summary(
    job: Job[CamerasOptions],
    stats: dict[str, Any],
    asked: int,
    verdict: Verdict | None,
    dense: Dense | None,
) -> str:
    """The solve in one sentence; warns where it is partial or weak."""
    registered = stats["registered"]
    if verdict is not None and verdict.level == "weak":
        job.warn(
            "WEAK",
            f"The cameras are weak: {'; '.join(verdict.reasons)}. {' '.join(verdict.advice)}",
        )
    count = (dense.points if dense else 0) or stats["points"]
    points = f"{count:,} points" if count else "no points"
    error = f", {stats['reprojection_px']:.2f} px" if stats["reprojection_px"] else ""
    return (
        f"{registered} of {asked} cameras{error}, "
        f"{points}{': ' + in_words(verdict) if verdict else ''}"
    )


def _tell(job: Job[CamerasOptions], stats: dict[str, Any]) -> None:
    for text in stats["told"]:
        job.warn("INPUT", text)


def _clear(work: Path) -> None:
    for path in sorted(work.rglob("*"), reverse=True):
        path.unlink() if not path.is_dir() else path.rmdir()
    work.rmdir()


def _run_given(job: Job[CamerasOptions], source: sources.Source, work: Path) -> Outcome:
    options = job.options
    ignored = ["lens"] if options.focal_mm else []
    if options.masks and options.poses:
        ignored.insert(0, "masks")
    if ignored:
        job.warn("GIVEN", f"The cameras are given: {' and '.join(ignored)} are not looked at.")
    known = known_task(job, source, work)
    task = known.task
    index, count = 1, {"known": 4 if task.points else 6}.get(task.kind, 4)

    def on_stage(name: str) -> None:
        nonlocal index
        index += 1
        job.stage(name, min(index, count), count)

    stats = runner.run(task, job.cancel, on_stage, job.progress)
    _tell(job, stats)
    asked = known.asked or stats["registered"] + stats["dropped"]
    dense = _dense(job, work, lambda name: job.stage(name, count, count))
    summary = _summary(job, stats, asked, None, dense)
    _clear(work)
    return Outcome(summary, _metrics(stats, asked, dense), {"source": source.kind, "camera": stats})


def _dense(job: Job[CamerasOptions], work: Path, on_stage: Callable[[str], None]) -> Dense | None:
    options = job.options
    if not options.depth or not (work / "visible.npz").is_file():
        return None
    on_stage("Dense depth")
    preset = PRESETS[job.request.preset]
    config = DepthConfig(
        side=preset.depth_side, neighbors=preset.depth_neighbors, points=preset.depth_points
    )
    return add_depth(job, job.folder.staging, work, config)


def _metrics(stats: dict[str, Any], asked: int, dense: Dense | None) -> dict[str, float]:
    keys = ("registered", "points", "reprojection_px", "track_length", "focal_px")
    depth = {"dense_points": float(dense.points), "depth_sure": dense.sure} if dense else {}
    return {**{k: float(stats[k]) for k in keys}, "pictures": float(asked), **depth}


def run(job: Job[CamerasOptions]) -> Outcome:
    """Leaves a capture in the job's output: transforms.json, images/, points3D.ply, sparse/0;
    depths/, masks/, tracks.npz.
    """
    source = sources.identify(Path(job.request.input))
    options = job.options
    work = job.folder.staging / "work"
    work.mkdir()
    if options.poses or source.kind in ("transforms", "colmap"):
        return _run_given(job, source, work)
    return _run_solve(job, source, work, options)


def _run_solve(
    job: Job[CamerasOptions], source: sources.Source, work: Path, options: CamerasOptions
) -> Outcome:
    """Cameras from pictures, with a verdict."""
    preset, index = PRESETS[job.request.preset], 0

    def on_stage(name: str) -> None:
        nonlocal index
        index += 1
        job.stage(name, min(index, STAGES), STAGES)

    config = EstimateConfig()
    on_stage("Reading the footage")
    excerpt = Excerpt(
        options.frames or preset.frames,
        options.max_side or preset.max_side,
        options.start,
        options.end,
    )
    job.needs(excerpt.frames * 0.75 * excerpt.side**2 * PICTURE_BYTES)
    footage, triage, gathered = prepare.prepare(job, source, excerpt, work, TriageConfig())
    if source.masks and not options.masks:
        job.warn(
            "INPUT", f"{source.masks.name}/ beside the photos is not used unless it is chosen."
        )
    masks = (
        footage_masks.write_masks(
            job, Path(options.masks), footage, gathered, source, work / "masks"
        )
        if options.masks
        else None
    )
    on_stage("Following points")
    klt_tracks = prepare.follow_points(job, footage, masks) if triage else EMPTY
    size, names = (footage.width, footage.height), footage.names
    problem = Problem(
        frames=len(names),
        size=size,
        klt_tracks=klt_tracks,
        prior=run_solvers.prior_of(options, footage),
        seed=job.request.seed,
    )
    context = run_solvers.SolveContext(
        job=job,
        footage=footage,
        work=work,
        masks=masks,
        features=preset.features,
        problem=problem,
        config=config,
        stage=on_stage,
    )
    estimate = solving.solve(context)
    masks = masks or _mask_what_moves(context, estimate)
    on_stage("Writing the capture")
    task = export.write_task(context, estimate, masks)
    stats = runner.run(task, job.cancel, lambda _: None, job.progress)
    _tell(job, stats)
    details = export.details(context, estimate, triage)
    dense = _dense(job, work, on_stage) if estimate.verdict.kind == "moving" else None
    summary = _summary(job, stats, len(names), estimate.verdict, dense)
    _clear(work)
    return Outcome(
        summary,
        _metrics(stats, len(names), dense),
        {"source": source.kind, "camera": stats, **details},
    )


def _mask_what_moves(context: run_solvers.SolveContext, estimate: Estimate) -> Path | None:
    """A folder of masks of what moves before a moving camera, if anything does."""
    config, evidence = MotionMaskConfig(), estimate.verdict.evidence
    if (
        estimate.verdict.kind != "moving"
        or evidence.inliers >= config.inliers
        or not context.problem.klt_tracks.points
    ):
        return None
    context.stage("Masking what moves")
    local = context.problem.klt_tracks.in_frames(estimate.frames)
    images = [context.footage.folder / context.footage.names[i] for i in estimate.frames]
    folder = context.work / "moving"
    _, share = motion_masks.write_masks(
        estimate.solve, local, images, folder, config, context.job.progress
    )
    if share < LEAST_MASKED:
        return None
    context.job.warn(
        "MOVING",
        f"Things move in the footage: {share:.0%} of its pixels were masked, and splats will leave "
        f"them out.",
    )
    return folder
