"""The verb `cameras`: footage or someone else's solve in, a capture out."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..formats import capture
from ..formats.capture import Capture, Frame
from ..geometry.conventions import to_viewmat
from ..media import photos, video
from ..media.frames import Footage, is_still
from ..protocol import CamerasOptions, InputError, Preset, SolveError
from ..runtime.device import core_count
from ..runtime.job import Job, Outcome
from . import colmap_runner, posed, sources
from .task import ColmapTask, KnownCamera


@dataclass(frozen=True)
class CamerasConfig:
    """What a preset means for the solver."""

    frames: int
    max_side: int
    features: int


PRESETS: dict[Preset, CamerasConfig] = {
    "fast": CamerasConfig(60, 1024, 2048),
    "balanced": CamerasConfig(120, 1600, 4096),
    "best": CamerasConfig(240, 2400, 8192),
}


def _gather(job: Job, source: sources.Source, config: CamerasConfig, options: CamerasOptions, folder: Path) -> Footage:
    frames, side = options.frames or config.frames, options.max_side or config.max_side
    if frames < video.MIN_FRAMES:
        raise InputError(f"--frames {frames} is too few.", f"Cameras need at least {video.MIN_FRAMES} pictures.")
    if source.kind == "photos":
        footage = photos.gather(source.path, folder, frames, side, job.progress)
    else:
        footage = video.extract(source.path, folder, frames, side, options.start, options.end, job.progress)
    if is_still(footage):
        raise SolveError("All pictures of the footage are the same.", "Cameras need footage in which the camera moves.")
    return footage


def _solve_task(job: Job, source: sources.Source, work: Path) -> ColmapTask:
    options = job.request.options
    assert isinstance(options, CamerasOptions)
    config = PRESETS[job.request.preset]
    job.stage("Reading the footage", 1, 5)
    footage = _gather(job, source, config, options, work / "images")
    focal = options.focal_mm / 36 * footage.width if options.focal_mm else footage.focal
    return ColmapTask(
        "solve", str(footage.folder), str(work), str(job.folder.staging), footage.names, footage.times is not None, footage.times,
        footage.sources, focal, config.features, options.solver, seed=job.request.seed, threads=core_count(),
    )  # fmt: skip


def _known(frame: Frame, name: str, size: tuple[int, int]) -> KnownCamera:
    if any(frame.distortion[4:]):
        raise InputError("The lens distortion of the input needs k3 or k4, which is not supported.", "Undistort the pictures first.")
    sx, sy = size[0] / frame.width, size[1] / frame.height
    params = [frame.fl_x * sx, frame.fl_y * sy, frame.cx * sx, frame.cy * sy, *frame.distortion[:4]]
    return KnownCamera(name, params, to_viewmat(frame.camera_to_world).tolist())


def _with_pictures(job: Job, given: Capture) -> list[Frame]:
    frames = [f for f in given.frames if f.image.is_file()]
    if len(frames) < len(given.frames):
        job.warn("MISSING", f"{len(given.frames) - len(frames)} of {len(given.frames)} cameras have no picture and were left out.")
    if any(f.mask for f in frames):
        job.warn("MASKS", "The input's masks are not used yet.")
    if not frames:
        raise InputError("None of the pictures that transforms.json names is there.", "Put the pictures beside it.")
    return frames


def _known_task(job: Job, source: sources.Source, work: Path) -> ColmapTask:
    """Someone else's cameras: points are triangulated unless they came along."""
    job.stage("Reading the cameras", 1, 4)
    given = capture.read(source.path)
    frames = _with_pictures(job, given)
    if len({f.image for f in frames}) < len(frames):
        raise InputError("transforms.json names a picture twice.", "Export it again.")
    folder = work / "images"
    folder.mkdir()
    names = [f"{i:05d}{f.image.suffix.lower()}" for i, f in enumerate(frames, 1)]  # COLMAP's lists can't hold spaces
    for frame, name in zip(frames, names, strict=True):
        shutil.copyfile(frame.image, folder / name)
    known = [_known(f, n, capture.picture_size(f.image)) for f, n in zip(frames, names, strict=True)]
    times = [f.time if f.time is not None else -1.0 for f in frames]
    return ColmapTask(
        "known", str(folder), str(work), str(job.folder.staging), names, False, times if min(times) >= 0 else None,
        [f.source or f.image.name for f in frames],
        features=PRESETS[job.request.preset].features, known=known, points=str(given.points or ""), seed=job.request.seed,
        threads=core_count(),
    )  # fmt: skip


def _posed_task(job: Job, source: sources.Source, work: Path, poses: Path) -> ColmapTask:
    """Footage whose cameras were solved frame by frame, in Blender for one."""
    options, config = job.request.options, PRESETS[job.request.preset]
    assert isinstance(options, CamerasOptions)
    job.stage("Reading the footage", 1, 5)
    records = posed.read(poses, max(video.MIN_FRAMES, options.frames or config.frames))
    side = options.max_side or config.max_side
    choose = photos.gather_indices if source.kind == "photos" else video.extract_indices
    footage = choose(source.path, work / "images", [r.index for r in records], side)
    known = [posed.camera(r, n, footage.width, footage.height) for r, n in zip(records, footage.names, strict=True)]
    return ColmapTask(
        "known", str(footage.folder), str(work), str(job.folder.staging), footage.names, True, footage.times,
        features=config.features, known=known, seed=job.request.seed, threads=core_count(),
    )  # fmt: skip


def _task(job: Job, source: sources.Source, work: Path) -> ColmapTask:
    options = job.request.options
    if isinstance(options, CamerasOptions) and options.poses:
        return _posed_task(job, source, work, Path(options.poses))
    if source.kind == "transforms":
        return _known_task(job, source, work)
    if source.kind == "colmap":
        job.stage("Reading the model", 1, 2)
        return ColmapTask("model", str(source.images), str(work), str(job.folder.staging), [], model=str(source.path), threads=core_count())
    return _solve_task(job, source, work)


def _verdict(job: Job, task: ColmapTask, stats: dict[str, Any]) -> str:
    """The solve in one sentence; warns where it is partial."""
    registered, asked = stats["registered"], len(task.names) or stats["registered"] + stats["dropped"]
    if task.kind == "solve" and registered < 0.9 * asked:
        job.warn(
            "PARTIAL",
            f"Only {registered} of {asked} pictures could be placed. The others are blurred, show too little, or share too little"
            " with their neighbours: film that part again, slower and with more overlap.",
        )
    points = f"{stats['points']:,} points" if stats["points"] else "no points"
    error = f", {stats['reprojection_px']:.2f} px" if stats["reprojection_px"] else ""
    return f"{registered} of {asked} cameras{error}, {points}"


def run(job: Job) -> Outcome:
    """Leaves a capture in the job's output: transforms.json, images/, points3D.ply, sparse/0."""
    source = sources.identify(Path(job.request.input))
    work = job.folder.staging / "work"
    work.mkdir()
    task = _task(job, source, work)
    index, count = 1, {"solve": 5, "known": 3 if task.points else 5, "model": 3}[task.kind]

    def on_stage(name: str) -> None:
        nonlocal index
        index += 1
        job.stage(name, min(index, count), count)

    stats = colmap_runner.run(task, job.cancel, on_stage, job.progress)
    summary = _verdict(job, task, stats)
    for path in sorted(work.rglob("*"), reverse=True):
        path.unlink() if not path.is_dir() else path.rmdir()
    work.rmdir()
    stats["pictures"] = len(task.names) or stats["registered"] + stats["dropped"]
    metrics = {k: float(stats[k]) for k in ("registered", "pictures", "points", "reprojection_px", "track_length", "focal_px")}
    return Outcome(summary, metrics, {"source": source.kind, "camera": stats})
