"""Edges of a mask as soft as the picture's: the guided filter (He et al. 2013), by its grey."""

import cv2
import numpy as np

from ...geometry.arrays import Floats, Pixels


def guided(image: Pixels, mask: Floats, radius: int, smooth: float) -> Floats:
    """(h, w) a mask (h, w) whose edges follow the picture's (h, w, 3)."""
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, size), np.float32)

    middle, level = mean(guide), mean(mask)
    slope = (mean(guide * mask) - middle * level) / (mean(guide**2) - middle**2 + smooth)
    shift = level - slope * middle
    return np.asarray((mean(slope) * guide + mean(shift)).clip(0, 1), np.float32)
