"""Objects as parts of wholes."""

import numpy as np

from backend.cutting.hierarchy import sound_tree, tree_of
from backend.semantics.object_tree import object_tree, objects_of
from backend.semantics.regions.merge_tree import PatchTree


def blocks(*places: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flat squares one unit wide and of one color; those side by side touch."""
    side = (np.arange(60) + 0.5) / 60
    square = np.stack([*np.meshgrid(side, side), np.zeros((60, 60))], -1).reshape(-1, 3)
    means = np.concatenate([np.add(square, (x, 0, 0)) for x in places])
    labels = np.repeat(np.arange(len(places)), len(square)).astype(np.int32)
    return means.astype("f"), np.full((len(means), 3), 0.5, "f"), labels


def test_pieces_become_objects_or_none() -> None:
    pieces = [np.array([0, 2], np.int32), np.array([2, 3], np.int32)]
    objects = [np.array([1, -1], np.int32), np.array([0, -1], np.int32)]
    assert objects_of(pieces, objects, 5).tolist() == [1, -1, 0, -1, -1]


def test_pictures_tell_what_contact_does_not() -> None:
    """Four blocks of one color in a row, of which two have no boundary between them."""
    owner = np.arange(4, dtype=np.int32)
    for pair, rest in (((0, 1), [[2, 3], [0, 2]]), ((2, 3), [[0, 1], [0, 2]])):
        pieces = PatchTree(4, np.array([pair, *rest]), np.array([0.0, 0.9, 1.0]))
        tree = object_tree(blocks(0, 1, 2, 3), 4, None, pieces, owner)
        assert tree.pairs[0].tolist() == [*pair] and len(tree.pairs) == 3
        sound_tree(tree.pairs, tree.rates.astype("f"), 4)
        assert (np.diff(tree.rates) <= 0).all() and set(tree.at(1).tolist()) == {0}


def test_what_pictures_never_join_is_joined_at_last() -> None:
    pieces = PatchTree(4, np.array([[0, 1], [0, 2]]), np.array([0.3, 0.5]))
    owner = np.array([0, -1, 1, 2], np.int32)  # a piece of no object between two of one
    tree = object_tree(blocks(0, 1, 9), 3, None, pieces, owner)
    assert tree.pairs[0].tolist() == [0, 1] and set(tree.at(1).tolist()) == {0}


def test_without_pieces_it_is_contact_and_likeness() -> None:
    splats = blocks(0, 1, 9)
    wanted, found = tree_of(*splats, 3), object_tree(splats, 3)
    assert found.pairs.tolist() == wanted.pairs.tolist()
    assert len(object_tree(blocks(0), 1).pairs) == 0
