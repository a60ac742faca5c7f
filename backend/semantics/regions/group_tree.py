"""The tree of merges as nodes with numbers: sums over what is in a node and over its rim, and the
groups that may be things.

Groups are the nodes without those that only took up crumbs: like clusters in a condensed tree
(Campello et al. 2013).
"""

from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Doubles, Ints
from .merge_tree import PatchTree


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
        merges = np.zeros((len(self.children), values.shape[1]))
        return self.gathered(np.concatenate([values, merges]))

    def gathered(self, values: Doubles) -> Doubles:
        """(P + M, K) of nodes' own values (P + M, K): with those of all that is below."""
        total = values.copy()
        for number, (a, b) in enumerate(self.children.tolist()):
            total[self.leaves + number] += total[a] + total[b]
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
    pairs = np.array(children, np.int64).reshape(-1, 2)
    parents = np.full(count + len(pairs), -1)
    parents[pairs.ravel()] = count + np.repeat(np.arange(len(pairs)), 2)
    return Dendrogram(leaves=count, children=pairs, parents=parents, costs=tree.costs)


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


def rim_and_inside(tree: Dendrogram, pairs: Ints, values: Doubles) -> tuple[Doubles, Doubles]:
    """(P + M, K) sums of values (E, K) of pairs of leaves (E, 2) of which one is in a node, and of
    which both are.
    """
    ends = np.zeros((tree.leaves, values.shape[1]))
    np.add.at(ends, pairs[:, 0], values)
    np.add.at(ends, pairs[:, 1], values)
    inside = _inside(tree, pairs, values)
    return tree.sums(ends) - 2 * inside, inside


def one_way(tree: Dendrogram, pairs: Ints, values: Doubles) -> tuple[Doubles, Doubles]:
    """(P + M,) sums of values (E,) of pairs (E, 2) whose first is in a node and whose second is
    not, and the other way round.
    """
    ends = np.zeros((tree.leaves, 2))
    np.add.at(ends[:, 0], pairs[:, 0], values)
    np.add.at(ends[:, 1], pairs[:, 1], values)
    out = tree.sums(ends) - _inside(tree, pairs, values[:, None])
    return out[:, 0], out[:, 1]


def beyond(tree: Dendrogram, pairs: Ints, classes: Ints, values: Doubles, count: int) -> Doubles:
    """(P + M, count) sums of values (E,) of pairs (E, 2) along a node's rim, by the class of the
    leaf (P,) outside it, -1 being the last.
    """
    a, b = pairs.T
    ends = np.zeros((tree.leaves, count))
    np.add.at(ends, (a, classes[b]), values)
    np.add.at(ends, (b, classes[a]), values)
    joint = tree.joint(pairs)
    known = joint >= 0
    own = np.zeros((len(tree.parents), count))
    for one in (a, b):
        np.add.at(own, (joint[known], classes[one[known]]), values[known])
    return tree.sums(ends) - tree.gathered(own)


def _inside(tree: Dendrogram, pairs: Ints, values: Doubles) -> Doubles:
    joint = tree.joint(pairs)
    own = np.zeros((len(tree.parents), values.shape[1]))
    np.add.at(own, joint[joint >= 0], values[joint >= 0])
    return tree.gathered(own)
