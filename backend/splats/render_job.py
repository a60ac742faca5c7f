"""The verb `render`: splats seen through the cameras of a capture, one PNG a camera, and a video if
asked.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..formats import capture
from ..formats.capture import Frame
from ..formats.splats import files
from ..gaussians.frame_views import intrinsics_at, viewmat_of
from ..gaussians.model import Gaussians, from_arrays
from ..gaussians.options import RasterOptions, options_for
from ..gaussians.rasterize import rasterize, rasterizer_name
from ..media.open_image import opened
from ..media.video_parts import VideoParts
from ..protocol import InputError
from ..runtime.atomic import atomic_path, linked
from ..runtime.job import Job, Outcome
from .render_verb import RenderOptions

NAMED = {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0)}
PICTURES, VIDEO = "pictures", "video"  # in the checkpoint: what is done of them
MAX_PIXELS = 100_000_000
PNG_BYTES = 2.0  # of a pixel, as a PNG of splats takes; plain ones take less


def parse_background(text: str) -> tuple[float, float, float] | None:
    """A colour in 0..1, or None for transparent."""
    if text == "transparent":
        return None
    if text in NAMED:
        return NAMED[text]
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        red = green = blue = float("nan")
    if not all(0 <= c <= 1 for c in (red, green, blue)):
        raise InputError(
            f"--background {text!r} is no colour.",
            "Use transparent, white, black, or three numbers 0..1 like 0.2,0.2,0.2.",
        )
    return red, green, blue


@torch.no_grad()
def render_frame(
    model: Gaussians,
    frame: Frame,
    scale: float,
    background: tuple[float, float, float] | None,
    options: RasterOptions,
) -> Tensor:
    """(H, W, 3), or (H, W, 4) with straight alpha without a background; values in 0..1."""
    device = model.means.device
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    K, viewmat = intrinsics_at(frame, width, height, device), viewmat_of(frame, device)
    color = torch.tensor(background or (0.0, 0.0, 0.0), device=device)
    degree = model.sh_degree
    drawn = rasterize(
        model.means,
        model.quats,
        model.scales,
        model.opacities,
        model.sh(degree),
        viewmat[None],
        K[None],
        width,
        height,
        sh_degree=degree,
        backgrounds=color[None],
        options=options,
    )
    image, alpha = drawn.image[0].clamp(0, 1), drawn.alpha[0]
    return (
        image if background else torch.cat([(image / alpha.clamp_min(1e-6)).clamp(0, 1), alpha], -1)
    )


def _check(options: RenderOptions) -> list[Frame]:
    if not options.capture:
        raise InputError(
            "--capture is needed: the folder whose cameras are rendered.",
            "Give the output folder of `cameras`.",
        )
    frames = capture.read(Path(options.capture)).frames
    for frame in frames:
        if frame.width * frame.height * options.scale**2 > MAX_PIXELS:
            raise InputError(
                f"Pictures of {frame.width} x {frame.height} times {options.scale:g} are too "
                f"large.",
                "Choose a smaller --scale.",
            )
    if options.video and min(min(f.width, f.height) for f in frames) * options.scale < 2:
        raise InputError(
            "A video needs pictures of two pixels at least.", "Choose a larger --scale."
        )
    if options.video and len({(f.width, f.height) for f in frames}) > 1:
        raise InputError(
            "The capture's cameras differ in size, which a video can't.", "Leave --video away."
        )
    return frames


def run(job: Job[RenderOptions]) -> Outcome:
    """Leaves 0001.png … in the job's output, and video.mp4."""
    options = job.options
    background, frames = parse_background(options.background), _check(options)
    pixels = sum(frame.width * frame.height for frame in frames) * options.scale**2
    job.needs(pixels * PNG_BYTES)
    count = 3 if options.video else 2
    job.stage("Reading the splats", 1, count)
    arrays = files.read(Path(job.request.input))
    for text in arrays.told:
        job.warn("INPUT", text)
    if arrays.left_out:
        job.warn("LEFT_OUT", f"Left out: {'; '.join(arrays.left_out)}.")
    model = from_arrays(arrays, job.device)
    notes = replace(arrays.notes, antialiased=options.antialiased or arrays.notes.antialiased)
    raster = options_for(notes)
    job.stage("Rendering", 2, count)
    _render_all(job, model, frames, raster, background)
    if options.video:
        job.stage("Writing the video", 3, 3)
        _write_video(job, len(frames))
    text = f"{len(frames)} picture{'s' if len(frames) > 1 else ''} of {len(model):,} splats"
    return Outcome(
        text,
        {"pictures": float(len(frames)), "splats": float(len(model))},
        {"rasterizer": rasterizer_name(model.means.device)},
    )


def _render_all(
    job: Job[RenderOptions],
    model: Gaussians,
    frames: list[Frame],
    raster: RasterOptions,
    background: tuple[float, float, float] | None,
) -> None:
    """Pictures that a stopped run has made are there already, each whole."""
    done = job.folder.checkpoint / PICTURES
    for number, frame in enumerate(frames, 1):
        path = done / f"{number:04d}.png"
        if not path.is_file():
            image = render_frame(model, frame, job.options.scale, background, raster)
            pixels = (image * 255).round().to(torch.uint8).cpu().numpy()
            done.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as part:
                Image.fromarray(pixels).save(part, compress_level=3)
        job.progress(number, len(frames))
    for path in sorted(done.glob("[0-9]*.png")):
        linked(path, job.folder.staging / path.name)


def _write_video(job: Job[RenderOptions], count: int) -> None:
    parts = VideoParts(job.folder.checkpoint / VIDEO, job.options.video)
    for number in range(parts.pictures + 1, count + 1):
        with opened(job.folder.staging / f"{number:04d}.png") as image:
            parts.add(np.asarray(image))
        job.progress(number, count)
    parts.join(job.folder.staging / "video.mp4")
