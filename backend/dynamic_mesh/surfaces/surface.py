"""Triangle meshes out of fields, and their tidying. Vertices (V, 3) float32, faces (F, 3) int64,
wound counter-clockwise from outside.
"""

from dataclasses import dataclass

import fast_simplification
import numpy as np
import scipy.sparse as sparse
import torch
from numpy.typing import NDArray
from scipy.sparse import csgraph

from .marching_cubes import marching_cubes


@dataclass(frozen=True)
class Surface:
    vertices: NDArray[np.float32]
    faces: NDArray[np.int64]

    @property
    def edges(self) -> NDArray[np.int64]:
        """(E, 2) every edge once, the smaller index first."""
        return np.unique(
            np.sort(
                np.concatenate(
                    [self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]]
                ),
                1,
            ),
            axis=0,
        )

    def vertex_normals(self) -> NDArray[np.float32]:
        """(V, 3) outward, of length one; each face counts by its area."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        total = np.zeros_like(self.vertices)
        for corner in range(3):
            np.add.at(total, self.faces[:, corner], np.cross(b - a, c - a))
        return np.asarray(
            total / np.linalg.norm(total, axis=1, keepdims=True).clip(1e-12), np.float32
        )


def adjacency(
    vertices: int, edges: NDArray[np.int64], weights: NDArray[np.floating] | None = None
) -> sparse.csr_matrix:
    """(V, V) symmetric; ones, or a weight an edge."""
    values = np.ones(len(edges)) if weights is None else np.asarray(weights, np.float64)
    rows, columns = (
        np.concatenate([edges[:, 0], edges[:, 1]]),
        np.concatenate([edges[:, 1], edges[:, 0]]),
    )
    matrix: sparse.csr_matrix = sparse.coo_matrix(
        (np.concatenate([values, values]), (rows, columns)), shape=(vertices, vertices)
    ).tocsr()
    return matrix


def level_set(field: NDArray[np.floating], level: float, low: float, high: float) -> Surface | None:
    """Where a field on a cubic grid, whose cell centres fill the cube from `low` to `high`, falls
    below `level`; None if nowhere.
    """
    padded = np.pad(np.asarray(field, np.float32), 1, constant_values=float(field.min()))
    cells, faces = marching_cubes(torch.from_numpy(padded), level)
    if not len(faces):
        return None
    cell = (high - low) / len(field)
    return Surface(((cells.numpy() - 0.5) * cell + low).astype(np.float32), faces.numpy())


def largest_parts(surface: Surface, least: float = 0.03) -> Surface:
    """Without components that have less than `least` of the largest one's vertices: crumbs."""
    count, label = csgraph.connected_components(
        adjacency(len(surface.vertices), surface.edges), directed=False
    )
    sizes = np.bincount(label, minlength=count)
    return keep_vertices(surface, sizes[label] >= least * sizes.max())


def keep_vertices(surface: Surface, kept: NDArray[np.bool_]) -> Surface:
    """Only faces all of whose corners are kept, and only vertices that still have a face."""
    faces = surface.faces[kept[surface.faces].all(1)]
    used = np.zeros(len(kept), bool)
    used[faces] = True
    number = np.cumsum(used) - 1
    return Surface(surface.vertices[used], number[faces].astype(np.int64))


def evened(surface: Surface, rounds: int, kept: float = 0.1) -> Surface:
    """Without grain, and no smaller: Taubin's smoothing (1995), which lets pass what is longer
    than the frequency `kept`.
    """
    around = adjacency(len(surface.vertices), surface.edges)
    mean = sparse.diags(1 / np.maximum(np.asarray(around.sum(1)).ravel(), 1)) @ around
    inward, places = 0.5, surface.vertices.astype(np.float64)
    outward = 1 / (kept - 1 / inward)
    for _ in range(rounds):
        for step in (inward, outward):
            places = places + step * (mean @ places - places)
    return Surface(places.astype(np.float32), surface.faces)


def decimate(surface: Surface, faces: int) -> Surface:
    """With at most so many faces (Garland and Heckbert's quadrics), none of them degenerate and
    none there twice.
    """
    if len(surface.faces) > faces:
        vertices, triangles = fast_simplification.simplify(
            surface.vertices,
            surface.faces.astype(np.int32),
            target_reduction=1 - faces / len(surface.faces),
        )
        surface = Surface(np.asarray(vertices, np.float32), np.asarray(triangles, np.int64))
    corners = np.sort(surface.faces, axis=1)
    _, which, count = np.unique(corners, axis=0, return_inverse=True, return_counts=True)
    single = (np.diff(corners, axis=1) > 0).all(1) & (
        count[which.ravel()] == 1
    )  # twice: a fold without thickness, so both go
    return keep_vertices(
        Surface(surface.vertices, surface.faces[single]), np.ones(len(surface.vertices), bool)
    )
