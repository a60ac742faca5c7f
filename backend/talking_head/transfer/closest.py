"""The nearest place of a surface that faces the same way: lips that touch are told apart by their
normals.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ...geometry.arrays import Doubles, Flags, Ints

TURN = 0.35  # how far away, in eye distances, a place is put that faces 60 degrees elsewhere
SPACING = 0.06  # of the samples by which triangles are found, in eye distances
TRIED = 6  # triangles that are looked at exactly
MOST_SAMPLES = 400  # of one triangle


@dataclass(frozen=True, kw_only=True)
class SurfacePlaces:
    """Q places on a surface of triangles."""

    triangles: Ints  # (Q,)
    weights: Doubles  # (Q, 3) of the corners
    points: Doubles  # (Q, 3)
    normals: Doubles  # (Q, 3)
    distances: Doubles  # (Q,)


def triangle_normals(vertices: Doubles, triangles: Ints) -> tuple[Doubles, Doubles]:
    """Unit normals (T, 3), zero for triangles without area; and areas (T,)."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    size = np.linalg.norm(cross, axis=1)
    return cross / np.maximum(size, 1e-30)[:, None], size / 2


def vertex_normals(vertices: Doubles, triangles: Ints) -> Doubles:
    """(V, 3) means over the triangles around, by area."""
    normals, areas = triangle_normals(vertices, triangles)
    total = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(total, triangles[:, corner], normals * areas[:, None])
    size = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.maximum(size, 1e-30))


class SurfaceIndex:
    """Finds nearest places on a surface; lengths are in eye distances."""

    def __init__(self, vertices: Doubles, triangles: Ints, turn: float = TURN) -> None:
        self.vertices, self.triangles, self._turn = vertices, triangles, turn
        self.normals, self.areas = triangle_normals(vertices, triangles)
        self.corner_normals = vertex_normals(vertices, triangles)
        self._owner, points = _samples(vertices, triangles)
        self._tree = cKDTree(np.hstack([points, turn * self.normals[self._owner]]))

    def nearest(self, points: Doubles, normals: Doubles | None = None) -> SurfacePlaces:
        """Of points (Q, 3) with normals (Q, 3). Without these, which way it faces doesn't count."""
        if normals is None:
            normals = np.zeros_like(points)
        count = min(TRIED, len(self._owner))
        _, ids = self._tree.query(np.hstack([points, self._turn * normals]), k=count)
        tried = self._owner[np.asarray(ids).reshape(len(points), count)]
        best = np.full(len(points), np.inf)
        chosen, weights = tried[:, 0].copy(), np.zeros((len(points), 3))
        for column in range(count):
            own = tried[:, column]
            shares = nearest_on_triangles(points, self.vertices[self.triangles[own]])
            place = (shares[:, :, None] * self.vertices[self.triangles[own]]).sum(1)
            away = ((place - points) ** 2).sum(1)
            away += self._turn**2 * ((self.normals[own] - normals) ** 2).sum(1)
            closer = away < best
            best[closer], chosen[closer], weights[closer] = (
                away[closer],
                own[closer],
                shares[closer],
            )
        return self._places(points, chosen, weights)

    def _places(self, points: Doubles, chosen: Ints, weights: Doubles) -> SurfacePlaces:
        corners = self.triangles[chosen]
        at = (weights[:, :, None] * self.vertices[corners]).sum(1)
        normals = (weights[:, :, None] * self.corner_normals[corners]).sum(1)
        normals /= np.maximum(np.linalg.norm(normals, axis=1), 1e-30)[:, None]
        return SurfacePlaces(
            triangles=chosen,
            weights=weights,
            points=at,
            normals=normals,
            distances=np.linalg.norm(at - points, axis=1),
        )


def nearest_on_triangles(points: Doubles, corners: Doubles) -> Doubles:
    """Weights (Q, 3) of the place nearest to each point (Q, 3) on its triangle (Q, 3, 3)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    area = uu * vv - uv * uv
    safe = np.where(area > 1e-24, area, 1.0)
    second, third = (vv * wu - uv * wv) / safe, (uu * wv - uv * wu) / safe
    weights = np.stack([1 - second - third, second, third], 1)
    outside = (weights < 0).any(1) | (area <= 1e-24)
    if outside.any():
        weights[outside] = _nearest_on_edges(points[outside], corners[outside])
    return weights


def _nearest_on_edges(points: Doubles, corners: Doubles) -> Doubles:
    best = np.full(len(points), np.inf)
    weights = np.zeros((len(points), 3))
    for first, second in ((0, 1), (1, 2), (2, 0)):
        start, along = corners[:, first], corners[:, second] - corners[:, first]
        share = ((points - start) * along).sum(1) / np.maximum((along**2).sum(1), 1e-30)
        share = np.clip(share, 0, 1)
        away = ((start + share[:, None] * along - points) ** 2).sum(1)
        closer = away < best
        best[closer] = away[closer]
        weights[closer] = 0.0
        weights[closer, first], weights[closer, second] = 1 - share[closer], share[closer]
    return weights


def _samples(vertices: Doubles, triangles: Ints) -> tuple[Ints, Doubles]:
    """Triangle and place of points that lie on all of them, closer to each other than SPACING."""
    corners = vertices[triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, 1), axis=2).max(1)
    most = int((2 * MOST_SAMPLES) ** 0.5)
    cuts = np.clip(np.ceil(longest / SPACING), 1, most).astype(int)
    owners, points = [], []
    for count in np.unique(cuts):
        own = np.flatnonzero(cuts == count)
        i, j = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
        inside = i + j < count
        u, v = (i[inside] + 1 / 3) / count, (j[inside] + 1 / 3) / count
        shares = np.stack([1 - u - v, u, v], 1)
        points.append(np.einsum("sc,tcx->tsx", shares, corners[own]).reshape(-1, 3))
        owners.append(np.repeat(own, len(shares)))
    return np.concatenate(owners), np.concatenate(points)


def on_border(triangles: Ints, count: int) -> Flags:
    """(V,) whether an edge of one triangle alone ends at a vertex."""
    edges = np.sort(
        np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    )
    codes, times = np.unique(edges[:, 0] * count + edges[:, 1], return_counts=True)
    open_ = codes[times == 1]
    border = np.zeros(count, bool)
    border[open_ // count] = border[open_ % count] = True
    return border
