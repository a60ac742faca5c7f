"""The verb `cameras`: footage or someone else's solve in, a capture out."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..media.frames import Footage
from ..media.tracks.tracks import EMPTY, Tracks
from ..protocol import InputError, SolveError
from ..runtime.job import Job, Outcome
from ..runtime.kept_stage import StageKeeper
from . import export, run_solvers, solve as solving
from .cameras_verb import PRESETS, CamerasOptions
from .colmap import runner
from .depth.capture_depth import DepthConfig
from .depth.stage import Dense, find_depth, write_depth
from .estimation.problem import Estimate, EstimateConfig, Problem
from .estimation.verdict import Verdict, in_words
from .footage import footage_masks, motion_masks, prepare, sources
from .footage.motion_masks import MotionMaskConfig
from .footage.prepare import Excerpt
from .footage.triage import Triage, TriageConfig
from .known_cameras import known_task
from .written_capture import EXPORT, WRITTEN, WrittenCapture, fresh, hand_over, is_written

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


WORK = ".work"  # in the checkpoint; the dot says that it alone is nothing to go on from


def _run_given(job: Job[CamerasOptions], source: sources.Source, work: Path) -> Outcome:
    options = job.options
    ignored = ["lens"] if options.focal_mm else []
    if options.masks and options.poses:
        ignored.insert(0, "masks")
    if ignored:
        job.warn("GIVEN", f"The cameras are given: {' and '.join(ignored)} are not looked at.")
    written = StageKeeper(job).stage(
        "capture", WrittenCapture, lambda: _given(job, source, work), lambda _: is_written(work)
    )
    count = written.stages
    dense = _dense(job, work, work / "visible.npz", lambda name: job.stage(name, count, count))
    summary = _summary(job, written.stats, written.asked, None, dense)
    return Outcome(
        summary,
        _metrics(written.stats, written.asked, dense),
        {"source": source.kind, "camera": written.stats},
    )


def _given(job: Job[CamerasOptions], source: sources.Source, work: Path) -> WrittenCapture:
    """The capture of given cameras; what a stopped run has left in COLMAP's database is used."""
    for path in work.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif not path.name.startswith("database"):
            path.unlink()
    known = known_task(job, source, work)
    task = replace(known.task, output=str(fresh(work / WRITTEN)), goes_on=job.resumed)
    count = {"known": 4 if task.points else 6}.get(task.kind, 4)

    def on_stage(name: str) -> None:
        job.stage(name, min(len(job.told_stages) + 1, count), count)

    stats = runner.run(task, job.cancel, on_stage, job.progress)
    _tell(job, stats)
    return WrittenCapture(stats, known.asked or stats["registered"] + stats["dropped"], count)


def _dense(
    job: Job[CamerasOptions], work: Path, visible: Path, on_stage: Callable[[str], None]
) -> Dense | None:
    """Hands the capture over, with depth where that is wanted and can be had."""
    options, preset, depths = job.options, PRESETS[job.request.preset], None
    if options.depth and visible.is_file():
        on_stage("Dense depth")
        config = DepthConfig(
            side=preset.depth_side, neighbors=preset.depth_neighbors, points=preset.depth_points
        )
        depths = find_depth(job, work / WRITTEN, visible, config, StageKeeper(job))
    hand_over(job, work)
    return write_depth(depths, job.folder.staging) if depths else None


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
    work = job.folder.checkpoint / WORK
    work.mkdir(parents=True, exist_ok=True)
    try:
        if options.poses or source.kind in ("transforms", "colmap"):
            return _run_given(job, source, work)
        return _run_solve(job, source, work, options)
    except (InputError, SolveError) as error:
        if isinstance(error, SolveError) or not job.resumed:  # it would end here again
            shutil.rmtree(job.folder.checkpoint, ignore_errors=True)
        raise
    finally:
        if not job.folder.has_checkpoint:
            shutil.rmtree(job.folder.checkpoint, ignore_errors=True)


def _run_solve(
    job: Job[CamerasOptions], source: sources.Source, work: Path, options: CamerasOptions
) -> Outcome:
    """Cameras from pictures, with a verdict."""
    preset, keeper, config = PRESETS[job.request.preset], StageKeeper(job), EstimateConfig()

    def on_stage(name: str) -> None:
        job.stage(name, min(len(job.told_stages) + 1, STAGES), STAGES)

    on_stage("Reading the footage")
    excerpt = Excerpt(
        options.frames or preset.frames,
        options.max_side or preset.max_side,
        options.start,
        options.end,
    )
    job.needs(excerpt.frames * 0.75 * excerpt.side**2 * PICTURE_BYTES)
    footage, triage, gathered = keeper.stage(
        "footage",
        tuple[Footage, Triage | None, int],
        lambda: prepare.prepare(job, source, excerpt, work, TriageConfig(), keeper),
        lambda prepared: prepared[0].is_there,
    )
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
    klt_tracks = EMPTY
    if triage:
        klt_tracks = keeper.stage(
            "points", Tracks, lambda: prepare.follow_points(job, footage, masks, keeper)
        )
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
        keeper=keeper,
    )
    estimate = solving.solve(context)
    masks = masks or _mask_what_moves(context, estimate)
    on_stage("Writing the capture")
    written = keeper.stage(
        "capture",
        WrittenCapture,
        lambda: _written(context, estimate, masks),
        lambda _: is_written(work),
    )
    stats = written.stats
    details = export.details(context, estimate, triage)
    visible = work / EXPORT / "visible.npz"
    if estimate.verdict.kind != "moving":
        visible.unlink(missing_ok=True)  # a camera that only turns sees no depth
    dense = _dense(job, work, visible, on_stage)
    return Outcome(
        _summary(job, stats, len(names), estimate.verdict, dense),
        _metrics(stats, len(names), dense),
        {"source": source.kind, "camera": stats, **details},
    )


def _written(
    context: run_solvers.SolveContext, estimate: Estimate, masks: Path | None
) -> WrittenCapture:
    task = replace(
        export.write_task(context, estimate, masks),
        work=str(fresh(context.work / EXPORT)),
        output=str(fresh(context.work / WRITTEN)),
    )
    stats = runner.run(task, context.job.cancel, lambda _: None, context.job.progress)
    _tell(context.job, stats)
    return WrittenCapture(stats, len(context.footage.names))


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
    return context.keeper.stage(
        "moving",
        Path | None,
        lambda: _moving_masks(context, estimate, config),
        lambda folder: folder is None or folder.is_dir(),
    )


def _moving_masks(
    context: run_solvers.SolveContext, estimate: Estimate, config: MotionMaskConfig
) -> Path | None:
    local = context.problem.klt_tracks.in_frames(estimate.frames)
    images = [context.footage.folder / context.footage.names[i] for i in estimate.frames]
    folder = fresh(context.work / "moving")
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
