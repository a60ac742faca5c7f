"""Where clothes begin on the neck: a collar goes all around, and must not colour the nape."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ...geometry.arrays import Doubles, Floats
from .anatomy import Anatomy
from .paint import HeadRegion

CLUSTERS = 6  # colours of the face, and of what is worn
APART = 12.0  # CIELAB units between them, or what is worn is no other colour than skin
LIGHTNESS = 0.5  # of the weight of hue: a neck lies in the chin's shadow
FEW = 12  # vertices that must be seen of each


def with_collar(
    region: NDArray[np.int64], rows: Floats, rest: Floats, anatomy: Anatomy
) -> NDArray[np.int64]:
    """(V,) HeadRegion with BODY for what is worn on the neck, by what each of F frames shows of
    the vertices (F, V, 3), NaN where nothing: vertices that are seen by their own colours, all
    others by how high those of either kind reach.
    """
    shown = np.isfinite(rows[:, :, 0]).any(0)
    if not shown.any():
        return region
    lab = np.zeros((len(rest), 3), np.float32)
    lab[shown] = _lab(np.nanmedian(rows[:, shown], 0).astype(np.float32))
    height = anatomy.height(rest)
    face = shown & (region == HeadRegion.SKIN) & (height > 1)
    worn = shown & (region == HeadRegion.BODY)
    neck = (region == HeadRegion.SKIN) & (height < 0)
    seen = neck & shown
    if min(face.sum(), worn.sum(), seen.sum()) < FEW:
        return region
    skin, clothes = _clusters(lab[face]), _clusters(lab[worn])
    clothes = clothes[_nearest(clothes, skin) > APART]  # a bare throat is no collar
    if not len(clothes):
        return region
    dressed = seen & (_nearest(lab, clothes) < _nearest(lab, skin))
    if dressed.sum() < FEW:
        return region
    below = neck & ~shown & (height < _border(height[seen], dressed[seen]))
    return np.where(dressed | below, int(HeadRegion.BODY), region)


def _border(height: Floats, dressed: NDArray[np.bool_]) -> float:
    """The height that best parts what is dressed, below, from what is bare."""
    order = np.argsort(height)
    wrong = np.concatenate([[0], np.cumsum(np.where(dressed[order], -1, 1))])
    heights = np.append(height[order], np.inf)
    return float(heights[int(wrong.argmin())])


def _lab(colors: Floats) -> Floats:
    """(N, 3) of sRGB 0..1."""
    lab = cv2.cvtColor(colors.reshape(-1, 1, 3), cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return np.asarray(lab * [LIGHTNESS, 1, 1], np.float32)


def _clusters(values: Floats) -> Floats:
    """(C, 3) their middles."""
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.1)
    count = min(CLUSTERS, len(values))
    labels = np.zeros((len(values), 1), np.int32)
    return np.asarray(
        cv2.kmeans(values, count, labels, stop, 2, cv2.KMEANS_PP_CENTERS)[2], np.float32
    )


def _nearest(values: Floats, middles: Floats) -> Doubles:
    return np.asarray(np.linalg.norm(values[:, None] - middles, axis=2).min(1), np.float64)
