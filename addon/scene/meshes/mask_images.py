"""Outlines drawn as a Blender mask (in the Image Editor, over a picture of the capture), as black
and white pictures for the backend; gray where a layer says that something stands before the object.
"""

from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.geometry.arrays import Doubles

FOLDER = "object_masks"  # in the capture
STEPS = 16  # points a segment of a curve becomes
HIDDEN = "hidden"  # how the name of a layer begins that outlines what stands before the object
GRAY = 128 / 255  # of what it hides, as the backend reads it


def draw_mask(mask: bpy.types.Mask, width: int, height: int) -> NDArray[np.bool_]:
    """(H, W) from the bottom up: what the mask covers in this frame, layer by layer; an outline in
    another is a hole.
    """
    return _drawn(_layers(mask, hiding=False), width, height)


def draw_hidden(mask: bpy.types.Mask, width: int, height: int) -> NDArray[np.bool_]:
    """(H, W) from the bottom up: what its layers called Hidden cover."""
    return _drawn(_layers(mask, hiding=True), width, height)


def _layers(mask: bpy.types.Mask, hiding: bool) -> list[bpy.types.MaskLayer]:
    return [each for each in mask.layers if each.name.lower().startswith(HIDDEN) == hiding]


def _drawn(layers: list[bpy.types.MaskLayer], width: int, height: int) -> NDArray[np.bool_]:
    inside = np.zeros((height, width), bool)
    for layer in layers:
        polygons = [_polygon(s, width, height) for s in layer.splines if len(s.points) > 2]
        if layer.hide_render or not polygons or layer.alpha < 0.5:
            continue
        own = filled(polygons, width, height) ^ layer.invert
        inside = _combined(inside, own, layer.blend)
    return inside


def _combined(under: NDArray[np.bool_], own: NDArray[np.bool_], blend: str) -> NDArray[np.bool_]:
    """Blender's ways to lay one layer over others, for masks that cover a pixel or do not."""
    if blend in ("SUBTRACT", "MERGE_SUBTRACT"):
        return under & ~own
    if blend in ("MUL", "DARKEN"):
        return under & own
    if blend == "DIFFERENCE":
        return under ^ own
    return own if blend == "REPLACE" else under | own


def _polygon(spline: bpy.types.MaskSpline, width: int, height: int) -> Doubles:
    """Cubic curves between the points; a mask's unit is the longer side of the picture, its middle
    at one half.
    """
    points = list(spline.points)
    share = np.linspace(0, 1, STEPS, endpoint=False)[:, None]
    parts = []
    for one, other in zip(points, points[1:] + points[:1], strict=True):
        a, b, c, d = (
            np.array(v[:2], np.float64)
            for v in (one.co, one.handle_right, other.handle_left, other.co)
        )
        parts.append(
            (1 - share) ** 3 * a
            + 3 * (1 - share) ** 2 * share * b
            + 3 * (1 - share) * share**2 * c
            + share**3 * d
        )
    return (np.concatenate(parts) - 0.5) * max(width, height) + np.array([width, height]) / 2


def filled(polygons: list[Doubles], width: int, height: int) -> NDArray[np.bool_]:
    """(H, W) from the bottom up: pixels whose centre lies inside an odd number of outlines."""
    inside = np.zeros((height, width), bool)
    columns = np.arange(width) + 0.5
    for polygon in polygons:
        x0, y0 = polygon.T
        x1, y1 = np.roll(polygon, -1, 0).T
        for row in range(max(0, int(y0.min())), min(height, int(y0.max()) + 1)):
            y = row + 0.5
            crosses = (y0 <= y) != (y1 <= y)
            at = x0[crosses] + (y - y0[crosses]) / (y1[crosses] - y0[crosses]) * (
                x1[crosses] - x0[crosses]
            )
            inside[row] ^= (at[:, None] > columns).sum(0) % 2 == 1
    return inside


def write(path: Path, inside: NDArray[np.bool_], hidden: NDArray[np.bool_]) -> None:
    """White is the object, gray what stands before it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = inside.shape
    image = bpy.data.images.new("mask", width, height, is_data=True)
    try:
        pixels = np.ones((height, width, 4), np.float32)
        pixels[..., :3] = np.where(hidden, GRAY, inside)[..., None]
        image.pixels.foreach_set(pixels.ravel())
        image.filepath_raw, image.file_format = str(path), "PNG"
        image.save()
    finally:
        bpy.data.images.remove(image)
