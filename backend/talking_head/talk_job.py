"""The verb `talk`: the Gaussian head speaks. Leaves a video with sound, marked as synthetic."""

import io
from collections.abc import Iterator
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
from ..runtime.job import Job, Outcome
from .gaussian_head import files
from .gaussian_head.training import render
from .gaussian_head.training_views import viewmat
from .motion import poses
from .motion.face_motion import SPOKEN
from .motion.poses import Poses
from .rigs.drawing import PortraitCamera, portrait
from .talk_verb import TalkOptions
from .tracking.track import FaceTrackConfig

NOTE = "Synthetic: this person's face was animated by Splatsmith."
PLAIN, PLAIN_SIDE = (41, 43, 48), 512
PARTS = "video"  # in the checkpoint: what is drawn
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
    model, mesh = files.load(folder / gaussian_head_file.NAME, head)
    model, mesh = model.on(job.device), mesh.on(job.device)
    filmed = poses.load(folder / poses.NAME)
    fps, coefficients, order, sound = _spoken(options, filmed, head.names)
    job.stage("Rendering", 2, 2)
    views = (
        _filmed(filmed, order)
        if options.background == "footage"
        else _plain(options.size or PLAIN_SIDE, len(coefficients))
    )
    parts = VideoParts(job.folder.checkpoint / PARTS, fps)
    for number, (view, behind) in enumerate(views):
        if number >= parts.pictures:  # those before, a stopped run has drawn
            pose, K, size = camera(view)
            used = torch.from_numpy(coefficients[number]).to(job.device)
            drawn = render(model, mesh, used, pose.to(job.device), K.to(job.device), size)
            parts.add(_over(drawn, behind))
        job.progress(number + 1, len(coefficients))
    parts.join(job.folder.staging / "talk.mp4", NOTE, sound)
    return Outcome(
        f"{len(coefficients)} frames of a talking head",
        {"frames": float(len(coefficients)), "fps": fps},
    )


def camera(view: PortraitCamera) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """Viewmat (4, 4), K (3, 3), width and height."""
    K = torch.tensor(
        [[view.focal, 0, view.width / 2], [0, view.focal, view.height / 2], [0, 0, 1]],
        dtype=torch.float32,
    )
    return viewmat(view), K, (view.width, view.height)


def _spoken(
    options: TalkOptions, filmed: Poses, names: list[str]
) -> tuple[float, Floats, NDArray[np.int64], Path | None]:
    """Frames a second, coefficients (T, K), the frame of the footage (T,) behind each, and the file
    that the sound is in.
    """
    rate = round(float(1 / np.median(np.diff(filmed.times))), 3) if len(filmed.times) > 1 else 25.0
    if not options.motion:  # the footage again, at an even pace
        times = np.arange(filmed.times[0], filmed.times[-1] + 1e-9, 1 / rate)
        order = np.abs(np.searchsorted(filmed.times, times - 0.5 / rate)).clip(
            0, len(filmed.times) - 1
        )
        whole = filmed.times[0] < 1 / rate  # a part's sound begins elsewhere
        return (
            rate,
            filmed.coefficients[order],
            order,
            _with_sound(filmed.source) if whole else None,
        )
    motion = motion_file.read(Path(options.motion))
    if not any(curve.name in names for curve in motion.curves):
        raise InputError(
            f"{Path(options.motion).name} moves none of this head's shapes.",
            "Make it with `speech`.",
        )
    coefficients = sampled(motion, names)
    order = to_and_fro(min(len(filmed.times), LONGEST), len(coefficients), motion.fps, rate)
    return (
        motion.fps,
        _with_footage(coefficients, filmed, names, order),
        order,
        _with_sound(Path(motion.source)),
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


def _plain(side: int, count: int) -> Iterator[tuple[PortraitCamera, Pixels]]:
    """The head alone, straight ahead."""
    behind = np.full((side, side, 3), PLAIN, np.uint8)
    for _ in range(count):
        yield portrait(side, height=30.0), behind


def _over(drawn: Rendering, behind: Pixels) -> Pixels:
    """(H, W, 3)"""
    mixed = drawn.image[0].cpu() * 255 + (1 - drawn.alpha[0].cpu()) * torch.from_numpy(
        behind.astype(np.float32)
    )
    return np.asarray(mixed.clamp(0, 255).round().byte().numpy())
