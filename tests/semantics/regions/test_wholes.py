"""Groups of a tree of merges: their figures, and which of them are things."""

import itertools
from collections.abc import Iterable

import numpy as np
import pytest
from helpers import object_scenes

from backend.semantics.regions.boundaries import PatchGraph, patch_graph
from backend.semantics.regions.fused_surface import FusedSurface
from backend.semantics.regions.group_tree import dendrogram, group_tree
from backend.semantics.regions.merge_tree import PatchTree, merge_graph
from backend.semantics.regions.node_figures import NAMES, node_figures
from backend.semantics.regions.wholes import (
    Merges,
    WholeConfig,
    find_wholes,
    groups_of,
    likeliest_cut,
    merges_of,
)

SIDE = 40


def chain(costs: list[float]) -> PatchTree:
    """Leaves that join one group, one after the other."""
    pairs = np.array([(0, leaf) for leaf in range(1, len(costs) + 1)])
    return PatchTree(len(costs) + 1, pairs, np.array(costs))


def test_sums_and_joints_of_a_tree() -> None:
    tree = PatchTree(6, np.array([(0, 1), (2, 3), (0, 2)]), np.array([0.1, 0.2, 0.3]))
    nodes = dendrogram(tree)
    np.testing.assert_array_equal(nodes.children, [(0, 1), (2, 3), (6, 7)])
    np.testing.assert_array_equal(nodes.parents, [6, 6, 7, 7, -1, -1, 8, 8, -1])
    sums = nodes.sums(np.arange(6.0)[:, None])[:, 0]
    np.testing.assert_array_equal(sums, [0, 1, 2, 3, 4, 5, 1, 5, 6])
    pairs = np.array([(0, 1), (3, 1), (2, 2), (0, 4), (4, 5)])
    np.testing.assert_array_equal(nodes.joint(pairs), [6, 8, 2, -1, -1])


def test_groups_are_merges_of_two_that_are_large_and_not_surely_one() -> None:
    tree = chain([0.05, 0.3, 0.4, 0.6])
    sizes = np.array([40, 50, 5, 60, 70])  # crumb 2 is taken up; 0 and 1 are one
    groups = group_tree(dendrogram(tree), sizes, 30, 0.12)
    np.testing.assert_array_equal(groups.nodes, [3, 4, 6, 7, 8])
    np.testing.assert_array_equal(groups.parents, [3, 4, 3, 4, -1])
    np.testing.assert_array_equal(groups.first, [2, 2, 2, 0, 1])
    np.testing.assert_allclose(groups.births, [0, 0, 0, 0.4, 0.6])
    np.testing.assert_allclose(groups.deaths, [0.4, 0.6, 0.4, 0.6, 1.0])


def joined(ways: Iterable[tuple[list[int], ...]]) -> list[list[int]]:
    return [list(itertools.chain(*way)) for way in ways]


def cuts(parents: np.ndarray, group: int) -> list[list[int]]:
    """Every way to cut what is below a group."""
    kids = np.flatnonzero(parents == group).tolist()
    below = [cuts(parents, kid) for kid in kids]
    return [[group], *(joined(itertools.product(*below)) if kids else [])]


@pytest.mark.parametrize("seed", range(12))
def test_no_cut_is_likelier(seed: int) -> None:
    random = np.random.default_rng(seed)
    parents, free, wholes, parts = [-1] * 7, list(range(7)), [], []
    while len(free) > 1 + seed % 2:  # one tree, or two
        a, b = (free.pop(int(random.integers(len(free)))) for _ in range(2))
        parents[a] = parents[b] = len(parents)
        wholes.append(len(parents))
        parts.append((a, b))
        free.append(len(parents))
        parents.append(-1)
    above, count = np.array(parents), len(wholes)
    merges = Merges(
        np.array(wholes), np.array(parts), np.zeros((count, 0)), random.uniform(0.2, 3, count)
    )
    within = random.random(count)
    for wary in (0.0, 0.7):
        odds = np.log(within / (1 - within)) - wary
        chance = 1 / (1 + np.exp(-odds))

        def worth(cut: tuple[int, ...], chance: np.ndarray = chance) -> float:
            inside = set(cut)
            for group in range(len(above) - 1, -1, -1):
                if above[group] in inside:
                    inside.add(group)
            known = np.array([w in inside for w in merges.wholes])
            return float(merges.weights @ np.log(np.where(known, chance, 1 - chance)))

        ways = joined(itertools.product(*[cuts(above, root) for root in free]))
        best = max(worth(tuple(way)) for way in ways)
        found = likeliest_cut(above, merges, within, WholeConfig(wary=wary))
        assert worth(tuple(np.flatnonzero(found))) == pytest.approx(best)


def desk(unit: float = 1.0) -> tuple[FusedSurface, PatchGraph, list[np.ndarray]]:
    """A plane of SIDE x SIDE voxels, one a pixel, and a box of 12 x 12 before it in two colours."""
    rows, columns = np.divmod(np.arange(SIDE**2), SIDE)
    box = (rows >= 15) & (rows < 27) & (columns >= 15) & (columns < 27)
    points = np.stack([columns, rows, np.where(box, -6.0, 0.0)], 1).astype(float)
    right, down = np.flatnonzero(columns < SIDE - 1), np.flatnonzero(rows < SIDE - 1)
    pairs = np.concatenate([np.stack([right, right + 1], 1), np.stack([down, down + SIDE], 1)])
    surface = FusedSurface(
        points=unit * points,
        normals=np.tile([0.0, 0.0, -1.0], (SIDE**2, 1)),
        widths=np.full(SIDE**2, unit),
        cells=points,
        pairs=pairs,
        maps=[np.arange(SIDE**2, dtype=np.int32).reshape(SIDE, SIDE)],
    )
    colors = np.where(box, np.where(columns < 21, 30.0, 80.0), 55.0)[:, None] * [1.0, 0.2, 0.1]
    steps = np.linalg.norm(colors[pairs[:, 0]] - colors[pairs[:, 1]], axis=1)
    planes = np.where(box, -1, 0).astype(np.int32)
    graph = patch_graph(surface, planes, (steps, np.ones(len(pairs), int)), colors)
    return surface, graph, [unit * (20 + points[:, 2]).reshape(SIDE, SIDE).astype(np.float32)]


def test_figures_tell_how_a_box_stands_on_a_plane() -> None:
    surface, graph, depths = desk()
    tree = merge_graph(graph.sizes, graph.pairs, graph.boundary, graph.contact, 30.0, np.inf)
    nodes = dendrogram(tree)
    groups = group_tree(nodes, graph.sizes, 30, 0.05)
    found = node_figures(surface, graph, graph.boundary, depths, (nodes, groups))
    sizes = np.exp(found[:, NAMES.index("size")]).round().astype(int)
    figures = {n: found[:, i] for i, n in enumerate(NAMES)}
    half, whole, plane = (np.flatnonzero(sizes == s)[0] for s in (72, 144, SIDE**2 - 144))
    assert figures["front"][whole] == 1 and figures["behind"][plane] == 1
    assert figures["front"][half] == pytest.approx(24 / 36, abs=0.01)
    assert figures["stands"][whole] == pytest.approx(1) and figures["stands"][plane] == 0
    assert figures["on_plane"][plane] == 1 and figures["on_plane"][whole] == 0
    assert figures["plane_share"][plane] == 1 and figures["cut"][plane] == 1
    assert figures["cut"][whole] == 0 and figures["shown"][whole] == 1
    assert figures["flat"][whole] < 1e-3 and figures["long"][whole] == pytest.approx(1, abs=0.01)
    assert figures["long"][half] == pytest.approx(0.5, abs=0.02)
    assert figures["colors"][whole] > figures["colors"][half]
    assert figures["rim"][whole] == pytest.approx(0.9) and figures["closed"][whole] > 0.999
    for unit in (1e-7, 1e5):
        small, patches, far = desk(unit)
        other = node_figures(small, patches, graph.boundary, far, (nodes, groups))
        np.testing.assert_allclose(other, found, atol=1e-6)
    merges = merges_of(groups, found)
    box = np.flatnonzero(merges.wholes == whole)[0]
    assert set(sizes[merges.parts[box]]) == {72} and np.isfinite(found).all()
    labels = groups_of(groups, np.isin(np.arange(len(sizes)), [whole, plane]))
    assert set(np.bincount(labels[graph.patches])) - {0} == {144, SIDE**2 - 144}


def test_every_patch_is_of_one_whole() -> None:
    surface, graph, depths = desk()
    tree = merge_graph(graph.sizes, graph.pairs, graph.boundary, graph.contact, 30.0, np.inf)
    found = find_wholes(surface, graph, graph.boundary, tree, depths)
    assert found.shape == graph.sizes.shape and set(found) == set(range(found.max() + 1))
    alone = find_wholes(surface, graph, graph.boundary, tree, depths, WholeConfig(least=10**6))
    assert len(set(alone)) == len(graph.sizes), "what is too small is no group"
    one = find_wholes(surface, graph, graph.boundary, tree, depths, WholeConfig(least=1000))
    assert len(set(one)) == 1, "what takes up the rest is one"


@pytest.mark.parametrize("kind", object_scenes.KINDS)
def test_scenes_show_what_they_say(kind: str) -> None:
    scene = object_scenes.make(0, kind, views=2)
    shown = {int(o) for owners in scene.owners for o in np.unique(owners) if o >= 0}
    assert len(shown) >= 2 or kind == "orbit"
    assert max(shown) < len(scene.classes) and len(scene.images) == 2
    assert not np.array_equal(scene.images[0], scene.images[1])
    assert (scene.objects >= 0).mean() > 0.1
