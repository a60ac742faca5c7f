"""What is known of every group of patches that may be one thing: how it ends and what it is like
inside, how it stands out before what lies behind it, its shape, its colours, and how whole views
show it. Objectness is told by them, see objectness.py.

Groups are the nodes of the tree of merges, without those that only took up crumbs: like clusters in
a condensed tree (Campello et al. 2013).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Doubles, Flags, Floats, Ints, Ints32
from .boundaries import PatchGraph
from .fused_surface import FusedSurface
from .merge_tree import PatchTree
from .outlines import outlines

NAMES = (
    "birth",  # cost of the merge that made it,
    "death",  # of the one that ends it, at most 1
    "life",  # log of the second over the first
    "rim",  # mean boundary along its rim,
    "open",  # share of the rim with less than 0.15 of it,
    "closed",  # with more than 0.4
    "inner",  # mean boundary within,
    "parted",  # share of it within with more than 0.4
    "rim_folds", "rim_ends", "rim_light", "rim_hue", "rim_edge",  # see boundary_evidence
    "inner_folds", "inner_ends", "inner_hue", "inner_edge",
    "front",  # share of its outline in pictures before what is farther,
    "behind",  # behind what is nearer,
    "blank",  # beside what is not known
    "cut",  # share of the pictures that show it in which the picture's edge cuts it
    "shown",  # share of the pictures that show it
    "size",  # log of its voxels,
    "share",  # of their share in the scene,
    "sibling",  # of its share in the group that it becomes part of
    "flat", "long",  # least and middle over largest extent
    "on_plane",  # share of it that lies on planes,
    "plane_share",  # of its main plane that is in it
    "stands",  # share of its rim along one plane that it is not on
    "colors",  # log of 1 + the spread of its colours, in CIELAB
)  # fmt: skip
_BINS = (0.15, 0.4)
_FOLDS, _ENDS, _MEETS, _LIGHT, _HUE, _EDGE = 0, 2, 3, 5, 6, 8
PICTURE = 12  # pixels of a group from which on a picture shows it


@dataclass(frozen=True, kw_only=True)
class GroupTree:
    """G groups of patches, parts before wholes."""

    nodes: Ints  # (G,) in the tree of merges: leaves P, then merges
    parents: Ints  # (G,) group, -1: none
    first: Ints  # (P,) the least group that each patch is of, -1: none
    births: Doubles  # (G,)
    deaths: Doubles  # (G,)


@dataclass(frozen=True, kw_only=True)
class Dendrogram:
    """A PatchTree whose nodes have numbers of their own: P leaves, M merges."""

    leaves: int
    children: Ints  # (M, 2)
    parents: Ints  # (P + M,) -1: none
    costs: Doubles  # (M,)

    def sums(self, values: Doubles) -> Doubles:
        """(P + M, K) of leaves (P, K)."""
        count, pairs = self.leaves, self.children.tolist()
        total = np.concatenate([values, np.zeros((len(pairs), values.shape[1]))])
        for number, (a, b) in enumerate(pairs):
            total[count + number] = total[a] + total[b]
        return total

    def joint(self, pairs: Ints) -> Ints:
        """(E,) the least node that holds both of the leaves (E, 2); -1: none."""
        ends = pairs.copy()
        active = np.flatnonzero(ends[:, 0] != ends[:, 1])
        while len(active):
            lower = ends[active].argmin(1)  # a parent's number is greater
            ends[active, lower] = self.parents[ends[active, lower]]
            lost = ends[active, lower] < 0
            ends[active[lost]] = -1
            active = active[~lost & (ends[active, 0] != ends[active, 1])]
        return ends[:, 0]


def dendrogram(tree: PatchTree) -> Dendrogram:
    """With roots that nothing joins."""
    count = tree.leaves
    name = list(range(count))
    children = []
    for number, (a, b) in enumerate(tree.pairs.tolist()):
        children.append((name[a], name[b]))
        name[a] = count + number
    found = np.array(children, np.int64).reshape(-1, 2)
    parents = np.full(count + len(found), -1)
    parents[found.ravel()] = count + np.repeat(np.arange(len(found)), 2)
    return Dendrogram(leaves=count, children=found, parents=parents, costs=tree.costs)


def group_tree(tree: Dendrogram, sizes: Ints, least: int, surely: float) -> GroupTree:
    """Groups of at least so many voxels, each as it is before it is merged with another such. What
    merges for less than `surely` is one.
    """
    voxels = tree.sums(sizes[:, None].astype(np.float64))[:, 0]
    count, large = tree.leaves, voxels >= least
    both = large[tree.children].all(1) & (tree.costs >= surely)
    top = large & (tree.parents < 0)
    top[tree.children[both].ravel()] = True
    nodes = np.flatnonzero(top)
    group = np.full(len(voxels), -1)
    group[nodes] = np.arange(len(nodes))
    for node in range(len(voxels) - 1, -1, -1):  # what is none is of what it becomes part of
        if group[node] < 0 and tree.parents[node] >= 0:
            group[node] = group[tree.parents[node]]
    above = tree.parents[nodes]
    parents = np.where(above >= 0, group[above], -1)
    births = np.zeros(len(nodes))
    joins = count + np.flatnonzero(both)
    births[group[joins]] = tree.costs[both]
    deaths = np.where(above >= 0, tree.costs[np.maximum(above - count, 0)], 1.0).clip(0, 1)
    return GroupTree(
        nodes=nodes, parents=parents, first=group[:count], births=births, deaths=deaths
    )


def _rim_and_inside(tree: Dendrogram, pairs: Ints, values: Doubles) -> tuple[Doubles, Doubles]:
    """(P + M, K) sums of values (E, K) of pairs of which one is in a node, and of which both
    are.
    """
    ends, inside = (np.zeros((tree.leaves, values.shape[1])) for _ in range(2))
    np.add.at(ends, pairs[:, 0], values)
    np.add.at(ends, pairs[:, 1], values)
    joint = tree.joint(pairs)
    own = np.zeros((len(tree.parents), values.shape[1]))
    np.add.at(own, joint[joint >= 0], values[joint >= 0])
    inside = own.copy()
    for number, (a, b) in enumerate(tree.children.tolist()):
        inside[tree.leaves + number] += inside[a] + inside[b]
    return tree.sums(ends) - 2 * inside, inside


def _one_way(tree: Dendrogram, pairs: Ints, values: Doubles) -> tuple[Doubles, Doubles]:
    """(P + M,) sums of values (E,) of pairs whose first is in a node and whose second is not, and
    the other way round.
    """
    ends = np.zeros((tree.leaves, 2))
    np.add.at(ends[:, 0], pairs[:, 0], values)
    np.add.at(ends[:, 1], pairs[:, 1], values)
    _, inside = _rim_and_inside(tree, pairs, values[:, None])
    out = tree.sums(ends) - inside
    return out[:, 0], out[:, 1]


def _in_views(surface: FusedSurface, patches: Ints32, count: int) -> tuple[Doubles, Doubles]:
    """(P, views) pixels of patches, and those of them at the picture's edge."""
    pixels, cut = (np.zeros((count, len(surface.maps))) for _ in range(2))
    for i, shown in enumerate(surface.maps):
        pixels[:, i] = np.bincount(patches[shown[shown >= 0]], minlength=count)
        frame = np.concatenate(
            [shown[:2].ravel(), shown[-2:].ravel(), shown[:, :2].ravel(), shown[:, -2:].ravel()]
        )
        cut[:, i] = np.bincount(patches[frame[frame >= 0]], minlength=count)
    return pixels, cut


def _extents(weights: Doubles, sums: Doubles, squares: Doubles) -> tuple[Doubles, Doubles]:
    """(G,) least and middle over largest extent, of sums of points (G, 3) and of products
    (G, 6).
    """
    mean = sums / weights[:, None]
    which = np.array([0, 1, 2, 1, 3, 4, 2, 4, 5])
    outer = (squares / weights[:, None])[:, which].reshape(-1, 3, 3)
    spread = outer - mean[:, :, None] * mean[:, None, :]
    lengths = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0))
    longest = np.maximum(lengths[:, 2], 1e-100)
    return lengths[:, 0] / longest, lengths[:, 1] / longest


def node_figures(
    surface: FusedSurface,
    graph: PatchGraph,
    boundary: Doubles,
    depths: Sequence[Floats],
    trees: tuple[Dendrogram, GroupTree],
) -> Doubles:
    """(G, 31) in the order of NAMES, of the groups of a tree of merges by `boundary` (E,). `depths`
    (H, W) are those of the views that the surface was seen in.
    """
    tree, groups = trees
    nodes, patches, count = groups.nodes, graph.patches, len(graph.sizes)
    planes = int(graph.planes.max(initial=-1)) + 1
    bins = np.stack([boundary < _BINS[0], boundary > _BINS[1]], 1).astype(np.float64)
    facts = np.c_[
        np.ones(len(boundary)), boundary, bins, graph.evidence[:, [_FOLDS, _LIGHT, _HUE, _EDGE]],
        graph.evidence[:, _ENDS] + graph.evidence[:, _MEETS],
    ]  # fmt: skip
    rim, inside = (
        s[nodes] / np.maximum(s[nodes, :1], 1e-9)
        for s in _rim_and_inside(tree, graph.pairs, facts * graph.contact[:, None])
    )
    x, y, z = (surface.points - surface.points.mean(0)).T
    voxel = np.c_[np.ones(len(x)), x, y, z, x * x, x * y, x * z, y * y, y * z, z * z]
    shape = np.stack([np.bincount(patches, c, count) for c in voxel.T], 1)
    lab = np.c_[graph.colors, np.square(graph.colors)] * graph.sizes[:, None]
    on = np.zeros((count, planes + 1))
    on[np.arange(count), graph.planes] = graph.sizes  # the last: of none
    total = tree.sums(np.c_[shape, lab, on])[nodes]
    voxels = total[:, 0]
    flat, long = _extents(voxels, total[:, 1:4], total[:, 4:10])
    color, square = total[:, 10:13] / voxels[:, None], total[:, 13:16] / voxels[:, None]
    on_planes = total[:, 16 : 16 + planes]
    stands = _standing(tree, graph, on_planes > 0.5 * voxels[:, None], nodes)
    outline = outlines(surface, patches, depths)
    front, behind = (v[nodes] for v in _one_way(tree, *outline.before))
    level = _rim_and_inside(tree, outline.beside[0], outline.beside[1][:, None])[0][nodes, 0]
    blank = tree.sums(outline.blank[:, None])[nodes, 0]
    around = np.maximum(front + behind + level + blank, 1)
    pixels, cut = (tree.sums(v)[nodes] for v in _in_views(surface, patches, count))
    views = pixels >= PICTURE
    seen = np.maximum(views.sum(1), 1)
    main = on_planes.argmax(1) if planes else np.zeros(len(nodes), int)
    most = on_planes[np.arange(len(nodes)), main] if planes else np.zeros(len(nodes))
    whole = np.maximum(
        np.bincount(
            graph.planes[graph.planes >= 0], graph.sizes[graph.planes >= 0], max(planes, 1)
        ),
        1,
    )
    size_above = np.where(groups.parents >= 0, voxels[groups.parents], voxels)
    return np.stack(
        [
            groups.births, groups.deaths,
            np.log((groups.deaths + 0.02) / (groups.births + 0.02)),
            rim[:, 1], rim[:, 2], rim[:, 3], inside[:, 1], inside[:, 3],
            rim[:, 4], rim[:, 8], rim[:, 5], rim[:, 6], rim[:, 7],
            inside[:, 4], inside[:, 8], inside[:, 6], inside[:, 7],
            front / around, behind / around, blank / around,
            ((cut > 0) & views).sum(1) / seen, views.mean(1),
            np.log(voxels), np.log(voxels / len(patches)), np.log(voxels / size_above),
            flat, long, on_planes.sum(1) / voxels, most / whole[main], stands,
            np.log1p(np.sqrt(np.maximum(square - color**2, 0).sum(1))),
        ],
        1,
    )  # fmt: skip


def _standing(tree: Dendrogram, graph: PatchGraph, mainly: Flags, nodes: Ints) -> Doubles:
    """(G,) the largest share of a rim along one plane, of those that a node is not `mainly` on
    (G, planes).
    """
    a, b = graph.pairs.T
    planes = mainly.shape[1]
    if not planes:
        return np.zeros(len(nodes))
    ends = np.zeros((tree.leaves, planes + 1))
    np.add.at(ends, (a, graph.planes[b]), graph.contact)
    np.add.at(ends, (b, graph.planes[a]), graph.contact)
    joint = tree.joint(graph.pairs)
    own = np.zeros((len(tree.parents), planes + 1))
    known = joint >= 0
    for one in (a, b):
        np.add.at(own, (joint[known], graph.planes[one[known]]), graph.contact[known])
    for number, (c, d) in enumerate(tree.children.tolist()):
        own[tree.leaves + number] += own[c] + own[d]
    along = (tree.sums(ends) - own)[nodes]
    everything = np.maximum(along.sum(1), 1e-9)
    rest = np.where(mainly, 0, along[:, :planes])
    return np.asarray(rest.max(1) / everything)
