"""The verb `render`: splats seen through the cameras of a capture, one PNG a camera, and a video if
asked.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...formats import capture
from ...formats.capture import Frame
from ...gaussians.frame_views import intrinsics_at, viewmat_of
from ...gaussians.model import Gaussians
from ...gaussians.options import Drawables, RasterOptions, RasterView, options_for
from ...gaussians.rasterize import rasterize, rasterizer_name
from ...geometry.arrays import Ints32
from ...media.open_image import opened
from ...media.video_parts import VideoParts
from ...protocol import InputError
from ...runtime.atomic import atomic_path, linked
from ...runtime.job import Job, Outcome
from .label_pictures import LABELS, MASKS, labels_in, write_labels, write_masks
from .painting import SplatPaint, own_colors
from .render_verb import RenderOptions
from .scene import RenderScene, read_scene

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
    paint: SplatPaint | None = None,
) -> Tensor:
    """(H, W, 3), or (H, W, 4) with straight alpha without a background; values in 0..1."""
    paint = paint or own_colors(model)
    view = _view(frame, scale, model.means.device)
    # numbers get their colours before they are laid over the background
    color = torch.tensor((background if not paint.is_heat else None) or (0.0, 0.0, 0.0))
    drawn = rasterize(
        model.means,
        model.quats,
        model.scales,
        model.opacities,
        paint.colors,
        view.viewmat[None],
        view.K[None],
        view.width,
        view.height,
        sh_degree=paint.sh_degree,
        backgrounds=color[None].to(model.means.device),
        options=paint.options(options),
    )
    image, alpha = drawn.image[0].clamp(0, 1), drawn.alpha[0]
    if background and not paint.is_heat:
        return image
    straight = paint.finished((image / alpha.clamp_min(1e-6)).clamp(0, 1))
    if background:
        return torch.lerp(image.new_tensor(background).expand_as(straight), straight, alpha)
    return torch.cat([straight, alpha], -1)


def _view(frame: Frame, scale: float, device: torch.device) -> RasterView:
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    return RasterView(
        viewmat=viewmat_of(frame, device),
        K=intrinsics_at(frame, width, height, device),
        width=width,
        height=height,
        sh_degree=None,
        background=torch.zeros(3, device=device),
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
    looks = sum((options.objects, bool(options.heat.strip()), bool(options.heat_of)))
    if looks > 1:
        raise InputError(
            "A picture shows objects or one heat map, not both.",
            "Give one of --objects, --heat and --heat-of.",
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
    """Leaves 0001.png … in the job's output, video.mp4, and labels and masks if asked."""
    options = job.options
    background, frames = parse_background(options.background), _check(options)
    pixels = sum(frame.width * frame.height for frame in frames) * options.scale**2
    job.needs(pixels * PNG_BYTES)
    count = 2 + options.labels + bool(options.video)
    job.stage("Reading the splats", 1, count)
    scene = read_scene(job)
    arrays, model = scene.arrays, scene.model
    notes = replace(arrays.notes, antialiased=options.antialiased or arrays.notes.antialiased)
    raster = options_for(notes)
    job.stage("Rendering", 2, count)
    _render_all(job, scene, frames, raster, background)
    if options.labels:
        job.stage("Writing the masks", 3, count)
        _write_masks(job, scene)
    if options.video:
        job.stage("Writing the video", count, count)
        _write_video(job, len(frames))
    text = f"{len(frames)} picture{'s' if len(frames) > 1 else ''} of {len(model):,} splats"
    return Outcome(
        text,
        {"pictures": float(len(frames)), "splats": float(len(model))},
        {"rasterizer": rasterizer_name(model.means.device)},
    )


def _render_all(
    job: Job[RenderOptions],
    scene: RenderScene,
    frames: list[Frame],
    raster: RasterOptions,
    background: tuple[float, float, float] | None,
) -> None:
    """Pictures that a stopped run has made are there already, each whole; the label picture comes
    first.
    """
    done, model, scale = job.folder.checkpoint / PICTURES, scene.model, job.options.scale
    for number, frame in enumerate(frames, 1):
        path = done / f"{number:04d}.png"
        if not path.is_file():
            if scene.labels is not None:
                labels = _labels(scene, scene.labels, frame, scale, raster)
                write_labels(done / LABELS / path.name, labels)
            image = render_frame(model, frame, scale, background, raster, scene.paint)
            pixels = (image * 255).round().to(torch.uint8).cpu().numpy()
            done.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as part:
                Image.fromarray(pixels).save(part, compress_level=3)
        job.progress(number, len(frames))
    if scene.labels is not None:
        for path in sorted((done / LABELS).glob("[0-9]*.png")):
            linked(path, job.folder.staging / LABELS / path.name)
    for path in sorted(done.glob("[0-9]*.png")):
        linked(path, job.folder.staging / path.name)


@torch.no_grad()
def _labels(
    scene: RenderScene, labels: Ints32, frame: Frame, scale: float, raster: RasterOptions
) -> Ints32:
    """(H, W) the object of every pixel, -1: none."""
    model = scene.model
    view = _view(frame, scale, model.means.device)
    gaussians = Drawables(
        means=model.means,
        quats=model.quats,
        scales=model.scales,
        opacities=model.opacities,
        colors=torch.zeros_like(model.means),
    )
    arrays = (model.means, model.quats, model.scales, model.opacities, gaussians.colors)
    place = (view.viewmat[None], view.K[None], view.width, view.height)
    plain = replace(raster, blend="srgb")
    return labels_in(
        gaussians, view, labels, rasterize(*arrays, *place, options=plain).alpha[0], plain
    )


def _write_masks(job: Job[RenderOptions], scene: RenderScene) -> None:
    pictures = sorted((job.folder.staging / LABELS).glob("[0-9]*.png"))
    for number, picture in enumerate(pictures, 1):
        write_masks(job.folder.staging / MASKS, scene.names, [picture])
        job.progress(number, len(pictures))


def _write_video(job: Job[RenderOptions], count: int) -> None:
    parts = VideoParts(job.folder.checkpoint / VIDEO, job.options.video)
    for number in range(parts.pictures + 1, count + 1):
        with opened(job.folder.staging / f"{number:04d}.png") as image:
            parts.add(np.asarray(image))
        job.progress(number, count)
    parts.join(job.folder.staging / "video.mp4")
