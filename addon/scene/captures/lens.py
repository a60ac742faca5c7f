"""Pinhole cameras in pixels as Blender's lens, shift and pixel aspect, and back."""

from collections import Counter
from dataclasses import dataclass
from statistics import median

import bpy

from ....backend.formats.capture import Frame

SENSOR = 36.0  # mm; only the ratio to the lens matters
SQUARE = 2e-4  # relative difference of two focal lengths that no picture shows


@dataclass(frozen=True, kw_only=True)
class CameraView:
    """What the scene renders: its size in pixels, and how much taller than wide a pixel is."""

    width: int
    height: int
    pixel_height: float = 1.0


def view_of(frames: list[Frame]) -> CameraView:
    """The size that most pictures have, and the pixels that their two focal lengths ask for."""
    (width, height), _ = Counter((f.width, f.height) for f in frames).most_common(1)[0]
    ratio = median(f.fl_x / f.fl_y for f in frames)
    is_square = abs(ratio - 1) < SQUARE
    return CameraView(width=width, height=height, pixel_height=1.0 if is_square else ratio)


def stretched(frames: list[Frame], view: CameraView) -> list[str]:
    """Pictures whose pixels are of another shape than the scene's."""
    return [
        f.image.name for f in frames if abs(f.fl_x / f.fl_y / view.pixel_height - 1) > 5 * SQUARE
    ]


def set_lens(data: bpy.types.Camera, frame: Frame, view: CameraView) -> None:
    """The frame's lens, its picture fitted into the view and centred there."""
    scale = min(view.width / frame.width, view.height / frame.height)
    cx = (view.width - scale * frame.width) / 2 + scale * frame.cx
    cy = (view.height - scale * frame.height) / 2 + scale * frame.cy
    data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR
    data.lens = scale * frame.fl_x / view.width * SENSOR
    data.shift_x = 0.5 - cx / view.width
    data.shift_y = (cy - 0.5 * view.height) * view.pixel_height / view.width


def set_render(render: bpy.types.RenderSettings, view: CameraView) -> None:
    """Size and pixels of the scene's renders."""
    render.resolution_x, render.resolution_y = view.width, view.height
    render.resolution_percentage = 100
    render.pixel_aspect_x = max(1.0, 1 / view.pixel_height)  # Blender's are 1 or more
    render.pixel_aspect_y = max(1.0, view.pixel_height)
