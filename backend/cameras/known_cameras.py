"""Cameras that somebody else has solved, as a task for the COLMAP process: a capture's, a model's,
or footage whose frames Blender has cameras for.
"""

import shutil
from pathlib import Path

from ..formats import capture
from ..formats.capture import Capture, Frame
from ..geometry.conventions import to_viewmat
from ..media import photos, video
from ..protocol import InputError
from ..runtime.device import core_count
from ..runtime.job import Job
from .cameras_verb import PRESETS, CamerasOptions
from .colmap.colmap_command import ColmapTask, KnownCamera
from .footage import posed, propagated_masks, sources


def _camera(frame: Frame, name: str, size: tuple[int, int]) -> KnownCamera:
    if any(frame.distortion[4:]):
        raise InputError(
            "The lens distortion of the input needs k3 or k4, which is not supported.",
            "Undistort the pictures first.",
        )
    sx, sy = size[0] / frame.width, size[1] / frame.height
    params = [frame.fl_x * sx, frame.fl_y * sy, frame.cx * sx, frame.cy * sy, *frame.distortion[:4]]
    return KnownCamera(name, params, to_viewmat(frame.camera_to_world).tolist())


def _with_images(job: Job[CamerasOptions], given: Capture) -> list[Frame]:
    frames = [f for f in given.frames if f.image.is_file()]
    if len(frames) < len(given.frames):
        job.warn(
            "MISSING",
            f"{len(given.frames) - len(frames)} of {len(given.frames)} cameras have no picture and "
            f"were left out.",
        )
    if not frames:
        raise InputError(
            "None of the pictures that transforms.json names is there.",
            "Put the pictures beside it.",
        )
    return frames


def _capture_task(job: Job[CamerasOptions], source: sources.Source, work: Path) -> ColmapTask:
    """Someone else's cameras: points are triangulated unless they came along."""
    job.stage("Reading the cameras", 1, 4)
    given = capture.read(source.path)
    frames = _with_images(job, given)
    if len({f.image for f in frames}) < len(frames):
        raise InputError("transforms.json names a picture twice.", "Export it again.")
    folder = work / "images"
    folder.mkdir()
    names = [
        f"{i:05d}{f.image.suffix.lower()}" for i, f in enumerate(frames, 1)
    ]  # COLMAP's lists can't hold spaces
    for frame, name in zip(frames, names, strict=True):
        shutil.copyfile(frame.image, folder / name)
    known = [_camera(f, n, capture.image_size(f.image)) for f, n in zip(frames, names, strict=True)]
    times = [f.time if f.time is not None else -1.0 for f in frames]
    return ColmapTask(
        kind="known",
        images=str(folder),
        work=str(work),
        output=str(job.folder.staging),
        names=names,
        ordered=False,
        times=times if min(times) >= 0 else None,
        fps=given.fps,
        sources=[propagated_masks.source_of(f, given.root) for f in frames],
        features=PRESETS[job.request.preset].features,
        known=known,
        points=str(given.points or ""),
        seed=job.request.seed,
        threads=core_count(),
    )


def _posed_task(
    job: Job[CamerasOptions], source: sources.Source, work: Path, poses: Path
) -> ColmapTask:
    """Footage whose cameras were solved frame by frame, in Blender for one."""
    options, config = job.options, PRESETS[job.request.preset]
    job.stage("Reading the footage", 1, 5)
    records = posed.read(poses, max(video.MIN_FRAMES, options.frames or config.frames))
    side = options.max_side or config.max_side
    choose = photos.gather_indices if source.kind == "photos" else video.extract_indices
    footage = choose(source.path, work / "images", [r.index for r in records], side)
    known = [
        posed.camera(r, n, footage.width, footage.height)
        for r, n in zip(records, footage.names, strict=True)
    ]
    return ColmapTask(
        kind="known",
        images=str(footage.folder),
        work=str(work),
        output=str(job.folder.staging),
        names=footage.names,
        ordered=True,
        times=footage.times,
        fps=footage.fps,
        features=config.features,
        known=known,
        seed=job.request.seed,
        threads=core_count(),
    )


def known_task(job: Job[CamerasOptions], source: sources.Source, work: Path) -> ColmapTask:
    """Cameras that someone else solved."""
    options = job.options
    if isinstance(options, CamerasOptions) and options.poses:
        return _posed_task(job, source, work, Path(options.poses))
    if source.kind == "transforms":
        return _capture_task(job, source, work)
    job.stage("Reading the model", 1, 2)
    return ColmapTask(
        kind="model",
        images=str(source.images),
        work=str(work),
        output=str(job.folder.staging),
        names=[],
        model=str(source.path),
        threads=core_count(),
    )
