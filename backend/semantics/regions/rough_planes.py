"""Bumps and dents of planes: what lies off a plane, but shows in gaps of it in the pictures, is as
rough a surface as splats make, and no thing that stands before it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from ...geometry.arrays import Doubles, Flags, Ints32
from .fused_surface import FusedSurface
from .surface_planes import fitted


@dataclass(frozen=True, kw_only=True)
class RoughConfig:
    """Chosen on ideal rooms 0 and 1, where 3 and 4 do as well as 5 and 6, and 10 does no better."""

    gap: int = 5  # pixels from both sides of a gap that is closed (half its width)
    reach: float = 6.0  # widths of voxels from the plane
    mostly: float = 0.5  # of a voxel's pixels that must lie in gaps


def with_rough_parts(
    surface: FusedSurface, planes: Ints32, config: RoughConfig = RoughConfig()
) -> Ints32:
    """Planes (V,) with those voxels that were on none and lie in gaps of one."""
    count = int(planes.max(initial=-1)) + 1
    if not count:
        return planes
    inside, seen = _in_gaps(surface, planes, count, config.gap)
    assigned = planes.copy()
    near = inside.argmax(1)
    for number in range(count):
        plane = fitted(surface.points[planes == number])
        rough = (planes < 0) & (near == number)
        rough &= inside[:, number] > config.mostly * np.maximum(seen, 1)
        which = np.flatnonzero(rough)
        assigned[which[plane.distances(surface, which) < config.reach]] = number
    return assigned


def _in_gaps(
    surface: FusedSurface, planes: Ints32, count: int, gap: int
) -> tuple[Doubles, Doubles]:
    """(V, count) in how many pixels each voxel lies in a gap of each plane, and (V,) in how many it
    is seen.
    """
    inside = np.zeros((len(planes), count))
    seen = np.zeros(len(planes))
    for shown in surface.maps:
        known = shown >= 0
        seen += np.bincount(shown[known], minlength=len(seen))
        drawn = np.where(known, planes[shown], -1)
        for number in np.unique(drawn[drawn >= 0]).tolist():
            inner = _closed(drawn == number, gap) & known & (drawn < 0)
            inside[:, number] += np.bincount(shown[inner], minlength=len(seen))
    return inside, seen


def _closed(mask: Flags, gap: int) -> Flags:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * gap + 1, 2 * gap + 1))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0)
