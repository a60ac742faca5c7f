"""Gradients of what is linear on triangles, and the field whose gradients come nearest to given
ones: deformation transfer (Sumner and Popović 2004) as a Poisson equation (Botsch et al. 2006,
"Deformation transfer for detail-preserving surface editing", sections 3 and 4).
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ...geometry.arrays import Doubles, Ints
from .closest import triangle_normals


@dataclass(frozen=True)
class GradientOperator:
    """On T triangles of V vertices."""

    hats: Doubles  # (T, 3, 3) gradient of each corner's hat function
    areas: Doubles  # (T,)
    triangles: Ints  # (T, 3)
    count: int  # V

    def of(self, values: Doubles) -> Doubles:
        """(T, 3, 3) gradients of values (V, 3): rows are the value's components, columns x, y and
        z.
        """
        return np.asarray(np.einsum("tca,tcx->tax", values[self.triangles], self.hats))

    def divergence(self, gradients: Doubles) -> Doubles:
        """(V, 3) right side of the normal equations for gradients (T, 3, 3)."""
        parts = np.einsum("tax,tcx->tca", gradients, self.hats) * self.areas[:, None, None]
        result = np.zeros((self.count, 3))
        for corner in range(3):
            column = self.triangles[:, corner]
            for axis in range(3):
                result[:, axis] += np.bincount(column, parts[:, corner, axis], self.count)
        return result

    def laplacian(self) -> sparse.csc_matrix:
        """(V, V) positive semidefinite; its values have the unit of area over length squared."""
        parts = np.einsum("tax,tbx->tab", self.hats, self.hats) * self.areas[:, None, None]
        rows = np.repeat(self.triangles, 3, axis=1).ravel()
        columns = np.tile(self.triangles, (1, 3)).ravel()
        return sparse.csc_matrix((parts.ravel(), (rows, columns)), (self.count, self.count))

    def masses(self) -> Doubles:
        """(V,) a third of the area around each vertex."""
        shares = np.repeat(self.areas / 3, 3)
        return np.asarray(np.bincount(self.triangles.ravel(), shares, self.count), np.float64)


def gradient_operator(vertices: Doubles, triangles: Ints) -> GradientOperator:
    """Triangles without area have no gradient and no weight."""
    normals, areas = triangle_normals(vertices, triangles)
    corners = vertices[triangles]
    opposite = np.roll(corners, -2, 1) - np.roll(corners, -1, 1)
    flat = areas < 1e-10
    hats = np.cross(normals[:, None], opposite) / (2 * np.where(flat, 1.0, areas))[:, None, None]
    hats[flat] = 0.0
    return GradientOperator(hats, np.where(flat, 0.0, areas), triangles, len(vertices))


def local_maps(start: Doubles, end: Doubles, triangles: Ints) -> Doubles:
    """(T, 3, 3) what turns and stretches each triangle of `start` (V, 3) into that of `end`; the
    normal goes along, as long as the triangle has grown in the mean.
    """
    frames = []
    for vertices in (start, end):
        normals, areas = triangle_normals(vertices, triangles)
        a, b, c = (vertices[triangles[:, k]] for k in range(3))
        frames.append(
            np.stack([b - a, c - a, normals * np.sqrt(np.maximum(areas, 1e-12))[:, None]], 2)
        )
    size = np.maximum(np.abs(frames[0]).max((1, 2)), 1e-12)[:, None, None]
    # a triangle without area has no inverse, and says nothing
    sound = np.abs(np.linalg.det(frames[0] / size)) > 1e-6
    maps = np.tile(np.eye(3), (len(triangles), 1, 1))
    maps[sound] = frames[1][sound] @ np.linalg.inv(frames[0][sound])
    return maps
