"""The parts of `make bench ROOM=semantics` that judge what is done with objects: clicks, what is
taken out, what it costs.
"""

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from helpers import furnished_room
from helpers.furnished_room import Room

from backend.formats import capture, splat_ply
from tests.benchmarks import semantic_clicks, semantic_rooms, semantic_speed
from tests.benchmarks.semantic_clicks import KnowingSam, clicks, frayed
from tests.benchmarks.semantic_extract import crumbs


@pytest.fixture(scope="module")
def room() -> Room:
    return furnished_room.make(0, views=4, pieces=6)


def test_a_sam_that_knows_answers_what_lies_there() -> None:
    masks = np.full((8, 10), -1, np.int32)
    masks[2:5, 3:7] = 4
    sam = KnowingSam(masks)
    seen = sam.look(np.zeros((8, 10, 3), np.uint8))
    places = np.array([[[3.5, 2.5]], [[0.5, 0.5]]], np.float32)
    found = sam.ask(seen, places, np.ones((2, 1), np.float32))
    np.testing.assert_array_equal(found.at_size(0, 0, 10, 8), masks == 4)
    assert not found.at_size(1, 0, 10, 8).any(), "nothing is there"


def test_frayed_masks_are_nearly_right(room: Room) -> None:
    random = np.random.default_rng(0)
    same = [(frayed(o, random) == o)[o >= 0].mean() for o in room.owners]
    assert 0.9 < np.mean(same) < 1


def test_clicks_score_by_what_they_mean(room: Room, tmp_path: Path) -> None:
    furnished_room.write(room, tmp_path)
    ply = tmp_path / "splats.ply"
    with patch.object(semantic_rooms, "unseen", lambda: [0, 1, 2, 3]):
        right = clicks(room, ply, 0, tmp_path / "meant")
        with patch.object(semantic_clicks, "frayed", lambda owners, _: np.roll(owners, 40, 1)):
            wrong = clicks(room, ply, 0, tmp_path / "meant")
    for right_ones, wrong_ones in zip(right, wrong, strict=True):
        assert np.mean(right_ones) > 0.5 > np.mean(wrong_ones) + 0.2


def test_crumbs_are_what_lies_beside_the_largest_part() -> None:
    shown = np.zeros((20, 20), bool)
    assert crumbs(shown) == 0
    shown[2:11, 2:12] = True
    assert crumbs(shown) == 0
    shown[15, 5:15] = True
    assert crumbs(shown) == pytest.approx(0.1)


def test_a_scene_of_any_size_is_written(room: Room, tmp_path: Path) -> None:
    folder = semantic_speed.written(room, 30_000, tmp_path / "scene")
    arrays, source = splat_ply.read(folder / "splats.ply"), capture.read(folder)
    assert len(arrays) == 30_000 and arrays.sh.shape[1] == 16
    assert len(source.frames) == 4 and source.frames[0].width == 480
    assert all(f.image.is_file() for f in source.frames)
