"""Outlines of patches in pictures: what stands before what, and what lies beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ...geometry.arrays import Doubles, Floats, Ints, Ints32
from .fused_surface import FusedSurface

GAP = 5.0  # pixels that an outline may be blurred over
STEP = 3.0  # widths of voxels from which on one pixel stands before the other


@dataclass(frozen=True)
class PatchOutlines:
    """Pairs of patches (M, 2) whose pixels are beside each other, and how many pixels (M,)."""

    before: tuple[Ints, Doubles]  # the first stands before the second
    beside: tuple[Ints, Doubles]  # both are about as far, the lower number first
    blank: Doubles  # (P,) pixels beside what is not known


def outlines(surface: FusedSurface, patches: Ints32, depths: Sequence[Floats]) -> PatchOutlines:
    """Of patches (V,) in the views that a surface was seen in, whose depths are (H, W)."""
    count = int(patches.max(initial=-1)) + 1
    blank, before, beside = np.zeros(count), list[Ints](), list[Ints]()
    for view, far in zip(surface.maps, depths, strict=True):
        shown, depth = _closed(view, far)
        for one, two in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
            a, b = shown[one], shown[two]
            for rim in (a[(a >= 0) & (b < 0)], b[(b >= 0) & (a < 0)]):
                blank += np.bincount(patches[rim], minlength=count)
            both = (a >= 0) & (b >= 0) & (patches[a] != patches[b])
            a, b, step = a[both], b[both], (depth[two] - depth[one])[both]
            jump = np.abs(step) > STEP * np.maximum(surface.widths[a], surface.widths[b])
            p, q = patches[a].astype(np.int64), patches[b].astype(np.int64)
            before.append((np.where(step > 0, p, q) * count + np.where(step > 0, q, p))[jump])
            beside.append((np.minimum(p, q) * count + np.maximum(p, q))[~jump])
    return PatchOutlines(_counted(before, count), _counted(beside, count), blank)


def _counted(keys: list[Ints], count: int) -> tuple[Ints, Doubles]:
    numbers, pixels = np.unique(np.concatenate([*keys, np.zeros(0, np.int64)]), return_counts=True)
    return np.stack(np.divmod(numbers, max(count, 1)), 1), pixels.astype(np.float64)


def _closed(shown: Ints32, depth: Floats) -> tuple[Ints32, Floats]:
    """Voxels and depths (H, W), with narrow gaps of what is not known filled from what is nearest:
    outlines of what stands before something are blurred.
    """
    if not (shown >= 0).any():
        return shown, depth
    far, nearest = cv2.distanceTransformWithLabels(
        (shown < 0).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    at = np.zeros(int(nearest.max()) + 1, np.int64)
    known = np.flatnonzero(shown >= 0)
    at[nearest.ravel()[known]] = known
    filled = np.where(far <= GAP, shown.ravel()[at[nearest]], -1).astype(np.int32)
    return filled, depth.ravel()[at[nearest]]
