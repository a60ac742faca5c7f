"""The colours that splats have in the viewport: their own, their objects', or how well words fit;
the selection over it. No bpy.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....backend.geometry.heat_colors import heat
from ..splats import radiance


@dataclass(frozen=True)
class Look:
    """What lies over the splats' own colours. Absent is None."""

    selected: NDArray[np.bool_] | None = None  # (N,)
    hidden: NDArray[np.bool_] | None = None  # (N,)
    objects: NDArray[np.float32] | None = None  # (N, 3) sRGB of the object that each splat is of
    fit: NDArray[np.float32] | None = None  # (N,) 0 to 1


def to_srgb(linear: tuple[float, ...]) -> tuple[float, ...]:
    """A colour as Blender's swatches hold it, as splats and screens do. (mathutils' own needs a
    window's colour management.)
    """
    return tuple(12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in linear)


def displayed(rgb: NDArray[np.float32], look: Look) -> NDArray[np.float32]:
    """(N, 4): sRGB colours as they are shown, and 0 where a splat is not shown at all, else 1. rgb
    (N, 3).
    """
    result = np.ones((len(rgb), 4), np.float32)
    result[:, :3] = rgb.clip(0, None)
    over = heat(look.fit) if look.fit is not None else look.objects
    if over is not None:
        result[:, :3] = radiance.laid_over(result[:, :3], over, radiance.TINTED)
    if look.selected is not None and look.selected.any():
        mine = look.selected
        result[mine, :3] = radiance.laid_over(
            result[mine, :3], radiance.SELECTION, radiance.SELECTED
        )
    if look.hidden is not None:
        result[look.hidden, 3] = 0
    return result
