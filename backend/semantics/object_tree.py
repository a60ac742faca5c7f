"""Objects as parts of wholes: how what the pictures told apart would merge, the least boundary
first; what touches nowhere in them then goes together by contact and likeness. Where regions came
from elsewhere, all goes by contact and likeness.
"""

from collections.abc import Sequence

import numpy as np

from ..cutting.hierarchy import MergeTree, tree_of
from ..geometry.arrays import Floats, Ints32
from .regions.merge_tree import PatchTree


def objects_of(pieces: Sequence[Ints32], objects: Sequence[Ints32], count: int) -> Ints32:
    """(count,) the object of every piece, -1: of none. Given view by view for every region: its
    piece, and its object.
    """
    owner = np.full(count, -1, np.int32)
    for known, numbers in zip(pieces, objects, strict=True):
        owner[known] = np.maximum(owner[known], numbers)
    return owner


def object_tree(
    splats: tuple[Floats, Floats, Ints32],
    count: int,
    features: Floats | None = None,
    pieces: PatchTree | None = None,
    objects: Ints32 | None = None,
) -> MergeTree:
    """The tree of `count` objects. `splats`: means and base colours (N, 3), and objects (N,), -1:
    none. `features` (K, D): what a model saw in each. `pieces` and `objects` (P,): how pieces
    merge, and the object that each has become.
    """
    means, rgb, labels = splats
    if pieces is None or objects is None:
        return tree_of(means, rgb, labels, count, features)
    seen = pieces.of_groups(objects, count)
    node, pairs = np.arange(count), np.zeros_like(seen.pairs)
    for merge, (a, b) in enumerate(seen.pairs.tolist()):
        pairs[merge] = node[a], node[b]
        node[a] = count + merge
    apart = np.setdiff1d(np.arange(count), seen.pairs[:, 1])  # as cut() numbers groups
    groups = np.append(seen.cut(np.inf), -1)  # the last: of no object
    rest = tree_of(means, rgb, groups[labels].astype(np.int32), len(apart))
    nodes = np.concatenate([node[apart], count + len(pairs) + np.arange(len(rest.pairs))])
    rates = np.concatenate([1 - np.minimum(seen.costs, 1), rest.rates])
    return MergeTree(
        np.concatenate([pairs, nodes[rest.pairs]]), np.minimum.accumulate(rates), count
    )
