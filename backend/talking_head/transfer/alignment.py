"""A template brought to a head by a similarity: by landmarks (Umeyama 1991), or, where none are
marked and the head looks forward, by the outline of its front.
"""

from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Doubles, Ints
from ...protocol import InputError
from .closest import SurfaceIndex


@dataclass(frozen=True)
class Similarity:
    """points -> scale * rotation @ points + shift."""

    scale: float
    rotation: Doubles  # (3, 3)
    shift: Doubles  # (3,)

    def apply(self, points: Doubles) -> Doubles:
        """Of points (..., 3)."""
        return np.asarray(self.scale * points @ self.rotation.T + self.shift)


def similarity(start: Doubles, end: Doubles, weights: Doubles | None = None) -> Similarity:
    """The one that brings points (N, 3) nearest to others in the least squares' sense, never
    mirrored.
    """
    w = np.ones(len(start)) if weights is None else weights
    w = w / w.sum()
    a, b = (w[:, None] * start).sum(0), (w[:, None] * end).sum(0)
    covariance = ((end - b) * w[:, None]).T @ (start - a)
    left, sizes, right = np.linalg.svd(covariance)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    rotation = (left * signs) @ right
    spread = float((w[:, None] * (start - a) ** 2).sum())
    scale = float((sizes * signs).sum() / max(spread, 1e-30))
    return Similarity(scale, rotation, b - scale * rotation @ a)


FIRST_SIZES = (
    1.2,
    1.0,
    0.8,
    0.62,
    0.5,
    0.38,
    0.28,
    0.2,
    0.15,
)  # of a template's height to the whole mesh's
ROUNDS, KEPT, SCALE = (
    30,
    0.7,
    1.35,
)  # of the search; nearest points that count; how far sizes may go from the first
POINTS = 500  # of the template


def align_by_front(
    template: Doubles, normals: Doubles, vertices: Doubles, triangles: Ints
) -> Similarity:
    """Brings template points (N, 3) with normals to a head (V, 3) that looks along z, upright,
    whatever hangs below it: from several sizes under the highest point, by iterated closest points
    of which the worst are left out.
    """
    low, high = vertices.min(0), vertices.max(0)
    height = float(high[1] - low[1])
    chosen = np.linspace(0, len(template) - 1, min(POINTS, len(template))).astype(int)
    points, facing = template[chosen], normals[chosen]
    size = float(np.ptp(template[:, 1]))
    best, least = None, np.inf
    for share in FIRST_SIZES:
        scale = share * height / size
        upper = vertices[vertices[:, 1] > high[1] - share * height]
        corner = np.array([np.median(upper[:, 0]), high[1], upper[:, 2].max()])
        own = np.array([0.0, template[:, 1].max(), template[:, 2].max()])
        first = Similarity(scale, np.eye(3), corner - scale * own)
        index = SurfaceIndex(vertices / scale, triangles)
        now, away = _closest_points(points, facing, index, first, scale)
        if away < least:
            best, least = now, away
    if best is None or least > FAR:
        raise InputError(
            "No face that looks forward was recognised.",
            "Mark the corners of eyes and mouth, the nose and the chin by hand, and press again.",
        )
    return best


FAR = 0.13  # eye distances between template and head: more is no face


def _closest_points(
    points: Doubles, facing: Doubles, index: SurfaceIndex, first: Similarity, unit: float
) -> tuple[Similarity, float]:
    """Where the search ends, and how far the nearest points are from their counterparts there in
    the mean.
    """
    now = first
    for _ in range(ROUNDS):
        places = index.nearest(now.apply(points) / unit, facing @ now.rotation.T)
        away = places.distances + (1 - (places.normals * (facing @ now.rotation.T)).sum(1))
        kept = away <= np.quantile(away, KEPT)
        now = similarity(points[kept], places.points[kept] * unit)
        if not first.scale / SCALE < now.scale < first.scale * SCALE:
            return now, np.inf
    return now, float(away[kept].mean())
