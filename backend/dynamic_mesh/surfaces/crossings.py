"""Where a surface passes through itself."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ...geometry.arrays import Doubles, Flags

INSIDE = 1e-6  # of an edge from its ends, of a triangle from its sides: to touch is not to cross


def crossing_faces(vertices: Doubles, faces: NDArray[np.integer]) -> Flags:
    """(F,) triangles of (F, 3) that pass through another with which they share no corner."""
    corners = vertices[faces]
    middle = corners.mean(1)
    reach = np.linalg.norm(corners - middle[:, None], axis=2).max(1)
    near = KDTree(middle).query_pairs(2 * float(reach.max()), output_type="ndarray")
    close = np.linalg.norm(middle[near[:, 0]] - middle[near[:, 1]], axis=1)
    near = near[close < reach[near].sum(1)]
    shared = (faces[near[:, 0]][:, :, None] == faces[near[:, 1]][:, None]).any((1, 2))
    near = near[~shared]
    cross = _pierces(corners[near[:, 0]], corners[near[:, 1]])
    cross |= _pierces(corners[near[:, 1]], corners[near[:, 0]])
    crossing = np.zeros(len(faces), bool)
    crossing[near[cross].ravel()] = True
    return crossing


def _pierces(one: Doubles, other: Doubles) -> Flags:
    """(P,) whether an edge of a triangle (P, 3, 3) goes through the other (P, 3, 3); those that
    lie in one plane do not (Möller and Trumbore 1997).
    """
    pierced = np.zeros(len(one), bool)
    along, across = other[:, 1] - other[:, 0], other[:, 2] - other[:, 0]
    for corner in range(3):
        start = one[:, corner]
        edge = one[:, (corner + 1) % 3] - start
        slanted = np.cross(edge, across)
        volume = (along * slanted).sum(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            offset = start - other[:, 0]
            u = (offset * slanted).sum(1) / volume
            turned = np.cross(offset, along)
            v = (edge * turned).sum(1) / volume
            at = (across * turned).sum(1) / volume
            inside = (u > INSIDE) & (v > INSIDE) & (u + v < 1 - INSIDE)
        pierced |= inside & (at > INSIDE) & (at < 1 - INSIDE)  # nothing compares with NaN
    return pierced
