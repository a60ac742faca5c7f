"""Objects as the leaves of a tree: from the parts that were found to wholes that people name.
numpy only.

A tree is a list of merges, the surest first: pairs of nodes (leaves 0 … K - 1, and K + m for what
merge m made), and how sure each is (0..1).
"""

from dataclasses import dataclass

import numpy as np

from ..geometry.arrays import Doubles, Floats, Ints, Ints32
from .cells import cells

LEVELS = 6  # of each color, in histograms
COLOR = 0.6  # weight of likeness against contact
APART = 0.1  # how sure it is at most that things which do not touch are one


@dataclass(frozen=True)
class MergeTree:
    """M merges of K leaves."""

    pairs: Ints  # (M, 2)
    rates: Doubles  # (M,)
    leaves: int

    def at(self, wholeness: float) -> Ints:
        """(K,) the leaf that each leaf's group is called after, its lowest, when that share (0..1)
        of the merges has taken place, the surest first.
        """
        count = round(float(np.clip(wholeness, 0, 1)) * len(self.pairs))
        group = np.arange(self.leaves)
        node = np.concatenate([group, np.zeros(len(self.pairs), np.int64)])
        for number in range(count):
            a, b = (int(group[node[n]]) for n in self.pairs[number])
            node[self.leaves + number] = min(a, b)
            group[group == max(a, b)] = min(a, b)
        return group


def sound_tree(pairs: Ints, rates: Floats, leaves: int) -> MergeTree:
    """Of arrays as a file holds them. ValueError where a merge names what is not there yet."""
    pairs = np.asarray(pairs, np.int64).reshape(-1, 2)
    order = leaves + np.arange(len(pairs))[:, None]
    if len(rates) != len(pairs) or (pairs < 0).any() or (pairs >= order).any():
        raise ValueError("its tree of objects names objects that it does not hold")
    return MergeTree(pairs, np.asarray(rates, np.float64), leaves)


def tree_of(
    means: Floats,
    rgb: Floats,
    labels: Ints32,
    count: int,
    features: Floats | None = None,
    alike: Doubles | None = None,
) -> MergeTree:
    """The tree of flat objects (labels (N,) below `count`, negative: none): those that touch along
    more of the smaller one's surface, and look more alike, are merged before others. `features`
    (K, D): what a model saw, if one did. `alike` (K, K), 0..1: what else says that two are one.
    """
    touch, sizes = _contact(means, labels, count)
    like = _likeness(rgb, labels, count)
    if features is not None and features.shape[1]:
        unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
        centered = unit - unit.mean(0)
        centered /= np.maximum(np.linalg.norm(centered, axis=1, keepdims=True), 1e-9)
        like = 0.5 * like + 0.25 * (1 + centered @ centered.T)
    if alike is not None:
        like = 0.5 * like + 0.5 * alike
    return _agglomerated(touch, sizes, like)


def _contact(means: Floats, labels: Ints32, count: int) -> tuple[Doubles, Doubles]:
    """(K, K) cells in which two objects touch, and (K,) cells of each."""
    known = np.flatnonzero(labels >= 0)
    if not len(known):
        return np.zeros((count, count)), np.zeros(count)
    some = means[known]
    spread = np.percentile(some, 95, axis=0) - np.percentile(some, 5, axis=0)
    grid = cells(some, max(float(np.linalg.norm(spread)) / 150, 1e-6))
    tables = np.unique(grid.of * count + labels[known])
    cell, label = np.divmod(tables, count)
    sizes = np.bincount(label, minlength=count).astype(np.float64)
    first = np.full(grid.count, -1)
    first[cell] = label  # one of them; cells of several are few
    a, b = first[grid.pairs[:, 0]], first[grid.pairs[:, 1]]
    touch = np.zeros((count, count))
    np.add.at(touch, (a[a != b], b[a != b]), 1 / 9)  # about so many pairs a cell of a surface
    return touch + touch.T, sizes


def _likeness(rgb: Floats, labels: Ints32, count: int) -> Doubles:
    """(K, K) how much the objects' histograms of color share, 0..1."""
    red, green, blue = (rgb.clip(0, 0.999) * LEVELS).astype(np.int64).T
    bins = (red * LEVELS + green) * LEVELS + blue
    table = np.zeros((count, LEVELS**3))
    known = labels >= 0
    np.add.at(table, (labels[known], bins[known]), 1)
    table /= np.maximum(table.sum(1, keepdims=True), 1)
    return np.array([np.minimum(table, row).sum(1) for row in table]).reshape(count, count)


def _agglomerated(touch: Doubles, sizes: Doubles, like: Doubles) -> MergeTree:
    """Merges until nothing is left that touches, then what lies apart by likeness alone."""
    count = len(sizes)
    names, alive = np.arange(count), np.ones(count, bool)
    touch, sizes, like = touch.copy(), sizes.copy(), like.copy()
    pairs, rates = [], []
    for number in range(count - 1):
        share = (touch / np.maximum(np.minimum.outer(sizes, sizes), 1)).clip(0, 1)
        close = APART + (1 - APART) * (COLOR * like + (1 - COLOR) * share)
        rate = np.where(share > 0, close, APART * like)
        rate[~alive] = rate[:, ~alive] = -1
        np.fill_diagonal(rate, -1)
        a, b = sorted(np.unravel_index(int(rate.argmax()), rate.shape))
        pairs.append((names[a], names[b]))
        rates.append(float(rate[a, b]))
        weight = sizes[a] / max(sizes[a] + sizes[b], 1)
        like[a] = like[:, a] = weight * like[a] + (1 - weight) * like[b]
        touch[a] += touch[b]
        touch[:, a] = touch[a]
        sizes[a], alive[b], names[a] = sizes[a] + sizes[b], False, count + number
    known = np.minimum.accumulate(np.array(rates)) if rates else np.zeros(0)
    return MergeTree(np.array(pairs, np.int64).reshape(-1, 2), known, count)
