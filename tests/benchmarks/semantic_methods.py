"""The ways from what a teacher says of pictures to labels of Gaussians that are compared: from the
plain lift to all of it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from helpers.furnished_room import Room
from helpers.teacher_simulator import Simulator, TaughtView

from backend.geometry.arrays import Floats, Ints32
from backend.semantics.lift import lift
from backend.semantics.novel_views import between
from backend.semantics.object_codes import encode, evidence
from backend.semantics.object_index import ObjectIndexConfig, index_objects, nearest, owners, spread
from backend.semantics.regions.proposals import propose
from backend.semantics.regions.view_regions import ViewRegions, weigh
from backend.semantics.self_training import self_train
from backend.semantics.view_features import drawn_regions, without_tiny

SEEN = 0.5  # pixels of weight from which a Gaussian has a feature
BASIS = 16  # dimensions of the shared basis that compact codes of the lift are held in
WORSE = 0.1  # more confusion on drawings than on photographs, in one of the rows


@dataclass(frozen=True)
class Labelled:
    """What a method says. CPU seconds are from the weights on, encoder aside."""

    method: str
    labels: np.ndarray  # (N,) class, -1: none
    owners: Ints32 | None  # (N,) object
    cpu_seconds: float


def weigh_view(
    room: Room, i: int, regions: np.ndarray, features: np.ndarray, finer: int = 3
) -> ViewRegions:
    return weigh(room.gaussians, room.views[i], regions, features, finer)


def methods(
    room: Room, teacher: Simulator, taught: list[TaughtView], chosen: list[int], wanted: int
) -> Iterator[Labelled]:
    """Of the chosen views, each method in turn. `wanted`: photographs and drawings together, for
    self-training.
    """
    start = time.process_time()
    views = [weigh_view(room, i, taught[i].regions, taught[i].features) for i in chosen]
    weighed = time.process_time() - start
    mean, texts = np.concatenate([v.features for v in views]).mean(0), teacher.text

    def named(features: Floats) -> np.ndarray:
        return ((features - mean) @ (texts - texts.mean(0)).T).argmax(1)

    def done(method: str, labels: np.ndarray, owner: Ints32 | None = None) -> Labelled:
        return Labelled(method, labels, owner, weighed + time.process_time() - start)

    start = time.process_time()
    lifted, weight = lift(
        [weigh_view(room, i, taught[i].regions, taught[i].features, 1) for i in chosen]
    )
    yield done("lift", np.where(weight > SEEN, named(lifted), -1))
    start = time.process_time()
    lifted, weight = lift(views)
    yield done("lift, finer", np.where(weight > SEEN, named(lifted), -1))
    yield done(
        f"lift, finer, compact in a basis of {BASIS}",
        np.where(weight > SEEN, named(_in_basis(lifted, weight)), -1),
    )
    means = room.gaussians.means.numpy()
    shape = propose(means, room.rgb.astype(np.float32), room.gaussians.opacities.numpy())
    neighbors = nearest(means)
    for method, pieces in (("object index", None), ("object index and shape", shape)):
        start = time.process_time()
        shares, regions = index_objects(
            [v.weights for v in views], neighbors, ObjectIndexConfig(), pieces
        )
        shares = spread(shares, means)
        features, owner = evidence(views, regions, shares.shape[1]).features, owners(shares)
        yield done(method, np.where(owner >= 0, named(features)[owner], -1), owner)
    codes = encode(shares)
    yield done("compact codes of it", np.where(owner >= 0, named(codes.mix(features)), -1))
    for method, more in (("and self-training", 0.0), ("and self-training, drawings worse", WORSE)):
        drawings, numbers = _drawings(
            room, teacher, owner, [room.views[i] for i in chosen], wanted - len(chosen), more
        )
        start = time.process_time()
        trained = self_train(views, regions, drawings, numbers, shares.shape[1])
        yield done(method, np.where(owner >= 0, named(trained.features)[owner], -1), owner)


def _in_basis(features: Floats, weight: Floats) -> Floats:
    """Gaussians' features in the directions in which they differ most: Semantic Attribute
    Compactness on the lift itself.
    """
    mean = features[weight > SEEN].mean(0)
    _, _, directions = np.linalg.svd(features[weight > SEEN][::7] - mean, full_matrices=False)
    basis = directions[:BASIS]
    return np.asarray((features - mean) @ basis.T @ basis + mean, np.float32)


def _drawings(
    room: Room, teacher: Simulator, owner: Ints32, cameras: list, count: int, worse: float
) -> tuple[list[ViewRegions], list[Ints32]]:
    """What the teacher says of the objects as they are drawn from between the cameras; it knows
    what is truly there.
    """
    plain, found, numbers = teacher.config, [], []
    teacher.config = replace(plain, confusion=plain.confusion + worse)
    for view in between(cameras, count):
        labels, kept = without_tiny(*drawn_regions(room.gaussians, view, owner))
        truth, _ = drawn_regions(room.gaussians, view, room.objects.astype(np.int32))
        found.append(
            weigh(room.gaussians, view, labels, teacher.given(truth, labels, len(kept), view), 1)
        )
        numbers.append(kept)
    teacher.config = plain
    return found, numbers
