"""A view of the 3D viewport as the rasteriser takes it, and places in it. No bpy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...backend.protocol import InputError

MOST_SIDE = 1024  # pixels: what a SAM looks at


@dataclass(frozen=True, kw_only=True)
class ClickView:
    """A pinhole: world to camera in OpenCV axes, the lens and the size in pixels, and by how much
    smaller the size is than the region's.
    """

    viewmat: list[float]
    lens: list[float]  # fl_x, fl_y, cx, cy
    size: list[int]  # width, height
    scale: float

    def to_clip(self) -> NDArray[np.float64]:
        """(4, 4) from the world to clip space, y upwards; depth stays what it is."""
        (width, height), (fl_x, fl_y, cx, cy) = self.size, self.lens
        lens = [
            [2 * fl_x / width, 0, 2 * cx / width - 1, 0],
            [0, -2 * fl_y / height, 1 - 2 * cy / height, 0],
            [0, 0, 1, 0],
            [0, 0, 1, 0],
        ]
        return np.array(lens, np.float64) @ np.array(self.viewmat, np.float64).reshape(4, 4)

    def place(self, x: float, y: float, height: int) -> list[float]:
        """A place of a region of that height, counted from its lower left as Blender does."""
        return [x * self.scale, (height - y) * self.scale]


def view_of(
    view_matrix: NDArray[np.float64], window_matrix: NDArray[np.float64], width: int, height: int
) -> ClickView:
    """The region's view: `view_matrix` world to eye (OpenGL axes), `window_matrix` eye to clip
    space. InputError for one without perspective.
    """
    if abs(window_matrix[3, 3]) > 1e-6 or not window_matrix[0, 0] * window_matrix[1, 1]:
        raise InputError(
            "This view has no perspective, which a click needs.",
            "Switch it with View > Perspective/Orthographic.",
        )
    scale = min(1.0, MOST_SIDE / max(width, height))
    size = [max(1, round(width * scale)), max(1, round(height * scale))]
    flipped = np.diag([1.0, -1.0, -1.0, 1.0]) @ view_matrix
    lens = [
        window_matrix[0, 0] * size[0] / 2,
        window_matrix[1, 1] * size[1] / 2,
        size[0] / 2 * (1 - window_matrix[0, 2]),
        size[1] / 2 * (1 + window_matrix[1, 2]),
    ]
    return ClickView(
        viewmat=[float(v) for v in flipped.ravel()],
        lens=[float(v) for v in lens],
        size=size,
        scale=scale,
    )
