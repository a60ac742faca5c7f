"""Regions by a segmenter: connected pixels of one class, small crumbs left out."""

from dataclasses import dataclass

import cv2
import numpy as np

from ...geometry.arrays import Ints32, Pixels
from ...networks.segmenter import Segmenter


@dataclass(frozen=True)
class SegmentsConfig:
    """What a region has to be."""

    smallest: float = 1e-3  # of the picture


def segment_regions(
    segmenter: Segmenter, image: Pixels, config: SegmentsConfig = SegmentsConfig()
) -> tuple[Ints32, int]:
    """Regions (H, W) of a picture (H, W, 3), -1: none, and their number, the largest first. What no
    class fits, which is a class of its own, is a region too: the rest of the room.
    """
    classes = segmenter.classes(image)
    regions, sizes = np.full(classes.shape, -1, np.int32), list[int]()
    for number in np.unique(classes).tolist():
        count, parts, told, _ = cv2.connectedComponentsWithStats(
            (classes == number).astype(np.uint8), connectivity=4
        )
        for part in range(1, count):
            size = int(told[part, cv2.CC_STAT_AREA])
            if size >= config.smallest * classes.size:
                regions[parts == part] = len(sizes)
                sizes.append(size)
    order = np.argsort(-np.array(sizes, np.int64), kind="stable")
    rank = np.full(len(sizes) + 1, -1, np.int32)
    rank[order] = np.arange(len(sizes), dtype=np.int32)
    return rank[regions], len(sizes)
