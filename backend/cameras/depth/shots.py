"""Frames at the size of depth maps."""

from dataclasses import dataclass

import cv2
import numpy as np

from ...formats.capture import Frame
from ...geometry.arrays import Doubles, Pixels
from ...geometry.conventions import to_viewmat
from ...media.tracks.follow import even_light
from ..footage.images import read_image
from .likeness import Posed


@dataclass(frozen=True)
class Shot:
    """A frame at the depth maps' size."""

    color: Pixels  # (h, w, 3)
    gray: Pixels
    K: Doubles
    viewmat: Doubles  # (4, 4) OpenCV

    @property
    def posed(self) -> Posed:
        """For stereo."""
        return Posed(color=np.float32(1 / 255) * self.color, K=self.K, viewmat=self.viewmat)


def scaled_K(frame: Frame, size: tuple[int, int]) -> Doubles:
    """(3, 3) K for pictures of `size` (width, height)."""
    sx, sy = size[0] / frame.width, size[1] / frame.height
    return np.diag([sx, sy, 1.0]) @ frame.K


def load_shot(frame: Frame, size: tuple[int, int]) -> Shot:
    """At `size` (width, height), whatever its shape: flow wants pictures of one size."""
    color = np.asarray(
        cv2.resize(read_image(frame.image, color=True), size, interpolation=cv2.INTER_AREA),
        np.uint8,
    )
    gray = even_light(np.asarray(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), np.uint8))
    return Shot(color, gray, scaled_K(frame, size), to_viewmat(frame.camera_to_world))
