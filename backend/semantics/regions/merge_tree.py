"""Agglomeration of a sparse graph: the two neighbours with the least boundary between them are
merged, and so on; what was merged when is the tree of parts and wholes.
"""

import heapq
from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Doubles, Ints, Ints32


@dataclass(frozen=True)
class PatchTree:
    """Merges in their order. Every group goes by the number of one of its leaves."""

    leaves: int
    pairs: Ints  # (M, 2) the second group becomes part of the first
    costs: Doubles  # (M,) of each merge

    def cut(self, cost: float) -> Ints32:
        """(leaves,) groups, numbered from 0, of all merges before the first that costs as much."""
        parent = np.arange(self.leaves)
        dear = np.flatnonzero(self.costs >= cost)
        for a, b in self.pairs[: dear[0] if len(dear) else None].tolist():
            parent[b] = a
        for leaf in range(self.leaves):
            root = leaf
            while parent[root] != root:
                root = parent[root]
            parent[leaf] = root
        return np.unique(parent, return_inverse=True)[1].astype(np.int32).reshape(-1)

    def of_groups(self, groups: Ints | Ints32, count: int) -> "PatchTree":
        """The tree of `count` groups of the leaves (leaves,), negative: of none. Only merges that
        join two of them are left.
        """
        own, root = groups.tolist(), list(range(count))
        pairs: list[tuple[int, int]] = []
        costs: list[float] = []
        for (a, b), cost in zip(self.pairs.tolist(), self.costs.tolist(), strict=True):
            if own[a] < 0 or own[b] < 0:
                own[a] = max(own[a], own[b])
                continue
            first, second = (_root(root, own[leaf]) for leaf in (a, b))
            if first != second:
                root[second] = first
                pairs.append((first, second))
                costs.append(cost)
        return PatchTree(count, np.array(pairs, np.int64).reshape(-1, 2), np.array(costs))

    def heights(self) -> Doubles:
        """(leaves, leaves) what the merge costs that joins two of them; inf: none does."""
        costs = np.full((self.leaves, self.leaves), np.inf)
        members = {leaf: [leaf] for leaf in range(self.leaves)}
        for (a, b), cost in zip(self.pairs.tolist(), self.costs.tolist(), strict=True):
            rows, columns = members[a], members.pop(b)
            costs[np.ix_(rows, columns)] = costs.T[np.ix_(rows, columns)] = cost
            members[a] = rows + columns
        return costs


def _root(root: list[int], group: int) -> int:
    while root[group] != group:
        root[group] = root[root[group]]
        group = root[group]
    return group


@dataclass
class _Link:
    """Between two groups: sums of boundary and of contact, and how often they have changed."""

    boundary: float
    contact: float
    version: int = 0


Entry = tuple[float, int, int, int]  # what a merge costs, of which two, at which version


class _Graph:
    """Groups that are merged in place."""

    def __init__(
        self, sizes: Ints, pairs: Ints, boundary: Doubles, contact: Doubles, small: float
    ) -> None:
        self.sizes, self.small = sizes.astype(float).tolist(), small
        self.links: list[dict[int, _Link]] = [{} for _ in self.sizes]
        rows = zip(pairs.tolist(), (boundary * contact).tolist(), contact.tolist(), strict=True)
        for (a, b), w, c in rows:
            self.links[a][b] = self.links[b][a] = _Link(w, c)

    def entry(self, a: int, b: int) -> Entry:
        a, b = min(a, b), max(a, b)
        link, size = self.links[a][b], min(self.sizes[a], self.sizes[b])
        cost = link.boundary / max(link.contact, 1e-12) * size / (size + self.small)
        return cost, a, b, link.version

    def is_stale(self, entry: Entry) -> bool:
        link = self.links[entry[1]].get(entry[2])
        return link is None or link.version != entry[3]

    def merge(self, a: int, b: int) -> list[Entry]:
        """Group b becomes part of a; what merges now cost that cost something else before."""
        del self.links[a][b], self.links[b][a]
        changed = {other for other in self.links[a] if self.sizes[other] > self.sizes[a]}
        for other, link in self.links[b].items():
            del self.links[other][b]
            own = self.links[a].get(other)
            if own is None:
                self.links[a][other] = self.links[other][a] = link
            else:
                own.boundary += link.boundary
                own.contact += link.contact
            changed.add(other)
        self.links[b] = {}
        self.sizes[a] += self.sizes[b]
        for other in changed:
            self.links[a][other].version += 1
        return [self.entry(a, other) for other in sorted(changed)]


def merge_graph(
    sizes: Ints,
    pairs: Ints,
    boundary: Doubles,
    contact: Doubles,
    small: float,
    stop: float,
) -> PatchTree:
    """Of groups with sizes (P,) that touch in pairs (E, 2), as much as `contact`, with so much
    boundary between them, until a merge costs `stop`. A merge costs the mean boundary along all of
    the contact (average linkage); less where one of the two is not larger than `small`.
    """
    graph = _Graph(sizes, pairs, boundary, contact, small)
    heap = [graph.entry(a, b) for a, b in pairs.tolist()]
    heapq.heapify(heap)
    merges: list[tuple[int, int]] = []
    costs: list[float] = []
    while heap:
        least = heapq.heappop(heap)
        if graph.is_stale(least):
            continue
        cost, a, b, _ = least
        if cost >= stop:
            break
        if len(graph.links[a]) < len(graph.links[b]):
            a, b = b, a
        for entry in graph.merge(a, b):
            heapq.heappush(heap, entry)
        merges.append((a, b))
        costs.append(max(cost, costs[-1] if costs else 0.0))
    return PatchTree(len(sizes), np.array(merges, np.int64).reshape(-1, 2), np.array(costs))
