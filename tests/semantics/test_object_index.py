"""Objects out of flawed regions of many views, in a room whose objects are known."""

import numpy as np
import pytest
from helpers import furnished_room, teacher_simulator
from helpers.furnished_room import Room
from helpers.teacher_simulator import SimulatorConfig
from scipy.sparse import csr_matrix

from backend.formats.semantics_file import NOTHING
from backend.geometry.sparse_rows import sums
from backend.semantics.agglomerate import agglomerate
from backend.semantics.lift import lift
from backend.semantics.object_codes import KEPT, encode, evidence
from backend.semantics.object_index import ObjectIndexConfig, index_objects, nearest, owners, spread
from backend.semantics.regions.proposals import propose
from backend.semantics.regions.view_regions import ViewRegions, weigh


@pytest.fixture(scope="module")
def room() -> Room:
    return furnished_room.make(0, views=16, pieces=8)


@pytest.fixture(scope="module")
def views(room: Room) -> list[ViewRegions]:
    taught = teacher_simulator.teach(room, SimulatorConfig(always_wrong=0))
    return [
        weigh(room.gaussians, v, t.regions, t.features, 2)
        for v, t in zip(room.views, taught, strict=True)
    ]


@pytest.fixture(scope="module")
def index(room: Room, views: list[ViewRegions]) -> tuple[csr_matrix, list[np.ndarray]]:
    return index_objects(
        [v.weights for v in views], nearest(room.gaussians.means.numpy()), ObjectIndexConfig()
    )


def best_overlap(mine: np.ndarray, owner: np.ndarray, visible: np.ndarray) -> float:
    there = np.unique(owner[mine & (owner >= 0)])
    return max(
        ((mine & (owner == k)).sum() / (mine | (visible & (owner == k))).sum() for k in there),
        default=0.0,
    )


@pytest.mark.whole
def test_objects_are_found_though_regions_are_split_merged_and_frayed(
    room: Room, views: list[ViewRegions], index: tuple[csr_matrix, list[np.ndarray]]
) -> None:
    owner = owners(index[0])
    visible = (sum(np.asarray(v.weights.sum(1)).ravel() for v in views) > 4) & (room.objects >= 0)
    sizes = np.bincount(room.objects[visible], minlength=len(room.classes))
    overlaps = [
        best_overlap(visible & (room.objects == o), owner, visible)
        for o in np.flatnonzero(sizes >= 30)
    ]
    assert np.mean(np.array(overlaps) > 0.5) >= 0.9
    assert len(index[1]) == len(views) and all(
        len(r) == v.weights.shape[1] for r, v in zip(index[1], views, strict=True)
    )
    counts = np.bincount(owner[owner >= 0])
    assert (np.diff(counts) <= 0.2 * counts[:-1] + 5).all(), "the largest come first"


@pytest.mark.whole
def test_shape_bears_witness_where_views_are_few(room: Room, views: list[ViewRegions]) -> None:
    means, few = room.gaussians.means.numpy(), [v.weights for v in views[::5]]
    pieces = propose(means, room.rgb.astype(np.float32), room.gaussians.opacities.numpy())
    visible = (sum(np.asarray(v.weights.sum(1)).ravel() for v in views) > 4) & (room.objects >= 0)
    found = []
    for given in (None, pieces):
        shares, regions = index_objects(few, nearest(means), ObjectIndexConfig(), given)
        assert len(regions) == len(few)
        owner = owners(spread(shares, means))
        sizes = np.bincount(room.objects[visible], minlength=len(room.classes))
        found.append(
            np.mean(
                [
                    best_overlap(visible & (room.objects == o), owner, visible)
                    for o in np.flatnonzero(sizes >= 30)
                ]
            )
        )
    assert found[1] > found[0] + 0.05


@pytest.mark.whole
def test_objects_name_gaussians_better_than_the_lift_does(
    room: Room, views: list[ViewRegions], index: tuple[csr_matrix, list[np.ndarray]]
) -> None:
    text = teacher_simulator.text_features()
    mean = np.concatenate([v.features for v in views]).mean(0)

    def right(features: np.ndarray, known: np.ndarray) -> float:
        named = ((features - mean) @ (text - text.mean(0)).T).argmax(1)
        furniture = known & (room.objects >= 3)
        return float((named == room.classes[room.objects])[furniture].mean())

    lifted, weight = lift(views)
    known = (weight > 4) & (sums(index[0]) > 0)
    learned = evidence(views, index[1], index[0].shape[1])
    assert (learned.total > 0).all()
    assert right(encode(index[0]).mix(learned.features), known) > right(lifted, known) + 0.02


def test_what_no_view_shows_takes_after_its_neighbours() -> None:
    shares = np.array([[1, 0], [0, 1], [0, 0]], np.float32)
    means = np.array([[0, 0, 0], [5, 0, 0], [4, 0, 0]], np.float32)
    assert owners(shares).tolist() == [0, 1, -1]
    assert owners(spread(csr_matrix(shares), means)).tolist() == [0, 1, 1]
    assert spread(csr_matrix(0 * shares), means).nnz == 0, "nothing to take after"


def test_codes_keep_the_largest_shares() -> None:
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.full(9, 0.2), 200).astype(np.float32)
    codes, values = encode(shares), random.normal(size=(9, 4)).astype(np.float32)
    assert (codes.objects[:, 0] == shares.argmax(1)).all()
    assert codes.objects.nbytes + codes.shares.nbytes == 9 * 200
    kept = -np.sort(-shares, 1)[:, :KEPT].sum(1)
    sure = kept > 0.99
    np.testing.assert_allclose(codes.mix(values)[sure], (shares @ values)[sure], atol=0.05)
    nothing = encode(np.zeros((2, 9), np.float32))
    assert (nothing.objects == NOTHING).all() and (nothing.mix(values) == 0).all()
    single = encode(np.ones((2, 1), np.float32))
    assert single.objects[0].tolist() == [0, NOTHING, NOTHING] and single.mix(values[:1]).shape == (
        2,
        4,
    )


def test_agglomeration_adds_up_evidence() -> None:
    """Two clear pairs; a single witness would join them, and many who are heard once the pairs are
    made would not.
    """
    shared = np.array([[9, 9, 0.6, 0], [9, 9, 0, 0], [0.6, 0, 9, 8], [0, 0, 8, 9]], float)
    seen = np.full((4, 4), 10.0)
    seen[0, 2] = seen[2, 0] = 1.0
    groups = agglomerate(shared.copy(), seen.copy(), 0.5)
    assert groups[0] == groups[1] and groups[2] == groups[3] and groups[0] != groups[2]
    assert (
        len(np.unique(agglomerate(shared, seen, 1.5))) == 4
        and agglomerate(shared[:0, :0], seen[:0, :0], 0.5).size == 0
    )
