"""Regions of a picture as square crops for an image encoder: the region alone on grey, and the
region in its place.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from ...geometry.arrays import Ints32, Pixels

GREY = 128


@dataclass(frozen=True)
class CropConfig:
    """Shares are of the region's longer side."""

    margin: float = 0.15  # around the region alone
    context: float = 0.5  # around the region in its place


def _square(image: Pixels, box: tuple[int, int, int, int], margin: float, side: int) -> Pixels:
    """The box (left, top, right, bottom) with a margin, made square and scaled to `side`; grey
    beyond the picture.
    """
    left, top, right, bottom = box
    half = max(right - left, bottom - top) * (0.5 + margin)
    x, y = (left + right) / 2 - half, (top + bottom) / 2 - half
    scale = side / (2 * half)
    matrix = np.array([[scale, 0, (0.5 - x) * scale - 0.5], [0, scale, (0.5 - y) * scale - 0.5]])
    small = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    if small == cv2.INTER_AREA:  # warpAffine knows no area average: shrink first
        shrunk = cv2.resize(image, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA)
        matrix = np.array([[0.5, 0, matrix[0, 2]], [0, 0.5, matrix[1, 2]]])
        image = np.asarray(shrunk, np.uint8)
    flags, border = cv2.INTER_LINEAR, (GREY, GREY, GREY)
    square = cv2.warpAffine(
        image, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=border
    )
    return np.asarray(square, np.uint8)


def crop_regions(
    image: Pixels, regions: Ints32, count: int, side: int, config: CropConfig = CropConfig()
) -> tuple[Pixels, Pixels]:
    """(count, side, side, 3) twice: each region alone on grey, and in its place. Regions (H, W)
    that are empty give grey.
    """
    alone = np.full((count, side, side, 3), GREY, np.uint8)
    placed = alone.copy()
    for region in range(count):
        mask = regions == region
        columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        if not len(rows):
            continue
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        alone[region] = _square(
            np.where(mask[..., None], image, GREY).astype(np.uint8), box, config.margin, side
        )
        placed[region] = _square(image, box, config.context, side)
    return alone, placed
