"""What is seen in one picture: its regions, what the teacher takes them for, and which Gaussians
they are made of.
"""

import numpy as np
from numpy.typing import NDArray

from ..gaussians.options import Drawables, RasterView
from ..gaussians.region_weights import label_map
from ..geometry.arrays import Ints32
from .regions.view_regions import ViewRegions, weigh
from .teachers.teacher import Teacher

LEAST_SHARE = 0.3  # of a pixel that something must make up to be seen there
# pixels of the longer side that weights are drawn at, if that is no more than three times the
# view's
FINE = 1000
SMALLEST_REGION = 12  # pixels


def drawn_regions(gaussians: Drawables, view: RasterView, labels: Ints32) -> tuple[Ints32, int]:
    """Labels of Gaussians (N,) as regions (H, W) of a view, -1: none, and their number."""
    count = int(labels.max(initial=-1)) + 1
    regions, share = label_map(gaussians, view, labels, count)
    return np.where(share > LEAST_SHARE, regions, -1).astype(np.int32), count


def without_tiny(regions: Ints32, count: int) -> tuple[Ints32, Ints32]:
    """Regions (H, W) below `count` numbered anew without the tiny ones, and which they were
    (R,).
    """
    kept = np.flatnonzero(np.bincount(regions[regions >= 0], minlength=count) >= SMALLEST_REGION)
    number = np.full(count + 1, -1, np.int32)
    number[kept] = np.arange(len(kept))
    return number[regions], kept.astype(np.int32)


def look(
    gaussians: Drawables,
    view: RasterView,
    image: NDArray[np.uint8] | None,
    regions: tuple[Ints32, int],
    teacher: Teacher | None,
) -> ViewRegions:
    """Regions (H, W) and their number, seen by a teacher, or by nobody, and weighed by the
    Gaussians.
    """
    labels, count = regions
    features = (
        teacher.encode_regions(image, labels, count)
        if teacher and image is not None
        else np.zeros((count, 0), np.float32)
    )
    finer = int(np.clip(FINE // max(view.width, view.height), 1, 3))
    return weigh(gaussians, view, labels, features, finer)
