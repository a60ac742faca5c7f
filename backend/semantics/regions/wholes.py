"""Which groups of patches are things: the tree of merges, cut where it is likeliest that merges
below join parts of one thing, and merges above join several.

No one height cuts it: a toy of a hundred bricks is one thing at 0.56 where mugs on a desk have
become part of it at 0.3. So small networks say how likely a merge is to be within one thing, by the
figures of both groups and of what they become (node_figures.py), and dynamic programming over the
tree finds the cut with the greatest likelihood of all merges. They are fitted like boundaries, by
`make bench ROOM=boundary_fit`. On 45 scenes that were left out of the fit the cut has a mean IoU of
75.6, a logistic function's 75.1, the best height for all of them 71.5; the best groups of the tree
have 81.7. (To value each group by how likely it is a thing, and to choose those with the greatest
sum, broke things into many: 73 to 75 on rooms where one height had 75.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...geometry.arrays import Doubles, Flags, Floats, Ints, Ints32
from .boundaries import PatchGraph
from .fused_surface import FusedSurface
from .group_tree import GroupTree, dendrogram, group_tree
from .merge_tree import PatchTree
from .node_figures import NAMES as FIGURES, node_figures
from .perceptrons import fitted

# what hangs on the cut below or above a group says nothing on the merge itself
_USED = [i for i, name in enumerate(FIGURES) if name not in ("death", "life", "sibling")]
_SIZE = FIGURES.index("size")
NAMES = (
    *(f"{which}.{FIGURES[i]}" for which in ("whole", "smaller", "larger") for i in _USED),
    "balance",  # log of the smaller one's size over the larger one's
)


@dataclass(frozen=True, kw_only=True)
class WholeConfig:
    """What is asked."""

    least: int = 30  # voxels of a group
    surely: float = 0.12  # cost of a merge under which it is within one thing
    # taken off the logarithm of a merge's odds: two things that are merged are both lost, a thing
    # that is parted only in part. On scenes left out of the fit a mean IoU of 74.9, 75.2, 75.5,
    # 75.8 and 75.1 at 0, 0.2, 0.5, 0.8 and 1.2
    wary: float = 0.5


@dataclass(frozen=True)
class Merges:
    """M merges of two groups, parts before wholes."""

    wholes: Ints  # (M,) the groups that they made
    parts: Ints  # (M, 2) the smaller one first
    figures: Doubles  # (M, 85) in the order of NAMES
    weights: Doubles  # (M,) what each counts: merges of crumbs are many


def merges_of(groups: GroupTree, figures: Doubles) -> Merges:
    """Of groups with figures (G, 31)."""
    kids = np.flatnonzero(groups.parents >= 0)
    kids = kids[np.argsort(groups.parents[kids], kind="stable")]
    wholes, counts = np.unique(groups.parents[kids], return_counts=True)
    first = np.cumsum(counts) - counts
    wholes, first = wholes[counts == 2], first[counts == 2]
    parts = np.stack([kids[first], kids[first + 1]], 1)
    sizes = figures[:, _SIZE]
    swapped = sizes[parts[:, 0]] > sizes[parts[:, 1]]
    parts[swapped] = parts[swapped, ::-1]
    smaller, larger = parts.T
    used = figures[:, _USED]
    table = np.c_[used[wholes], used[smaller], used[larger], sizes[smaller] - sizes[larger]]
    return Merges(wholes, parts, table, np.maximum(sizes[smaller] - 3, 0.0))


def likeliest_cut(
    parents: Ints, merges: Merges, within: Doubles, config: WholeConfig = WholeConfig()
) -> Flags:
    """(G,) the groups of the cut, of groups with parents (G,), -1: none, given how likely every
    merge (M,) is to be within one thing.
    """
    count, safe = len(parents), np.clip(within, 1e-9, 1 - 1e-9)
    odds = np.log(safe / (1 - safe)) - config.wary
    inside = -merges.weights * np.logaddexp(0, -odds)
    apart = -merges.weights * np.logaddexp(0, odds)
    whole, best, own = np.zeros(count), np.zeros(count), np.ones(count, bool)
    for row in np.argsort(merges.wholes, kind="stable"):  # parts have lower numbers
        group, (a, b) = merges.wholes[row], merges.parts[row]
        whole[group] = inside[row] + whole[a] + whole[b]
        parted = apart[row] + best[a] + best[b]
        own[group] = whole[group] >= parted
        best[group] = max(whole[group], parted)
    below = np.zeros(count, bool)  # of a group that is in the cut
    chosen = np.zeros(count, bool)
    for group in range(count - 1, -1, -1):
        above = parents[group]
        below[group] = above >= 0 and bool(below[above] or chosen[above])
        chosen[group] = own[group] and not below[group]
    return chosen


def groups_of(groups: GroupTree, chosen: Flags) -> Ints:
    """(P,) the chosen group that each patch is in, numbered as they are; -1: in none."""
    of = np.where(chosen, np.arange(len(chosen)), -1)
    for group in range(len(chosen) - 1, -1, -1):
        above = groups.parents[group]
        if of[group] < 0 and above >= 0:
            of[group] = of[above]
    return np.where(groups.first >= 0, of[groups.first], -1)


def find_wholes(
    surface: FusedSurface,
    graph: PatchGraph,
    boundary: Doubles,
    tree: PatchTree,
    depths: Sequence[Floats],
    config: WholeConfig = WholeConfig(),
) -> Ints32:
    """(P,) things, numbered from 0; patches that are in none come after them, each by itself."""
    nodes = dendrogram(tree)
    groups = group_tree(nodes, graph.sizes, config.least, config.surely)
    if not len(groups.nodes):
        return np.arange(len(graph.sizes), dtype=np.int32)
    figures = node_figures(surface, graph, boundary, depths, (nodes, groups))
    merges = merges_of(groups, figures)
    within = fitted("wholes").likely(merges.figures)
    chosen = groups_of(groups, likeliest_cut(groups.parents, merges, within, config))
    alone = np.flatnonzero(chosen < 0)
    chosen[alone] = len(groups.nodes) + np.arange(len(alone))
    return np.unique(chosen, return_inverse=True)[1].astype(np.int32).reshape(-1)
