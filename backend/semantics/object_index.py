"""Which regions of many views show one object, and which Gaussians it is made of.

A region of one view is split, merged with its neighbour, frayed. Seen through the Gaussians, other
views bear witness: two regions of one object have their Gaussians in the same region of most other
views, two of different objects do not (the view consensus of MaskClustering, Yan et al. 2024; here
as sums of evidence, so that merging two groups adds up exactly what is known of both). Gaussians
then belong to the object whose regions they are seen in most.

The shape of things bears witness too: pieces that the scene falls into (regions/proposals.py) are
regions like any view's, seen whole and from everywhere. Regions are given by their weights (N, R),
see view_regions.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack
from scipy.spatial import KDTree

from ..geometry.arrays import Floats, Ints32
from ..geometry.sparse_rows import largest_of_each, normalized, sums
from .agglomerate import agglomerate
from .regions.view_regions import main_regions


@dataclass(frozen=True, kw_only=True)
class ObjectIndexConfig:
    """What counts as witness, and how sure it must be."""

    visible: float = 0.2  # share of a region's Gaussians that another view must see to bear witness
    least_seen: int = 5  # of them at least
    prior: tuple[float, float] = (
        0.15,
        0.6,
    )  # shared, seen: what is believed of two regions without a witness
    rate: float = 0.55  # share of the witnesses that must agree
    smallest: int = 20  # Gaussians; what is smaller joins what it touches
    coherence: float = 0.5  # weight of a Gaussian's neighbours in space against its own views
    shape_votes: int = 3  # views that the pieces count as
    # of the piece that a Gaussian lies in, against all that is seen of it in many views
    shape_weight: float = 0.3
    few_views: float = 16.0  # with so few, shape counts twice


def one_hot(labels: Ints32, count: int) -> csr_matrix:
    """(N, count); rows of negative labels are empty."""
    known = np.flatnonzero(labels >= 0)
    return csr_matrix(
        (np.ones(len(known), np.float32), (known, labels[known])), shape=(len(labels), count)
    )


def of_shape(
    pieces: Ints32, views: Sequence[csr_matrix], config: ObjectIndexConfig
) -> list[csr_matrix]:
    """Pieces (N,), -1: none, as the regions of views."""
    seen = np.sum([np.asarray(view.sum(1)).ravel() for view in views], 0)
    strength = config.shape_weight * (1 + config.few_views / max(len(views), 1))
    weight = np.maximum(strength * seen, 0.5) / max(config.shape_votes, 1)
    regions = one_hot(pieces, int(pieces.max(initial=-1)) + 1)
    return [(diags(weight.astype(np.float32)) @ regions).tocsr()] * config.shape_votes


def witnesses(
    views: Sequence[csr_matrix], config: ObjectIndexConfig
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(R, R) over the regions of all views, one view after the other: by how many views two of them
    are seen to share a region, and by how many they are seen.
    """
    inside = [one_hot(main_regions(view), view.shape[1]) for view in views]
    regions = hstack(inside).tocsr().T.tocsr()  # (R, N)
    sizes = np.asarray(regions.sum(1)).ravel()
    shared = np.zeros((len(sizes), len(sizes)))
    seen = np.zeros_like(shared)
    for columns in inside:
        table = (regions @ columns).toarray()
        total = table.sum(1)
        here = (total >= config.visible * sizes) & (total >= config.least_seen)
        table[here] /= np.linalg.norm(table[here], axis=1, keepdims=True)
        table[~here] = 0
        shared += table @ table.T
        seen += np.outer(here, here)
    return shared, seen


def cluster_regions(views: Sequence[csr_matrix], config: ObjectIndexConfig) -> list[Ints32]:
    """The object of every region, view by view; objects are numbered from 0."""
    shared, seen = witnesses(views, config)
    shared += config.prior[0]
    seen += config.prior[1]
    labels = agglomerate(shared, seen, config.rate)
    ends = np.cumsum([view.shape[1] for view in views])
    return np.split(labels, ends[:-1])


def share_out(views: Sequence[csr_matrix], objects: Sequence[Ints32], count: int) -> csr_matrix:
    """(N, count): the share of each object in what is seen of each Gaussian; rows without any are
    empty.
    """
    total = csr_matrix((views[0].shape[0], count), dtype=np.float32)
    for view, labels in zip(views, objects, strict=True):
        total = total + view @ one_hot(labels, count)
    return normalized(total)


def nearest(means: Floats, count: int = 8) -> csr_matrix:
    """(N, N) ones for the nearest other Gaussians of each."""
    n, count = len(means), min(count, len(means) - 1)
    if count < 1:
        return csr_matrix((n, n), dtype=np.float32)
    _, neighbors = KDTree(means).query(means, k=count + 1)
    rows = np.repeat(np.arange(n), count)
    return csr_matrix(
        (np.ones(n * count, np.float32), (rows, np.asarray(neighbors)[:, 1:].ravel())), shape=(n, n)
    )


def owners(shares: csr_matrix | Floats) -> Ints32:
    """(N,) the object with the largest share; -1 without any."""
    return largest_of_each(csr_matrix(shares))[0]


def spread(shares: csr_matrix, means: Floats) -> csr_matrix:
    """Rows (N, K) of Gaussians that no view shows are those of the nearest (N, 3) that one does."""
    known = sums(shares) > 0
    if known.all() or not known.any():
        return shares
    source = np.arange(len(known))
    source[~known] = source[known][KDTree(means[known]).query(means[~known])[1]]
    return shares[source]


def coherent(shares: csr_matrix, neighbors: csr_matrix, weight: float) -> csr_matrix:
    """Shares (N, K) mixed with the mean of those neighbours (N, N) that have any."""
    known = (sums(shares) > 0).astype(np.float32)
    around = np.maximum(np.asarray(neighbors @ known).ravel(), 1)
    own, near = known * (1 - weight), np.where(known > 0, weight, 1) / around
    return (diags(own) @ shares + diags(near) @ (neighbors @ shares)).astype(np.float32).tocsr()


def index_objects(
    views: Sequence[csr_matrix],
    neighbors: csr_matrix,
    config: ObjectIndexConfig,
    pieces: Ints32 | None = None,
) -> tuple[csr_matrix, list[Ints32]]:
    """The share of every object in every Gaussian (N, K), empty where nothing is known, and the
    object of every region, view by view, -1: none.

    Objects are numbered by size, the largest first. `neighbours`: see nearest(). `pieces` (N,):
    what the scene falls into by its shape.
    """
    everything = [*views, *(of_shape(pieces, views, config) if pieces is not None else [])]
    regions = cluster_regions(everything, config)
    shares, regions = settled(everything, regions, neighbors, config)
    return shares, regions[: len(views)]


def settled(
    views: Sequence[csr_matrix],
    regions: Sequence[Ints32],
    neighbors: csr_matrix,
    config: ObjectIndexConfig,
) -> tuple[csr_matrix, list[Ints32]]:
    """The same of regions whose objects are known, view by view, -1: none: objects that are too
    small leave what they held to others.
    """
    regions = list(regions)
    count = 1 + max((int(r.max()) for r in regions if len(r)), default=-1)
    while True:
        shares = coherent(share_out(views, regions, count), neighbors, config.coherence)
        owner = owners(shares)
        sizes = np.bincount(owner[owner >= 0], minlength=count)
        kept = np.flatnonzero(sizes >= min(config.smallest, sizes.max(initial=0)))
        order = kept[np.argsort(-sizes[kept], kind="stable")]
        number = np.full(count + 1, -1, np.int32)
        number[order] = np.arange(len(kept))
        regions = [number[r] for r in regions]
        if len(kept) == count:
            return shares[:, order], regions
        count = len(kept)
