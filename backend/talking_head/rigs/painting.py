"""Colours of a face for a rig that has none: lips, brows and lash lines, told by where the
tracker's points lie.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Floats
from ..tracking.face_mesh import BROWS, LIDS, OUTER_LIPS_RING
from .drawing import COLORS
from .rig import Part, Rig

Color = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Paint:
    """sRGB 0..1"""

    skin: Color = COLORS[Part.SKIN]
    lips: Color = (0.68, 0.36, 0.35)
    brows: Color = (0.3, 0.2, 0.15)
    iris: Color = COLORS[Part.IRIS]
    lash: float = 0.12  # centimetres around the lids' rims


def painted(rig: Rig, points: NDArray[np.int64], paint: Paint = Paint()) -> Floats:
    """(V, 3) of a rig whose vertices `points` (478,) are the tracker's points."""
    table = np.array([COLORS[part] for part in Part], np.float32)
    table[Part.SKIN], table[Part.IRIS] = paint.skin, paint.iris
    colors = table[rig.vertex_parts]
    skin = (rig.vertex_parts == Part.SKIN) & (
        rig.neutral[:, 2] > rig.neutral[points[:468], 2].min()
    )
    for ring, color in ((OUTER_LIPS_RING, paint.lips), *((brow, paint.brows) for brow in BROWS)):
        inside = _inside(rig.neutral[:, :2], rig.neutral[points[list(ring)], :2]) & skin
        colors[inside] = color
    rims = rig.neutral[points[list(LIDS)]]
    near = np.full(len(colors), np.inf)
    near[skin] = np.min([np.linalg.norm(rig.neutral[skin] - rim, axis=1) for rim in rims], 0)
    colors[near < paint.lash] *= 0.4
    return colors


def _inside(points: Floats, ring: Floats) -> NDArray[np.bool_]:
    """(V,) of points (V, 2) as seen from the front."""
    contour = ring.astype(np.float32).reshape(-1, 1, 2)
    low, high = ring.min(0), ring.max(0)
    inside: NDArray[np.bool_] = ((points >= low) & (points <= high)).all(1)
    inside[inside] = [
        cv2.pointPolygonTest(contour, (float(x), float(y)), False) >= 0 for x, y in points[inside]
    ]
    return inside
