"""How close a mesh sequence is to the truth, by the paper's protocol (Liu et al. 2024, section 5)
and by what its tables leave out.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import KDTree

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]


def chamfer_squared(a: Floats, b: Floats) -> float:
    """The paper's: half the sum of both mean squared distances between vertices (N, 3) and (M,
    3).
    """
    return float(((KDTree(b).query(a)[0] ** 2).mean() + (KDTree(a).query(b)[0] ** 2).mean()) / 2)


def chamfer(a: Floats, b: Floats) -> float:
    """Half the sum of both mean distances between points sampled on surfaces."""
    return float((KDTree(b).query(a)[0].mean() + KDTree(a).query(b)[0].mean()) / 2)


def earth_movers(a: Floats, b: Floats) -> float:
    """Mean distance under the best one-to-one assignment of equally many points: exact."""
    costs = np.linalg.norm(a[:, None] - b[None], axis=2)
    return float(costs[linear_sum_assignment(costs)].mean())


def sample_surface(
    vertices: Floats, faces: Integers, count: int, random: np.random.Generator
) -> Floats:
    """(count, 3) points, evenly by area."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = random.choice(len(faces), count, p=area / area.sum())
    root, share = np.sqrt(random.random((count, 1))), random.random((count, 1))
    return (1 - root) * a[chosen] + root * (1 - share) * b[chosen] + root * share * c[chosen]


def trajectory_error(found: Floats, truth: Floats, reference: int = 0) -> tuple[float, float]:
    """(T, V, 3) against (T, W, 3): vertices are tied to the nearest true ones at a reference frame,
    and their ways compared. The mean difference; and, to compare, the mean way of the true ones:
    the error of a mesh that stands still.
    """
    partner = KDTree(truth[reference]).query(found[reference])[1]
    way, true_way = found - found[reference], (truth - truth[reference])[:, partner]
    return float(np.linalg.norm(way - true_way, axis=2).mean()), float(
        np.linalg.norm(true_way, axis=2).mean()
    )


def ways_of(found: Floats, truth: Floats, reference: int = 0) -> tuple[Floats, Floats]:
    """(T, W, 3) twice: the way of the found vertex that is nearest at the reference frame to each
    true one, and the true way. So a limb that was not found at all counts, as far as it moves.
    """
    partner = KDTree(found[reference]).query(truth[reference])[1]
    return (found - found[reference])[:, partner], truth - truth[reference]


def height_bands(vertices: Floats, count: int = 3) -> Integers:
    """(W,) of vertices (W, 3) with z up: 0 in the lowest part of the whole height."""
    height = vertices[:, 2] - vertices[:, 2].min()
    return np.minimum((count * height / height.max()).astype(np.int64), count - 1)


def speed(found: Floats, truth: Floats) -> float:
    """The length of all ways (T, W, 3) over that of the true ones: 1 is as quick as the truth."""
    lengths = [np.linalg.norm(np.diff(ways, axis=0), axis=2).sum() for ways in (found, truth)]
    return float(lengths[0] / lengths[1])
