"""A turned square of a picture: what a network is shown of a face."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Pixels


@dataclass(frozen=True)
class Region:
    """Pixels of the picture; `angle` in radians, clockwise as seen, of the square's upper side."""

    x: float  # of the centre
    y: float
    size: float
    angle: float

    def matrix(self, side: int) -> NDArray[np.float64]:
        """(2, 3): from pixels of the square, drawn with `side` pixels, to pixels of the picture."""
        cos, sin, scale = np.cos(self.angle), np.sin(self.angle), self.size / side
        linear = np.array([[cos, -sin], [sin, cos]]) * scale
        return np.column_stack([linear, np.array([self.x, self.y]) - linear @ np.full(2, side / 2)])

    def cut(self, image: Pixels, side: int) -> Pixels:
        """(side, side, 3); beyond the picture its border goes on. Strong reductions go through a
        smaller picture first.
        """
        matrix = self.matrix(side)
        step = int(self.size / side / 1.5)
        if step > 1:
            height, width = (max(1, n // step) for n in image.shape[:2])
            image = np.asarray(
                cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8
            )
            matrix = matrix / step
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(
                image, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE
            ),
            np.uint8,
        )

    @staticmethod
    def around(points: NDArray[np.float32], left: int, right: int) -> "Region":
        """The square around points (N, 2), half as large again, whose upper side runs as from point
        `left` to point `right`.
        """
        along = points[right] - points[left]
        angle = float(np.arctan2(along[1], along[0]))
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        upright = points @ turn
        low, high = upright.min(0), upright.max(0)
        center = turn @ ((low + high) / 2)
        return Region(float(center[0]), float(center[1]), 1.5 * float((high - low).max()), angle)
