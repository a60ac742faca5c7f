"""Objects by their shape alone: what is left when the large planes are taken away falls into
pieces.

No weights, no pictures; colour tells apart what touches. What lies flat on a plane (a rug, a
poster) is told by colour.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from ...geometry.arrays import Floats, Ints32
from .planes import PlaneConfig, find_planes


@dataclass(frozen=True, kw_only=True)
class ProposalConfig:
    """Distances are in multiples of the typical distance between neighbours."""

    planes: PlaneConfig = field(default_factory=PlaneConfig)
    neighbors: int = 12
    reach: float = 2.5  # of a gap that does not part an object
    color: float = 0.05  # difference of colour (0..1, root mean square) that parts what touches
    # of one colour, that make a pattern; in rooms of furniture up to 3, on a mosaic 25 and more
    patches: int = 8
    opacity: float = 0.3  # fainter Gaussians join afterwards
    smallest: int = 20  # Gaussians; smaller pieces join what is nearest


def typical_spacing(means: Floats) -> float:
    """Median distance of a Gaussian to its third neighbour."""
    few = means[:: max(1, len(means) // 20_000)]
    distance, _ = KDTree(means).query(few, k=min(4, len(means)))
    return float(np.median(distance[:, -1])) or 1e-6


def propose(
    means: Floats, rgb: Floats, opacities: Floats, config: ProposalConfig = ProposalConfig()
) -> Ints32:
    """(N,) the object that each Gaussian may be of, from 0, the largest first; -1 only where there
    are no objects at all.
    """
    solid = np.flatnonzero(opacities > config.opacity)
    if len(solid) < config.smallest:
        return np.full(len(means), -1, np.int32)
    spacing = typical_spacing(means[solid])
    planes = find_planes(means[solid], spacing, config.planes)
    pieces = _pieces(
        means[solid], _smooth(means[solid], rgb[solid], config), planes, spacing, config
    )
    sizes = np.bincount(pieces)
    kept = np.flatnonzero(sizes >= config.smallest)
    if not len(kept):
        return np.full(len(means), -1, np.int32)
    number = np.full(len(sizes), -1, np.int32)
    number[kept[np.argsort(-sizes[kept], kind="stable")]] = np.arange(len(kept))
    labels = number[pieces]
    sure = solid[labels >= 0]
    nearest = KDTree(means[sure]).query(means)[1]
    return np.asarray(labels[labels >= 0][nearest], np.int32)


def _smooth(means: Floats, rgb: Floats, config: ProposalConfig) -> Floats:
    """Colours averaged over the nearest: single Gaussians are far too colourful to compare."""
    _, near = KDTree(means).query(means, k=min(config.neighbors, len(means)))
    averaged: Floats = rgb[near].mean(1)
    return averaged


def _pieces(
    means: Floats, rgb: Floats, planes: Ints32, spacing: float, config: ProposalConfig
) -> Ints32:
    """Connected components of neighbours that are near, on the same plane or on none, and alike in
    colour; where colour would break one into many, it is a pattern on one thing and does not part
    it.
    """
    distance, near = KDTree(means).query(
        means, k=min(config.neighbors + 1, len(means)), distance_upper_bound=config.reach * spacing
    )
    rows = np.repeat(np.arange(len(means)), near.shape[1] - 1)
    columns, there = near[:, 1:].ravel(), np.isfinite(distance[:, 1:].ravel())
    rows, columns = rows[there], columns[there]
    same = planes[rows] == planes[columns]
    alike = np.sqrt(np.square(rgb[rows] - rgb[columns]).mean(1)) < config.color

    def components(joined: NDArray[np.bool_]) -> Ints32:
        graph = coo_matrix(
            (np.ones(joined.sum(), bool), (rows[joined], columns[joined])),
            shape=(len(means), len(means)),
        )
        return np.asarray(connected_components(graph, directed=False)[1], np.int32)

    by_shape, pieces = components(same), components(same & alike)
    patterned = np.isin(by_shape, _patterned(by_shape, pieces, config))
    return np.asarray(
        np.unique(np.where(patterned, pieces.max() + 1 + by_shape, pieces), return_inverse=True)[
            1
        ].reshape(-1),
        np.int32,
    )


def _patterned(wholes: Ints32, pieces: Ints32, config: ProposalConfig) -> Ints32:
    """The wholes that it takes many of their pieces to cover nine tenths of."""
    pairs, sizes = np.unique(np.stack([wholes, pieces]), axis=1, return_counts=True)
    order = np.lexsort((-sizes, pairs[0]))
    owner, sizes = pairs[0][order], sizes[order]
    start = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    before = np.cumsum(sizes) - sizes
    total = np.add.reduceat(sizes, start)
    length = np.diff(np.r_[start, len(owner)])
    needed = before - np.repeat(before[start], length) < 0.9 * np.repeat(total, length)
    return np.asarray(
        owner[start][(np.add.reduceat(needed, start) > config.patches) & (total >= config.smallest)]
    )
