"""The verb `talk`: the Gaussian head speaks. Leaves a video with sound, marked as synthetic."""

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..formats import gaussian_head_file, head_file, motion_file
from ..formats.motion_file import Motion
from ..gaussians.rasterize import Rendering
from ..geometry.arrays import Floats, Pixels
from ..media.decoding import Damage, decode, open_video
from ..media.open_image import opened_bytes
from ..media.open_media import BROKEN_MEDIA, open_media
from ..media.video import upright
from ..media.video_parts import VideoParts
from ..protocol import InputError
from ..runtime import atomic
from ..runtime.job import Job, Outcome
from . import talk_views
from .gaussian_head import files
from .gaussian_head.files import LoadedHead
from .gaussian_head.training import render
from .gaussian_head.training_views import viewmat
from .motion import poses
from .motion.face_motion import SPOKEN
from .motion.poses import Poses
from .rigs.drawing import PortraitCamera
from .talk_verb import TalkOptions
from .tracking.track import FaceTrackConfig

NOTE = "Synthetic: this person's face was animated by Splatsmith."
SAFE = 15.0  # degrees beside what was filmed that still look right
PARTS, FRAMES = "video", "frames"  # in the checkpoint: what is drawn
LONGEST = 1800  # frames of footage that are kept at hand; then it runs backwards


@torch.no_grad()
def run(job: Job[TalkOptions]) -> Outcome:
    """Leaves talk.mp4."""
    options, folder = job.options, Path(job.request.input)
    job.stage("Reading the head", 1, 2)
    if not (folder / gaussian_head_file.NAME).is_file():
        raise InputError(
            f"There is no Gaussian head in {folder.name}.", "Give the folder that `face` has left."
        )
    head = head_file.read(folder / head_file.NAME)
    over = options.background == "footage" and not options.picture
    path = folder / gaussian_head_file.NAME
    shown = (0.0, 0.0) if over else (options.invented, 1.0)  # footage brings both of its own
    loaded = files.load(path, head, *shown)
    filmed = poses.load(folder / poses.NAME)
    spoken = _spoken(options, filmed, head.names)
    job.stage("Rendering", 2, 2)
    views = _filmed(filmed, spoken.order) if over else _free(job, loaded, spoken, head.names)
    _draw(job, loaded, spoken, views)
    count = len(spoken.coefficients)
    return Outcome(f"{count} frames of a talking head", {"frames": float(count), "fps": spoken.fps})


def _draw(
    job: Job[TalkOptions],
    loaded: LoadedHead,
    spoken: "_Spoken",
    views: Iterator[tuple[PortraitCamera, Pixels]],
) -> None:
    """The video, and its pictures with alpha where they are wanted."""
    model, mesh = loaded.model.on(job.device), loaded.mesh.on(job.device)
    parts = VideoParts(job.folder.checkpoint / PARTS, spoken.fps)
    clear, count = job.options.background == "transparent", len(spoken.coefficients)
    frames = job.folder.checkpoint / FRAMES
    for number, (view, behind) in enumerate(views):
        if number >= parts.pictures:  # those before, a stopped run has drawn
            pose, K, size = camera(view)
            used = torch.from_numpy(spoken.coefficients[number]).to(job.device)
            drawn = render(model, mesh, used, pose.to(job.device), K.to(job.device), size)
            if clear:
                frames.mkdir(parents=True, exist_ok=True)
                with atomic.atomic_path(frames / f"{number + 1:05d}.png") as part:
                    _alone(drawn).save(part, "PNG")
            parts.add(_over(drawn, behind))
        job.progress(number + 1, count)
    parts.join(job.folder.staging / "talk.mp4", NOTE, spoken.sound)
    if clear:
        shutil.move(frames, job.folder.staging / FRAMES)


def _free(
    job: Job[TalkOptions], loaded: LoadedHead, spoken: "_Spoken", names: list[str]
) -> Iterator[tuple[PortraitCamera, Pixels]]:
    """Views without the footage; the neck's coefficients are set to them."""
    options, count = job.options, len(spoken.coefficients)
    turns = talk_views.head_turns(spoken.motion, spoken.coefficients, names, options.head_motion)
    spoken.coefficients = talk_views.bent(spoken.coefficients, names, turns)
    views = talk_views.views(options, count, spoken.fps, turns, loaded.joint)
    yaws, known = talk_views.yaws(views), loaded.yaw_range
    if known is not None and (yaws.min() < known[0] - SAFE or yaws.max() > known[1] + SAFE):
        job.warn(
            "UNSEEN",
            f"The head is seen from {yaws.min():.0f} to {yaws.max():.0f} degrees, and was filmed "
            f"from {known[0]:.0f} to {known[1]:.0f}: what lies beyond is invented.",
        )
    pictures: dict[tuple[int, int], Pixels] = {}
    for view in views:
        size = (view.width, view.height)
        if size not in pictures:
            pictures[size] = talk_views.behind(options, size)
        yield view, pictures[size]


def camera(view: PortraitCamera) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """Viewmat (4, 4), K (3, 3), width and height."""
    K = torch.tensor(
        [[view.focal, 0, view.width / 2], [0, view.focal, view.height / 2], [0, 0, 1]],
        dtype=torch.float32,
    )
    return viewmat(view), K, (view.width, view.height)


@dataclass(kw_only=True)
class _Spoken:
    """What is said, in T frames."""

    fps: float
    coefficients: Floats  # (T, K)
    order: NDArray[np.int64]  # (T,) the frame of the footage behind each
    sound: Path | None  # the file that it is in
    motion: Motion | None  # None: as in the footage


def _spoken(options: TalkOptions, filmed: Poses, names: list[str]) -> _Spoken:
    """By the motion that is given, or the footage's."""
    rate = round(float(1 / np.median(np.diff(filmed.times))), 3) if len(filmed.times) > 1 else 25.0
    if not options.motion:  # the footage again, at an even pace
        times = np.arange(filmed.times[0], filmed.times[-1] + 1e-9, 1 / rate)
        order = np.abs(np.searchsorted(filmed.times, times - 0.5 / rate)).clip(
            0, len(filmed.times) - 1
        )
        whole = filmed.times[0] < 1 / rate  # a part's sound begins elsewhere
        return _Spoken(
            fps=rate,
            coefficients=filmed.coefficients[order],
            order=order,
            sound=_with_sound(filmed.source) if whole else None,
            motion=None,
        )
    motion = motion_file.read(Path(options.motion))
    if not any(curve.name in names for curve in motion.curves):
        raise InputError(
            f"{Path(options.motion).name} moves none of this head's shapes.",
            "Make it with `speech`.",
        )
    coefficients = sampled(motion, names)
    order = to_and_fro(min(len(filmed.times), LONGEST), len(coefficients), motion.fps, rate)
    return _Spoken(
        fps=motion.fps,
        coefficients=_with_footage(coefficients, filmed, names, order),
        order=order,
        sound=_with_sound(Path(motion.source)),
        motion=motion,
    )


def _with_sound(path: Path) -> Path | None:
    try:
        with open_media(path) as container:
            return path if container.streams.audio else None
    except (*BROKEN_MEDIA, InputError):
        return None


def sampled(motion: Motion, names: list[str]) -> Floats:
    """(T, K) of whole frames; NaN where the motion has no curve."""
    frames = np.arange(int(motion.length) + 1)
    samples = np.full((len(frames), len(names)), np.nan, np.float32)
    for curve in motion.curves:
        if curve.name in names:
            samples[:, names.index(curve.name)] = np.interp(frames, curve.frames, curve.values)
    return samples


def to_and_fro(count: int, wanted: int, fps: float, rate: float) -> NDArray[np.int64]:
    """(T,) which frame of the footage lies behind each: forwards, then backwards, so that nothing
    jumps.
    """
    steps = np.floor(np.arange(wanted) * rate / fps + 1e-6).astype(int)
    there = steps % max(2 * count - 2, 1)
    return np.asarray(np.where(there < count, there, 2 * count - 2 - there))


def _with_footage(
    coefficients: Floats, filmed: Poses, names: list[str], order: NDArray[np.int64]
) -> Floats:
    """Shapes that the motion leaves alone do what they do in the footage: brows, gaze."""
    completed = coefficients.copy()
    for k, name in enumerate(names):
        if np.isnan(completed[:, k]).any():
            still = name.startswith(SPOKEN) or name not in filmed.names
            completed[:, k] = 0.0 if still else filmed.coefficients[order, filmed.names.index(name)]
    return completed


def _filmed(filmed: Poses, order: NDArray[np.int64]) -> Iterator[tuple[PortraitCamera, Pixels]]:
    """Views and pictures of the footage; its first frames are kept at hand where some are shown
    backwards.
    """
    width, height = filmed.size
    kept: dict[int, bytes] = {}
    turns, images, number, image = bool((np.diff(order) < 0).any()), _images(filmed), -1, None
    for wanted in order.tolist():
        while number < wanted and (following := next(images, None)) is not None:
            number, image = following
            if turns:
                packed = io.BytesIO()
                Image.fromarray(image).save(packed, "JPEG", quality=95)
                kept[number] = packed.getvalue()
        if turns and wanted in kept:
            with opened_bytes(kept[wanted], "a frame") as shown:
                image = np.asarray(shown)
        if image is None or number < wanted or image.shape[:2] != (height, width):
            raise InputError(
                f"{filmed.source.name} is no longer the footage that the head was made from.",
                "Read the face again.",
            )
        yield (
            PortraitCamera(
                rotation=filmed.rotations[wanted],
                translation=filmed.translations[wanted],
                focal=filmed.focal,
                width=width,
                height=height,
            ),
            image,
        )


def _images(filmed: Poses) -> Iterator[tuple[int, Pixels]]:
    """The footage's frames that have poses, with their numbers."""
    if not filmed.source.is_file():
        raise InputError(
            f"The footage {filmed.source.name} is gone.",
            "Put it back, or render with --background plain.",
        )
    with open_video(filmed.source) as container:
        for time, frame in decode(container, filmed.source, Damage()):
            number = int(np.abs(filmed.times - time).argmin())
            if abs(filmed.times[number] - time) < 1e-4:
                yield number, upright(frame, container.streams.video[0], FaceTrackConfig().max_side)


def _alone(drawn: Rendering) -> Image.Image:
    """The person with alpha, as pictures have it: colours are not dimmed by it."""
    alpha = drawn.alpha[0].cpu().clamp(0, 1)
    colors = (drawn.image[0].cpu() / alpha.clamp_min(1e-4)).clamp(0, 1)
    return Image.fromarray((torch.cat([colors, alpha], 2) * 255).round().byte().numpy())


def _over(drawn: Rendering, behind: Pixels) -> Pixels:
    """(H, W, 3)"""
    mixed = drawn.image[0].cpu() * 255 + (1 - drawn.alpha[0].cpu()) * torch.from_numpy(
        behind.astype(np.float32)
    )
    return np.asarray(mixed.clamp(0, 255).round().byte().numpy())
