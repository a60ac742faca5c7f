"""How wide a person's neck and shoulders are, told by the mattes."""

from dataclasses import replace

import numpy as np

from ...geometry.arrays import Floats
from ..rigs.drawing import PortraitCamera
from .body import DROPS, Bust

FIRST = 2  # rings above hang on to the neck
NARROW = 0.8  # of the neck: no shoulder is narrower


def fitted_bust(
    bust: Bust, mattes: list[Floats], views: list[PortraitCamera], turns: list[Floats]
) -> Bust:
    """With half widths of the rings that the pictures show; rings below keep the last one's.

    `turns` (3, 3) carry the shoulders' axes, which turn about the neck's joint, into each frame's
    rig axes.
    """
    joint = bust.anatomy.joint
    middles = np.stack([np.zeros(len(DROPS)), bust.heights, np.full(len(DROPS), joint[2])], 1)
    seen_widths = np.full((len(mattes), len(DROPS)), np.nan)
    for row, matte, view, turn in zip(seen_widths, mattes, views, turns, strict=True):
        seen = view.project(((middles - joint) @ turn.T + joint).astype(np.float32))
        for ring, (x, y, depth) in enumerate(seen):
            row[ring] = _half_width(matte, x, y) * depth / view.focal
    known = np.isfinite(seen_widths).sum(0) >= max(1, len(mattes) // 5)
    known[:FIRST] = False
    widths = bust.widths.copy()
    last = 1.0
    for ring in range(FIRST, len(DROPS)):
        if known[ring]:
            width = float(np.nanmedian(seen_widths[:, ring]))
            width = min(max(width, NARROW * bust.anatomy.neck[0]), 1.6 * float(bust.widths[-1]))
            last = width / float(bust.widths[ring])
            widths[ring] = width
        else:
            widths[ring] = bust.widths[ring] * last
    widths[FIRST:] = np.maximum.accumulate(widths[FIRST:])
    return replace(bust, widths=np.asarray(widths, np.float32))


def _half_width(matte: Floats, x: float, y: float) -> float:
    """Pixels from left to right of the person in the row of a point, halved; NaN where the row is
    not in the picture, or the person leaves it on both sides.
    """
    height, width = matte.shape
    row, column = int(np.floor(y)), int(np.floor(x))
    if not (0 <= row < height - 1 and 0 <= column < width) or matte[row, column] < 0.5:
        return float("nan")
    there = matte[row] > 0.5
    left = (
        column - int((~there[: column + 1][::-1]).argmax()) if not there[: column + 1].all() else -1
    )
    right = column + int((~there[column:]).argmax()) if not there[column:].all() else width
    if left < 0 and right >= width:
        return float("nan")
    if left < 0:
        return right - x
    return x - left if right >= width else (right - left) / 2
