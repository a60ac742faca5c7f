"""A matte's edge by the colours on both sides of it: where a pixel lies between what is surely the
person and what is surely not. A small matte made large is a little too wide here and too narrow
there, and what it takes in of a light wall is seen as a halo before a dark one.
"""

import cv2
import numpy as np

from ...geometry.arrays import Flags, Floats, Pixels

WINDOW = 3  # radii in which the colours of either side are looked for
ALIKE = 0.06  # sRGB: sides that differ by no more tell nothing


def by_colors(image: Pixels, matte: Floats, radius: int) -> Floats:
    """(h, w) 0..1 of a matte (h, w) whose edge may be off by `radius` pixels of image (h, w, 3)."""
    kernel = np.ones((2 * radius + 1,) * 2, np.uint8)
    there = (matte > 0.5).astype(np.uint8)
    inside = cv2.erode(there, kernel, borderValue=1)
    outside = 1 - cv2.dilate(there, kernel, borderValue=0)
    colors = np.asarray(image / 255, np.float32)
    (own, have_own), (other, have_other) = (
        _around(colors, np.asarray(side, np.float32), WINDOW * radius) for side in (inside, outside)
    )
    apart = own - other
    square = (apart**2).sum(-1)
    share = ((colors - other) * apart).sum(-1) / np.maximum(square, 1e-6)
    trust = square / (square + 3 * ALIKE**2)
    mixed = trust * share.clip(0, 1) + (1 - trust) * matte
    edge = (inside == 0) & (outside == 0) & have_own & have_other
    return np.asarray(np.where(edge, mixed, matte), np.float32)


def _around(colors: Floats, where: Floats, reach: int) -> tuple[Floats, Flags]:
    """(h, w, 3) the mean colour of what lies near by `where` (h, w) says, and whether any does."""
    size = (2 * reach + 1, 2 * reach + 1)
    share = cv2.blur(where, size)
    mean = cv2.blur(colors * where[..., None], size) / np.maximum(share, 1e-6)[..., None]
    return np.asarray(mean, np.float32), np.asarray(share > 1e-4)
