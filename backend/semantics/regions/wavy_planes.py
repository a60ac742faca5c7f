"""Planes of trained splats are wavy: where pictures showed little, a floor sags and a wall bulges
by several voxels. A plane goes on along the surface that leads away from it without a step, and
without an edge in the photographs: a picture's frame is where the wall ends.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ...geometry.arrays import Doubles, Flags, Ints, Ints32
from .fused_surface import FusedSurface
from .surface_planes import SurfacePlane, fitted


@dataclass(frozen=True, kw_only=True)
class WavyConfig:
    """Chosen on trained room 0, ideal rooms 0 and 1 and fox, of a few settings."""

    reach: float = 4.0  # widths of voxels from the plane
    alike: float = 0.85  # cosine of a voxel's normal and the plane's
    slope: float = 0.3  # sine of the angle to the plane under which the surface leads away
    edge: float = 6.0  # step of colour, in CIELAB, that ends it; so does what no picture shows
    parallel: float = 0.97  # cosine of the normals of two planes that may be one
    part: float = 0.02  # of the plane's voxels from which on a patch of it goes on,
    least: float = 0.02  # and of the surface; what is left of a smaller plane is of none


def continued(
    surface: FusedSurface,
    planes: Ints32,
    steps: tuple[Doubles, Ints],
    config: WavyConfig = WavyConfig(),
) -> Ints32:
    """Planes (V,) with what goes on from them; a later one that proves to be part of an earlier one
    goes over to it. Numbered from 0 in the same order; -1: none. `steps`: see photo_edges().
    """
    assigned = planes.copy()
    pairs = surface.pairs[(steps[1] > 0) & (steps[0] < config.edge)]
    count = int(planes.max(initial=-1)) + 1
    fits = [fitted(surface.points[planes == number]) for number in range(count)]
    for number, plane in enumerate(fits):
        own = assigned == number
        if own.any():
            alike = [abs(float(p.normal @ plane.normal)) > config.parallel for p in fits]
            alike[: number + 1] = [False] * (number + 1)
            free = (assigned < 0) | np.append(alike, False)[assigned]
            assigned[_going_on(surface, pairs, own, free, plane, config)] = number
    sizes = np.bincount(assigned[assigned >= 0], minlength=count)
    kept = np.flatnonzero(sizes >= config.least * len(assigned))
    renumbered = np.full(count + 1, -1, np.int32)
    renumbered[kept] = np.arange(len(kept))
    return renumbered[assigned]


def _going_on(
    surface: FusedSurface,
    pairs: Ints,
    own: Flags,
    free: Flags,
    plane: SurfacePlane,
    config: WavyConfig,
) -> Flags:
    """(V,) those of the free voxels from which pairs (M, 2) lead to the plane's own, always nearly
    along it.
    """
    everything = np.arange(len(own))
    near = free & (plane.distances(surface, everything) < config.reach)
    near &= plane.facing(surface, everything) > config.alike
    pairs = pairs[(own | near)[pairs].all(1)]
    steps = surface.points[pairs[:, 1]] - surface.points[pairs[:, 0]]
    level = np.abs(steps @ plane.normal) < config.slope * np.linalg.norm(steps, axis=1)
    a, b = pairs[level].T
    graph = coo_matrix((np.ones(len(a), bool), (a, b)), shape=[len(own)] * 2)
    patches = connected_components(graph, directed=False)[1]
    large = np.bincount(patches, own) >= config.part * own.sum()
    return np.asarray(near & large[patches])
