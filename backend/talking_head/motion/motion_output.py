"""What both verbs leave: keys for Blender, a table for game engines, a picture of the curves."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...formats import live_link_csv, motion_file
from ...formats.motion_file import Motion
from ...geometry.arrays import Floats
from .keys import curves_of

WIDTH, LANE, SHOWN = (
    960,
    44,
    (
        "jawOpen",
        "mouthPucker",
        "mouthSmileLeft",
        "mouthPressLeft",
        "eyeBlinkLeft",
        "browInnerUp",
        "headYaw",
    ),
)


def frame_times(seconds: float, fps: float) -> NDArray[np.float64]:
    """(T,) of whole frames from 0 to the end: from their number, so that nothing adds up."""
    return np.arange(int(np.ceil(seconds * fps)) + 1) / fps


def write_motion(
    folder: Path, fps: float, names: list[str], values: Floats, tolerance: float, source: str
) -> int:
    """Of values (T, K), one row a frame. How many keys it took."""
    curves = curves_of(names, values, tolerance)
    motion_file.write(
        folder / motion_file.NAME, Motion(fps, float(len(values) - 1), curves, source)
    )
    live_link_csv.write(folder / "live_link.csv", fps, names, values)
    _image(names, values, fps).save(folder / "curves.png")
    return sum(len(curve.frames) for curve in curves)


def _image(names: list[str], values: Floats, fps: float) -> Image.Image:
    """One lane a coefficient, from its least to its most."""
    lanes = [name for name in SHOWN if name in names]
    image = Image.new("RGB", (WIDTH, LANE * len(lanes) + 18), (29, 29, 29))
    draw = ImageDraw.Draw(image)
    for lane, name in enumerate(lanes):
        column = values[:, names.index(name)]
        low, high = min(0.0, float(column.min())), max(float(column.max()), 0.1)
        y = LANE * (lane + 1) - 6 - (column - low) / (high - low) * (LANE - 14)
        x = np.linspace(0, WIDTH - 1, len(column))
        draw.line(
            list(zip(x.tolist(), y.tolist(), strict=True)) or [(0, 0)], fill=(90, 170, 230), width=2
        )
        draw.text((4, LANE * lane + 2), f"{name}  {high:.2f}", fill=(200, 200, 200))
    for second in range(0, int(len(values) / fps) + 1, max(1, int(len(values) / fps / 10))):
        draw.text(
            (second * fps / max(len(values), 1) * WIDTH, LANE * len(lanes) + 3),
            f"{second} s",
            fill=(150, 150, 150),
        )
    return image
