"""Objects as parts of wholes."""

import numpy as np

from backend.cutting.hierarchy import sound_tree, tree_of
from backend.semantics.object_tree import object_tree, objects_of
from backend.semantics.regions.merge_tree import PatchTree


def blocks(*places: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blocks one unit wide and of one color."""
    random = np.random.default_rng(0)
    means = np.concatenate([np.add(random.random((400, 3)), (x, 0, 0)) for x in places])
    labels = np.repeat(np.arange(len(places)), 400).astype(np.int32)
    return means.astype("f"), np.full((len(means), 3), 0.5, "f"), labels


def test_pieces_become_objects_or_none() -> None:
    pieces = [np.array([0, 2], np.int32), np.array([2, 3], np.int32)]
    objects = [np.array([1, -1], np.int32), np.array([0, -1], np.int32)]
    assert objects_of(pieces, objects, 5).tolist() == [1, -1, 0, -1, -1]


def test_the_pictures_tree_comes_first_and_contact_joins_the_rest() -> None:
    """Pieces 0 and 3 are joined by a dear merge, although 0 touches 1; nothing else was seen."""
    pieces = PatchTree(4, np.array([[3, 0]]), np.array([0.6]))
    found = object_tree(blocks(0, 1, 9, 20), 4, None, pieces, np.array([0, 1, 2, 3], np.int32))
    assert found.pairs[0].tolist() == [3, 0] and len(found.pairs) == 3
    sound_tree(found.pairs, found.rates.astype("f"), 4)
    assert found.at(1 / 3).tolist() == [0, 1, 2, 0] and set(found.at(1).tolist()) == {0}
    assert found.at(2 / 3).tolist() == [0, 0, 2, 0], "block 1 touches block 0"
    assert (np.diff(found.rates) <= 0).all() and found.rates[0] == 0.4


def test_a_piece_of_no_object_joins_what_lies_on_both_sides_of_it() -> None:
    pieces = PatchTree(3, np.array([[0, 1], [0, 2]]), np.array([0.3, 0.5]))
    found = object_tree(blocks(0, 9), 2, None, pieces, np.array([0, -1, 1], np.int32))
    assert found.pairs.tolist() == [[0, 1]] and found.rates.tolist() == [0.5]


def test_without_pieces_it_is_contact_and_likeness() -> None:
    splats = blocks(0, 1, 9)
    wanted, found = tree_of(*splats, 3), object_tree(splats, 3)
    assert found.pairs.tolist() == wanted.pairs.tolist()
    assert len(object_tree(blocks(0), 1).pairs) == 0
