"""Cameras that somebody else has solved, as a task for the COLMAP process: a capture's, a model's,
or footage whose frames Blender has cameras for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..formats import capture, points_ply
from ..formats.capture import Capture, Frame
from ..formats.capture_frames import ENOUGH
from ..formats.name_pairing import listed
from ..geometry.conventions import to_viewmat
from ..media import photos, video
from ..media.picture_fit import same_shape
from ..protocol import InputError
from ..runtime.device import core_count
from ..runtime.job import Job
from .cameras_verb import PRESETS, CamerasOptions
from .colmap.colmap_command import ColmapTask, KnownCamera
from .footage import posed
from .footage.lenses import colmap_lens
from .footage.mask_files import paired_masks
from .footage.placed_pictures import GivenPicture, PlacedPicture, place_pictures
from .footage.posed import KnownPose
from .footage.sources import Source


@dataclass(frozen=True, kw_only=True)
class KnownTask:
    """The task, and how many cameras were handed in for it."""

    task: ColmapTask
    asked: int


def _tell(job: Job[CamerasOptions], told: Sequence[str]) -> None:
    for text in told:
        job.warn("INPUT", text)


def _with_images(job: Job[CamerasOptions], given: Capture) -> list[Frame]:
    frames = [f for f in given.frames if f.image.is_file()]
    gone = [f.image.name for f in given.frames if not f.image.is_file()]
    if not frames:
        raise InputError(
            f"None of the pictures that transforms.json names is there: {listed(gone)}.",
            "Put the pictures beside it, named as it names them.",
        )
    if gone:
        job.warn(
            "MISSING",
            f"{len(gone)} of {len(given.frames)} cameras have no picture and were left out: "
            f"{listed(gone)}.",
        )
    return frames


def source_of(frame: Frame, root: Path) -> str:
    """What a given frame is known by: its picture's name before it was copied, else its place in
    the given capture.
    """
    return frame.source or (
        frame.image.relative_to(root).as_posix()
        if frame.image.is_relative_to(root)
        else frame.image.name
    )


def _masks(
    job: Job[CamerasOptions], source: Source, given: Capture, frames: list[Frame]
) -> list[Path | None]:
    """Masks that the user names, or the capture, or that lie beside it."""
    named = [f.mask for f in frames]
    folder = _mask_folder(job, source, any(named))
    if folder is not None:
        paired = paired_masks(folder, [source_of(f, given.root) for f in frames])
        _tell(job, [paired.told] if paired.told else [])
        return paired.masks
    if lost := [m.name for m in named if m is not None and not m.is_file()]:
        job.warn("INPUT", f"{len(lost)} masks that are named are not there: {listed(lost)}.")
    return [m if m is not None and m.is_file() else None for m in named]


def _mask_folder(job: Job[CamerasOptions], source: Source, has_own: bool) -> Path | None:
    if job.options.masks:
        return Path(job.options.masks)
    return None if has_own else source.masks


def _near_points(job: Job[CamerasOptions], given: Capture, work: Path) -> str:
    """The capture's points, moved as its cameras were."""
    if given.points is None:
        return ""
    found = points_ply.read(given.points, given.reading.points_offset)
    if found.told:
        job.warn("INPUT", found.told)
    moved = work / "points.ply"
    points_ply.write(moved, found.positions, found.colors)
    return str(moved)


def _known(
    frames: list[Frame], pictures: Sequence[PlacedPicture]
) -> tuple[dict[str, KnownCamera], str]:
    """The cameras of the pictures by their names, and a sentence about those that COLMAP has no
    lens for; InputError where too few are left.
    """
    known: dict[str, KnownCamera] = {}
    bad: dict[str, InputError] = {}
    for picture in pictures:
        frame = frames[picture.index]
        try:
            model, params = colmap_lens(frame, picture.size)
        except InputError as error:
            bad[frame.source or frame.image.name] = error
            continue
        known[picture.name] = KnownCamera(
            name=picture.name,
            model=model,
            params=params,
            viewmat=to_viewmat(frame.camera_to_world).tolist(),
            size=list(picture.size),
        )
    if not bad:
        return known, ""
    first = next(iter(bad.values()))
    if len(known) < ENOUGH:
        raise first
    return known, (
        f"{len(bad)} of {len(pictures)} cameras have no usable lens and were left out: "
        f"{listed(bad)}. Of the first: {first.what}"
    )


def _capture_task(job: Job[CamerasOptions], source: Source, work: Path) -> KnownTask:
    """Someone else's cameras: points are triangulated unless they came along."""
    job.stage("Reading the cameras", 1, 4)
    given = capture.read(source.path)
    _tell(job, given.reading.told)
    frames = _with_images(job, given)
    masks = _masks(job, source, given, frames)
    folder = work / "images"
    folder.mkdir()
    placed = place_pictures(
        [
            GivenPicture(
                name=source_of(f, given.root),
                path=f.image,
                camera_size=(f.width, f.height),
                mask=mask,
                principal_point=(f.cx, f.cy),
                is_size_told=f.is_size_told,
            )
            for f, mask in zip(frames, masks, strict=True)
        ],
        folder,
        work / "masks",
    )
    _tell(job, placed.told)
    known, no_lens = _known(frames, placed.pictures)
    _tell(job, [no_lens] if no_lens else [])
    kept = [frames[p.index] for p in placed.pictures if p.name in known]
    times = [f.time if f.time is not None else -1.0 for f in kept]
    world = given.reading.world
    task = ColmapTask(
        kind="known",
        images=str(folder),
        work=str(work),
        output=str(job.folder.staging),
        names=list(known),
        ordered=False,
        times=times if min(times) >= 0 else None,
        fps=given.fps,
        sources=[source_of(f, given.root) for f in kept],
        features=PRESETS[job.request.preset].features,
        masks=str(work / "masks") if placed.masked else "",
        offset=world.offset.tolist() if world.offset.any() else None,
        applied=None if world.applied is None else world.applied.tolist(),
        known=list(known.values()),
        points=_near_points(job, given, work),
        seed=job.request.seed,
        threads=core_count(),
    )
    return KnownTask(task=task, asked=len(given.frames))


def _posed_camera(pose: KnownPose, name: str, width: int, height: int) -> KnownCamera:
    """For a picture of the given size."""
    sx, sy = width / pose.width, height / pose.height
    fl_x, fl_y, cx, cy = pose.intrinsics
    pinhole, bent = [fl_x * sx, fl_y * sy, cx * sx, cy * sy], any(pose.distortion)
    return KnownCamera(
        name=name,
        model="OPENCV" if bent else "PINHOLE",
        params=[*pinhole, *pose.distortion] if bent else pinhole,
        viewmat=to_viewmat(pose.camera_to_world).tolist(),
        size=[width, height],
    )


def _posed_task(job: Job[CamerasOptions], source: Source, work: Path, poses: Path) -> KnownTask:
    """Footage whose cameras were solved frame by frame, in Blender for one."""
    options, config = job.options, PRESETS[job.request.preset]
    job.stage("Reading the footage", 1, 5)
    records = posed.read(poses, max(video.MIN_FRAMES, options.frames or config.frames))
    side = options.max_side or config.max_side
    asked, camera = [r.index for r in records], (records[0].width, records[0].height)
    if source.kind == "photos":
        footage, kept = photos.gather_indices(source.path, work / "images", asked, side, camera)
        records = [records[k] for k in kept]
    else:
        footage = video.extract_indices(source.path, work / "images", asked, side)
    _tell(job, footage.told)
    size = footage.width, footage.height
    if not all(same_shape((r.width, r.height), size) for r in records):
        raise InputError(
            f"{source.path.name} has pictures of {size[0]} x {size[1]} pixels, its cameras were "
            f"solved for {camera[0]} x {camera[1]}.",
            "Choose the footage that the cameras were solved from.",
        )
    known = [
        _posed_camera(r, n, footage.width, footage.height)
        for r, n in zip(records, footage.names, strict=True)
    ]
    task = ColmapTask(
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
    return KnownTask(task=task, asked=len(asked))


def known_task(job: Job[CamerasOptions], source: Source, work: Path) -> KnownTask:
    """Cameras that someone else solved."""
    _tell(job, source.told)
    if job.options.poses:
        return _posed_task(job, source, work, Path(job.options.poses))
    if source.kind == "transforms":
        return _capture_task(job, source, work)
    job.stage("Reading the model", 1, 2)
    task = ColmapTask(
        kind="model",
        images=str(source.images),
        work=str(work),
        output=str(job.folder.staging),
        names=[],
        masks=str(_mask_folder(job, source, has_own=False) or ""),
        model=str(source.path),
        threads=core_count(),
    )
    return KnownTask(task=task, asked=0)
