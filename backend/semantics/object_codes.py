"""Semantic Attribute Compactness (CLIP-GS): CLIP's long features stay in a codebook of the scene's
objects; a Gaussian holds which few of them it shows and how much of each.

A scene shows few things. An object's feature, a mean over many regions, is kept whole, once; a
Gaussian's code is a sparse mixture over the objects (six bytes of numbers, three of shares), drawn
by the rasteriser like any colour: what words mean to a Gaussian is the mixture of what they mean to
its objects, and CLIP is only ever asked about the codebook.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..formats.semantics_file import NOTHING
from ..geometry.arrays import Floats, Ints32
from ..geometry.sparse_rows import largest
from .regions.view_regions import ViewRegions

KEPT = 3  # objects a Gaussian; along edges two meet, in corners three


@dataclass(frozen=True)
class ObjectCodes:
    """9 bytes a Gaussian."""

    objects: NDArray[np.uint16]  # (N, 3), the largest share first; NOTHING where there are fewer
    shares: NDArray[np.uint8]  # (N, 3) of 255

    def mix(self, values: Floats) -> Floats:
        """(N, …) from values of the objects (K, …); what is of no object counts as zero."""
        padded = np.concatenate([values, np.zeros_like(values[:1])])
        at = np.where(self.objects == NOTHING, len(values), self.objects).astype(np.int64)
        parts = [
            padded[at[:, i]] * (self.shares[:, i] / 255).reshape(-1, *[1] * (values.ndim - 1))
            for i in range(KEPT)
        ]
        mixed: Floats = np.sum(parts, 0).astype(np.float32)
        return mixed


def encode(shares: csr_matrix | Floats) -> ObjectCodes:
    """The largest shares of each row (N, K), K below 65,535."""
    order, value = largest(csr_matrix(shares), KEPT)
    amounts = np.round(255 * value / np.maximum(value.sum(1, keepdims=True), 1e-9))
    objects = np.where(amounts > 0, order, NOTHING).astype(np.uint16)
    return ObjectCodes(objects, amounts.astype(np.uint8))


@dataclass(frozen=True)
class ObjectEvidence:
    """What was seen of K objects, to be added up."""

    sums: Floats  # (K, D) of features by weight
    total: Floats  # (K,) weight

    @property
    def features(self) -> Floats:
        """(K, D) means; zero for what was not seen."""
        return np.asarray(self.sums / np.maximum(self.total, 1e-9)[:, None], np.float32)

    def plus(self, other: "ObjectEvidence", times: float) -> "ObjectEvidence":
        """This evidence and `times` the other."""
        return ObjectEvidence(self.sums + times * other.sums, self.total + times * other.total)


def evidence(views: Sequence[ViewRegions], objects: Sequence[Ints32], count: int) -> ObjectEvidence:
    """The objects' regions, whose objects are given view by view, -1: none. Larger regions tell a
    little more: the logarithm of their size did best on clips with known truth, size itself no
    better than none.
    """
    dimensions = views[0].features.shape[1] if views else 0
    sums, total = np.zeros((count, dimensions), np.float32), np.zeros(count, np.float32)
    for view, labels in zip(views, objects, strict=True):
        known = np.flatnonzero(labels >= 0)
        sizes = np.log1p(np.asarray(view.weights.sum(0)).ravel()[known])
        np.add.at(sums, labels[known], sizes[:, None] * view.features[known])
        np.add.at(total, labels[known], sizes)
    return ObjectEvidence(sums, total)
