"""Self-training on views that nobody photographed (after CLIP-GS, 3D Coherent Self-training),
accepted only where the teacher knows drawings as well as photographs.

The trained splats are drawn from between the cameras, with the objects that were made of
photographs as regions; what the teacher sees there is more evidence about the same objects. It
counts less than photographs: drawings are not quite like them. (The paper's labels come from the
model alone. Here such labels only confirmed what they were made from: on rooms with known truth,
drawing objects that touch and resemble each other together raised every measure of consistency, and
the labels were 2 to 8 points worse.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..geometry.arrays import Floats, Ints32
from .object_codes import ObjectEvidence, evidence
from .regions.view_regions import ViewRegions


@dataclass(frozen=True)
class SelfTrainingConfig:
    """Half the weight cost little where drawings were good, and saved half where they were not."""

    weight: float = 0.5  # of a drawing against a photograph


@dataclass(frozen=True)
class SelfTrained:
    """The objects' features (K, D), and how well regions of photographs and of drawings agree with
    what other photographs tell of their objects, as a mean cosine.
    """

    features: Floats
    accepted: bool
    photographed: float
    drawn: float


def self_train(
    photos: Sequence[ViewRegions],
    photo_objects: Sequence[Ints32],
    drawings: Sequence[ViewRegions],
    drawn_objects: Sequence[Ints32],
    count: int,
    config: SelfTrainingConfig = SelfTrainingConfig(),
) -> SelfTrained:
    """Objects are given view by view for every region, below `count`; -1: none. Drawings are
    accepted if they agree with photographs at least as well as these agree with each other: a
    teacher that errs more often on drawings is told by that, and would do harm.
    """
    parts = [
        evidence([view], [objects], count)
        for view, objects in zip(photos, photo_objects, strict=True)
    ]
    seen = _sum(parts)
    if not drawings or not sum(len(v.features) for v in photos):
        return SelfTrained(seen.features, False, 0.0, 0.0)
    mean = np.concatenate([v.features for v in photos]).mean(0)
    photographed, drawn = (
        _agreement(views, objects, learned, mean)
        for views, objects, learned in (
            (photos, photo_objects, [seen.plus(own, -1.0) for own in parts]),
            (drawings, drawn_objects, [seen] * len(drawings)),
        )
    )
    accepted = drawn >= photographed
    more = seen.plus(evidence(drawings, drawn_objects, count), config.weight)
    return SelfTrained((more if accepted else seen).features, accepted, photographed, drawn)


def _sum(parts: Sequence[ObjectEvidence]) -> ObjectEvidence:
    return ObjectEvidence(np.sum([p.sums for p in parts], 0), np.sum([p.total for p in parts], 0))


def _agreement(
    views: Sequence[ViewRegions],
    objects: Sequence[Ints32],
    learned: Sequence[ObjectEvidence],
    mean: Floats,
) -> float:
    """Mean cosine of every region's feature and its object's, as it was learned for that view, both
    less the `mean` (D,) of all; -1 where there is none.
    """
    cosines = []
    for view, numbers, own in zip(views, objects, learned, strict=True):
        regions = np.flatnonzero((numbers >= 0) & (own.total[np.maximum(numbers, 0)] > 1e-6))
        wanted = _unit(own.features[numbers[regions]] - mean)
        cosines.append((_unit(view.features[regions] - mean) * wanted).sum(1))
    together = np.concatenate(cosines)
    return float(together.mean()) if len(together) else -1.0


def _unit(rows: Floats) -> Floats:
    return np.asarray(
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32
    )
