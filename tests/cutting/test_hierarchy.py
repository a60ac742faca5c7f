"""From parts to wholes."""

import numpy as np
import pytest

from backend.cutting.hierarchy import MergeTree, sound_tree, tree_of


def test_groups_grow_with_the_share_of_merges() -> None:
    tree = sound_tree(np.array([[1, 2], [4, 0], [5, 3]]), np.array([0.9, 0.5, 0.1], "f"), 4)
    assert tree.at(0).tolist() == [0, 1, 2, 3]
    assert tree.at(1 / 3).tolist() == [0, 1, 1, 3]
    assert tree.at(2 / 3).tolist() == [0, 0, 0, 3]
    assert tree.at(1).tolist() == [0, 0, 0, 0] == tree.at(7).tolist()


@pytest.mark.parametrize("pairs", [[[0, 9]], [[-1, 0]], [[0, 3]]])
def test_a_tree_that_names_what_is_not_there_is_refused(pairs: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        sound_tree(np.array(pairs), np.array([0.5], "f"), 3)
    assert sound_tree(np.zeros((0, 2), np.int64), np.zeros(0, "f"), 1).at(1).tolist() == [0]


def _row() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Four blocks in a row: red, red, blue; and a red one far away."""
    random = np.random.default_rng(0)
    means = np.concatenate([np.add(random.random((800, 3)), (x, 0, 0)) for x in (0, 1, 2, 9)])
    colors = np.repeat([[0.9, 0.1, 0.1], [0.9, 0.1, 0.1], [0.1, 0.1, 0.9], [0.9, 0.1, 0.1]], 800, 0)
    return means.astype("f"), colors.astype("f"), np.repeat(np.arange(4), 800).astype(np.int32)


def test_what_touches_and_looks_alike_is_merged_first() -> None:
    means, rgb, labels = _row()
    tree = tree_of(means, rgb, labels, 4)
    assert isinstance(tree, MergeTree) and len(tree.pairs) == 3
    assert tree.at(1 / 3).tolist() == [0, 0, 2, 3] and tree.at(2 / 3).tolist() == [0, 0, 0, 3]
    assert (np.diff(tree.rates) <= 0).all()


def test_what_a_model_saw_counts() -> None:
    """The second block shows the same thing as the third."""
    means, rgb, labels = _row()
    rgb[:] = 0.5
    features = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    assert tree_of(means, rgb, labels, 4, features).at(1 / 3).tolist() == [0, 1, 1, 3]


def test_empty_objects_do_no_harm() -> None:
    tree = tree_of(np.zeros((0, 3), "f"), np.zeros((0, 3), "f"), np.zeros(0, np.int32), 3)
    assert len(tree.pairs) == 2 and tree.at(1).tolist() == [0, 0, 0]
    assert len(tree_of(*_row()[:2], np.full(3200, -1, np.int32), 1).pairs) == 0
