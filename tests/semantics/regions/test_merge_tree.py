"""Agglomeration of a sparse graph, against doing it the slow way."""

import numpy as np

from backend.semantics.regions.merge_tree import merge_graph


def slow(sizes: np.ndarray, table: np.ndarray, contact: np.ndarray, small: float, stop: float):
    """Dense: the cheapest of all pairs is merged, again and again."""
    groups = [{i} for i in range(len(sizes))]
    sizes, sums, contact = sizes.astype(float).copy(), table * contact, contact.copy()
    while True:
        least = np.minimum(sizes[:, None], sizes)
        cost = np.full(sums.shape, np.inf)
        np.divide(sums, contact, out=cost, where=contact > 0)
        cost *= least / (least + small)
        np.fill_diagonal(cost, np.inf)
        a, b = divmod(int(cost.argmin()), len(sizes))
        if cost[a, b] >= stop:
            return {frozenset(g) for g in groups if g}
        groups[a], groups[b] = groups[a] | groups[b], set()
        sizes[a] += sizes[b]
        for t in (sums, contact):
            t[a] += t[b]
            t[:, a] += t[:, b]
            t[b] = t[:, b] = 0


def test_it_merges_as_a_dense_table_would() -> None:
    for seed in range(6):
        random = np.random.default_rng(seed)
        pairs = np.array([(a, b) for a in range(30) for b in range(a) if random.random() < 0.2])
        boundary, contact = random.random(len(pairs)), random.uniform(0.5, 9, len(pairs))
        sizes = random.integers(1, 40, 30)
        table, touch = np.zeros((30, 30)), np.zeros((30, 30))
        for (a, b), w, c in zip(pairs, boundary, contact, strict=True):
            table[a, b] = table[b, a] = w
            touch[a, b] = touch[b, a] = c
        for stop in (0.1, 0.3, 0.6):
            found = merge_graph(sizes, pairs, boundary, contact, 10.0, stop).cut(stop)
            groups = {frozenset(np.flatnonzero(found == g).tolist()) for g in np.unique(found)}
            assert groups == slow(sizes, table, touch, 10.0, stop)


def test_a_tree_is_cut_anywhere_below_where_it_stopped() -> None:
    pairs = np.array([[0, 1], [1, 2], [2, 3]])
    tree = merge_graph(np.full(4, 9), pairs, np.array([0.1, 0.5, 0.3]), np.ones(3), 0.0, 0.9)
    assert len(tree.pairs) == 3 and (np.diff(tree.costs) >= 0).all()
    assert [len(np.unique(tree.cut(c))) for c in (0.05, 0.2, 0.4, 0.9)] == [4, 3, 2, 1]
    none = merge_graph(np.ones(2, int), np.zeros((0, 2), int), np.zeros(0), np.zeros(0), 1.0, 1.0)
    assert none.cut(1.0).tolist() == [0, 1]


def test_the_tree_of_groups_joins_them_as_their_leaves_are_joined() -> None:
    """Two groups and a leaf of none in the middle of a chain, which hangs together through it."""
    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    boundary = np.array([0.1, 0.5, 0.7, 0.2])
    tree = merge_graph(np.full(5, 9), pairs, boundary, np.ones(4), 0.0, np.inf)
    above = tree.of_groups(np.array([0, 0, -1, 1, 1]), 2)
    assert above.pairs.tolist() in ([[0, 1]], [[1, 0]]) and above.costs.tolist() == [0.7]
    assert above.cut(0.7).tolist() == [0, 1] and above.cut(np.inf).tolist() == [0, 0]
    assert tree.of_groups(np.arange(5), 5).costs.tolist() == tree.costs.tolist()
    assert not len(tree.of_groups(np.full(5, -1), 0).pairs)


def test_heights_are_those_of_the_merge_that_joins_two() -> None:
    pairs = np.array([[0, 1], [1, 2]])
    tree = merge_graph(np.full(4, 9), pairs, np.array([0.1, 0.5]), np.ones(2), 0.0, np.inf)
    high = np.inf
    wanted = [[high, 0.1, 0.5, high], [0.1, high, 0.5, high], [0.5, 0.5, high, high], [high] * 4]
    np.testing.assert_array_equal(tree.heights(), wanted)
    for cost in (0.05, 0.3, 0.9):
        groups = tree.cut(cost)
        together = (groups[:, None] == groups) & ~np.eye(4, dtype=bool)
        np.testing.assert_array_equal(tree.heights() < cost, together)
