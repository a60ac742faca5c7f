"""Self-training on views that nobody photographed (after CLIP-GS, 3D Coherent Self-training),
accepted only where it helps.

The trained splats are drawn from between the cameras, with the objects that were found as regions;
what the teacher sees there is more evidence about the same objects. It counts less than
photographs: drawings are not quite like them. (The paper's labels come from the model alone. Here
such labels only confirmed what they were made from: on rooms with known truth, drawing objects that
touch and resemble each other together raised every measure of consistency, and the labels were 2 to
8 points worse.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..geometry.arrays import Floats, Ints32
from .object_codes import ObjectEvidence, evidence
from .regions.view_regions import ViewRegions


@dataclass(frozen=True)
class SelfTrainingConfig:
    """With this weight, drawings on which the teacher errs half as often again as on photographs
    still did no harm.
    """

    weight: float = 0.5  # of a drawing against a photograph
    alike: float = 0.6  # cosine from which two objects count as one class


@dataclass(frozen=True)
class SelfTrained:
    """The objects' features (K, D), and how well photographs agree with objects that were learned
    without them, 0..1.
    """

    features: Floats
    accepted: bool
    before: float
    after: float


def self_train(
    photos: Sequence[ViewRegions],
    photo_objects: Sequence[Ints32],
    drawings: Sequence[ViewRegions],
    drawn_objects: Sequence[Ints32],
    count: int,
    config: SelfTrainingConfig = SelfTrainingConfig(),
) -> SelfTrained:
    """Objects are given view by view for every region, below `count`; -1: none. Drawings are
    accepted if photographs then agree better with what is learned from all others, and no class
    that regions resembled most is now resembled by none.
    """
    parts = [
        evidence([view], [objects], count)
        for view, objects in zip(photos, photo_objects, strict=True)
    ]
    seen = _sum(parts)
    if not drawings or not sum(len(v.features) for v in photos):
        return SelfTrained(seen.features, False, 0.0, 0.0)
    drawn = evidence(drawings, drawn_objects, count)
    none = ObjectEvidence(np.zeros_like(drawn.sums), np.zeros_like(drawn.total))
    before, alive = _agreement(photos, photo_objects, parts, seen, none)
    after, still = _agreement(
        photos,
        photo_objects,
        parts,
        seen,
        ObjectEvidence(config.weight * drawn.sums, config.weight * drawn.total),
    )
    features = seen.plus(drawn, config.weight).features
    accepted = after > before and _none_died(
        alive - still, still, features - seen.features.mean(0), config.alike
    )
    return SelfTrained(features if accepted else seen.features, accepted, before, after)


def _none_died(gone: set[int], still: set[int], features: Floats, alike: float) -> bool:
    """Whether each object that no region resembles most any more is like one that some region does:
    a part of the same.
    """
    unit = _unit(features)
    return all(any(float(unit[g] @ unit[s]) > alike for s in still) for g in gone)


def _sum(parts: Sequence[ObjectEvidence]) -> ObjectEvidence:
    return ObjectEvidence(np.sum([p.sums for p in parts], 0), np.sum([p.total for p in parts], 0))


def _agreement(
    photos: Sequence[ViewRegions],
    photo_objects: Sequence[Ints32],
    parts: Sequence[ObjectEvidence],
    seen: ObjectEvidence,
    more: ObjectEvidence,
) -> tuple[float, set[int]]:
    """Mean cosine of every region's feature and its object's, learned without that photograph; and
    the objects that are the most alike to some region.
    """
    mean = np.concatenate([v.features for v in photos]).mean(0)
    cosines, alive = [], set[int]()
    for view, objects, own in zip(photos, photo_objects, parts, strict=True):
        without = seen.plus(own, -1.0).plus(more, 1.0)
        learned = np.flatnonzero(without.total > 1e-6)
        directions = np.zeros_like(without.sums)
        directions[learned] = _unit(without.features[learned] - mean)
        regions = np.flatnonzero((objects >= 0) & (without.total[np.maximum(objects, 0)] > 1e-6))
        taught = _unit(view.features[regions] - mean)
        cosines.append((taught * directions[objects[regions]]).sum(1))
        alive |= set((taught @ directions.T).argmax(1).tolist())
    together = np.concatenate(cosines)
    return float(together.mean()) if len(together) else 0.0, alive


def _unit(rows: Floats) -> Floats:
    return np.asarray(
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32
    )
