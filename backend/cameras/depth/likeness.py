"""How alike a picture and its neighbours are where a depth map says that they show the same: zero
mean normalised cross-correlation over small windows.

Each neighbour is drawn into the picture as the whole depth map asks, so a window follows the slope
of what it shows. Only cv2 and numpy, which let other threads run meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ...geometry.arrays import Doubles, Flags, Floats

NEVER = -1.0  # the likeness of what lies outside a neighbour's picture
NEAREST = 1e-4
THREE = np.ones((1, 3), np.float32)


@dataclass(frozen=True, kw_only=True)
class Posed:
    """A picture with its camera."""

    color: Floats  # (h, w, 3) 0..1
    K: Doubles  # (3, 3) pixels
    viewmat: Doubles  # (4, 4) OpenCV

    def half(self) -> "Posed":
        """At half the size."""
        height, width = self.color.shape[:2]
        small = cv2.resize(
            self.color, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA
        )
        scale = np.diag([small.shape[1] / width, small.shape[0] / height, 1.0])
        return Posed(color=small.astype(np.float32), K=scale @ self.K, viewmat=self.viewmat)


@dataclass(frozen=True)
class Neighbor:
    """`far` (3, h, w) times depth plus `shift` (3,) is a pixel's point in the neighbour's K."""

    color: Floats
    far: Floats
    shift: Floats

    def drawn(self, depth: Floats) -> tuple[Floats, Flags]:
        """Its colours (h, w, 3) where the pixels of a depth map (h, w) fall, and which of them
        fall outside.
        """
        height, width = self.color.shape[:2]
        x, y, z = (self.far[axis] * depth + self.shift[axis] for axis in range(3))
        behind = z < NEAREST
        np.maximum(z, NEAREST, out=z)
        x, y = x / z - 0.5, y / z - 0.5
        outside = behind | (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)
        warped = cv2.remap(self.color, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.float32), outside


def make_neighbor(view: Posed, other: Posed) -> Neighbor:
    """What is needed to draw `other` into `view`."""
    height, width = view.color.shape[:2]
    v, u = np.mgrid[0:height, 0:width] + 0.5
    rays = np.stack([(u - view.K[0, 2]) / view.K[0, 0], (v - view.K[1, 2]) / view.K[1, 1]])
    rays = np.concatenate([rays, np.ones((1, height, width))])
    relative = other.viewmat @ np.linalg.inv(view.viewmat)
    turned = np.tensordot(other.K @ relative[:3, :3], rays, 1)
    return Neighbor(
        other.color, turned.astype(np.float32), (other.K @ relative[:3, 3]).astype(np.float32)
    )


class Likeness:
    """Of one picture with its neighbours, over square windows of `window` pixels. `floor` is added
    to variances, so that what differs by rounding alone is like nothing; the best `kept` of the
    neighbours count, for what hides a place from some does not from all.
    """

    def __init__(
        self, view: Posed, others: Sequence[Posed], window: int, kept: int, floor: float
    ) -> None:
        self.neighbors = [make_neighbor(view, other) for other in others]
        self.window, self.kept, self.floor = window, min(kept, len(self.neighbors)), floor
        self.color, self.mean = view.color, self._box(view.color)
        self.variance = self._spread(view.color, view.color, self.mean, self.mean) + floor

    def _box(self, values: Floats) -> Floats:
        size = (self.window, self.window)
        return np.asarray(
            cv2.boxFilter(values, -1, size, borderType=cv2.BORDER_REPLICATE), np.float32
        )

    def _spread(self, one: Floats, two: Floats, mean: Floats, other_mean: Floats) -> Floats:
        """(h, w) covariance over the windows, summed over the colours."""
        covariance = self._box(one * two) - mean * other_mean
        return np.asarray(cv2.transform(covariance, THREE), np.float32)

    def _with(self, neighbor: Neighbor, depth: Floats) -> Floats:
        warped, outside = neighbor.drawn(depth)
        mean = self._box(warped)
        variance = self._spread(warped, warped, mean, mean) + self.floor
        alike = self._spread(self.color, warped, self.mean, mean) / np.sqrt(
            np.maximum(variance * self.variance, 1e-12)
        )
        alike[outside] = NEVER
        return np.asarray(alike, np.float32)

    def of(self, depth: Floats) -> Floats:
        """(h, w) for a depth map (h, w): -1 to 1."""
        each = np.stack([self._with(neighbor, depth) for neighbor in self.neighbors])
        dropped = len(self.neighbors) - self.kept
        if dropped:
            each.partition(dropped, axis=0)
        return np.asarray(each[dropped:].mean(0), np.float32)
