"""Objects by shape alone, in rooms whose objects are known."""

import numpy as np
import pytest
from helpers import furnished_room
from scipy.spatial.transform import Rotation

from backend.semantics.regions.planes import PlaneConfig, find_planes
from backend.semantics.regions.proposals import ProposalConfig, propose, typical_spacing


@pytest.fixture(scope="module")
def room() -> furnished_room.Room:
    return furnished_room.make(1, views=16, pieces=8)


def recall(room: furnished_room.Room, found: np.ndarray) -> float:
    good = []
    for o in np.unique(room.objects[room.objects >= 0]):
        mine = room.objects == o
        if mine.sum() >= 40 and furnished_room.CLASSES[room.classes[o]] != "rug":
            good.append(
                max(
                    (mine & (found == k)).sum()
                    / (mine | ((found == k) & (room.objects >= 0))).sum()
                    for k in np.unique(found[mine])
                )
            )
    return float(np.mean(np.array(good) > 0.5))


@pytest.mark.parametrize("scale", [1.0, 0.01, 300.0])
def test_furniture_falls_apart_whatever_the_units_and_the_axes(
    room: furnished_room.Room, scale: float
) -> None:
    turn = Rotation.from_euler("xyz", (20, 50, 70), degrees=True).as_matrix()
    means = (scale * room.gaussians.means.numpy() @ turn.T + 3 * scale).astype(np.float32)
    found = propose(means, room.rgb.astype(np.float32), room.gaussians.opacities.numpy())
    assert found.min() == 0 and recall(room, found) >= 0.85
    counts = np.bincount(found)
    assert len(counts) < 40 and counts[0] == counts.max()


def test_planes_are_found_in_order_of_size() -> None:
    random = np.random.default_rng(0)
    floor = np.concatenate([random.uniform(-5, 5, (4000, 2)), random.normal(0, 0.01, (4000, 1))], 1)
    wall = np.concatenate(
        [
            np.full((2000, 1), 5.0),
            random.uniform(-5, 5, (2000, 1)),
            random.uniform(0.3, 3, (2000, 1)),
        ],
        1,
    )
    means = np.concatenate([wall, floor, random.uniform(-5, 5, (600, 3))]).astype(np.float32)
    labels = find_planes(means, typical_spacing(means))
    assert (
        (labels[2000:6000] == 0).mean() > 0.97
        and (labels[:2000] == 1).mean() > 0.97
        and (labels[6000:] < 0).mean() > 0.9
    )
    line = np.repeat(np.linspace(0, 1, 500, dtype=np.float32)[:, None], 3, 1)
    assert find_planes(line, 0.01).shape == (500,), "points on a line have no plane, or any"


def test_nothing_and_next_to_nothing() -> None:
    few = np.random.default_rng(0).random((7, 3)).astype(np.float32)
    assert (propose(few, few, np.ones(7, np.float32)) == -1).all()
    assert (
        propose(np.repeat(few, 30, 0), np.repeat(few, 30, 0), np.zeros(210, np.float32)) == -1
    ).all(), "all is transparent"
    same = np.zeros((100, 3), np.float32)
    assert (propose(same, same, np.ones(100, np.float32)) >= 0).all(), "all in one place"


def test_patterns_do_not_part_things_but_a_few_colours_do() -> None:
    random = np.random.default_rng(0)
    side = np.stack(np.meshgrid(np.linspace(0, 1, 60), np.linspace(0, 1, 60)), -1).reshape(-1, 2)
    boxes = [
        np.concatenate([np.insert(side, axis, at, 1) for axis in range(3) for at in (0.0, 1.0)])
        + offset
        for offset in (0.0, 2.5)
    ]
    means = np.concatenate(boxes).astype(np.float32) + random.normal(
        0, 0.001, (2 * 21600, 3)
    ).astype(np.float32)
    mosaic = random.random((8, 8, 8, 3)).astype(np.float32)
    cell = (means[:21600] * 7.99).clip(0, 7).astype(int)
    halves = np.where(means[21600:, 2:] > 3.0, (0.9, 0.2, 0.2), (0.2, 0.2, 0.9))
    rgb = np.concatenate([mosaic[tuple(cell.T)], halves]).astype(np.float32)
    found = propose(
        means, rgb, np.ones(len(means), np.float32), ProposalConfig(planes=PlaneConfig(most=0))
    )
    assert len(np.unique(found[:21600])) == 1 and len(np.unique(found[21600:])) == 2
