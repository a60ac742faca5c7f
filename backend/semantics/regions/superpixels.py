"""Superpixels of a picture, merged by what the scene's pieces say: outlines from the photograph,
objects from 3D.

Drawn pieces are as soft as the Gaussians they are made of. A superpixel keeps to the edges of the
picture; all those that lie mostly in one piece make one region.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Ints32

SPACING = 6  # pixels between the seeds
# of a superpixel's pixels in one piece; else its pixels stay with the pieces that they are in
MOSTLY = 0.5


def superpixels(image: NDArray[np.uint8], spacing: int = SPACING) -> Ints32:
    """(H, W) numbers from 0: basins of the picture's gradient around seeds on a grid (a watershed,
    Meyer 1992).
    """
    height, width = image.shape[:2]
    smooth = cv2.GaussianBlur(image, (0, 0), 0.8)
    slopes = [cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1))]
    steep = np.abs(slopes[0]).max(2) + np.abs(slopes[1]).max(2)
    seeds = np.zeros((height, width), np.int32)
    rows, columns = (
        np.arange(spacing // 2, height, spacing),
        np.arange(spacing // 2, width, spacing),
    )
    for number, (r, c) in enumerate((r, c) for r in rows for c in columns):
        top, left = max(r - 2, 0), max(c - 2, 0)
        window = steep[top : r + 3, left : c + 3]  # a seed must not lie on an edge
        down, right = divmod(int(window.argmin()), window.shape[1])
        seeds[top + down, left + right] = number + 1
    basins = cv2.watershed(np.ascontiguousarray(smooth), seeds)
    return without_lines(np.asarray(basins, np.int32)) - 1


def without_lines(labels: Ints32) -> Ints32:
    """Pixels on the lines between basins, which are -1, go to a neighbour."""
    for _ in range(4):
        grown = cv2.dilate(labels.astype(np.float32), np.ones((3, 3))).astype(np.int32)
        labels = np.where(labels > 0, labels, grown)
    return np.maximum(labels, 1).astype(np.int32)


def snapped(regions: Ints32, image: NDArray[np.uint8], spacing: int = SPACING) -> Ints32:
    """Regions (H, W), -1: none, moved to the edges of the picture (H, W, 3)."""
    basins, count = superpixels(image, spacing), int(regions.max(initial=-1)) + 2
    table = np.bincount(
        (basins * count + regions + 1).ravel(), minlength=(int(basins.max()) + 1) * count
    ).reshape(-1, count)
    best = table.argmax(1)
    sure = table.max(1) > MOSTLY * table.sum(1)
    return np.where(sure[basins], best[basins] - 1, regions).astype(np.int32)
