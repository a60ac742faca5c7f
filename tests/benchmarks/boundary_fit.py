"""What is learned of boundaries and wholes, from scenes with exact masks (scene_lessons.py). Writes
out/bench/boundaries.txt and wholes.txt; where they differ from those in use
(backend/semantics/regions/), copy them.

Two things are told of every scene: the mean IoU of its things with the best groups of the tree of
merges, and with the groups that are chosen. Networks that were fitted without the scene answer.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from backend.semantics.regions.boundary_context import NAMES as CONTEXT
from backend.semantics.regions.boundary_evidence import NAMES as EVIDENCE
from backend.semantics.regions.group_tree import dendrogram, group_tree
from backend.semantics.regions.learned_boundaries import evened, likely_boundaries
from backend.semantics.regions.merge_tree import merge_graph
from backend.semantics.regions.node_figures import node_figures
from backend.semantics.regions.own_pieces import heard
from backend.semantics.regions.perceptrons import Perceptrons
from backend.semantics.regions.wholes import NAMES as MERGES, Merges, likeliest_cut, merges_of
from tests.benchmarks.perceptron_fit import FitConfig, Samples, fit
from tests.benchmarks.scene_lessons import CONFIG, Lesson, lessons
from tests.benchmarks.table import OUT, Row, Table

PURE = 0.7  # of a patch's voxels are of one thing, or it teaches nothing
MAINLY = 0.5  # the same of a group's pixels
BOUNDARY = 0.3  # share that boundaries count for in every scene, of all contact
MOST = 4000  # pairs of patches of a scene
LEAST_PIXELS = 200  # of a thing that is judged
FOLDS = (4, 6)  # of scenes, for boundaries and wholes
OF_BOUNDARIES = FitConfig(hidden=8, decay=1e-3, steps=80, networks=3)
OF_WHOLES = FitConfig(hidden=6, decay=1e-2, steps=150, networks=3)


def run(table: Table) -> None:
    scenes = list(lessons())
    samples = [pairs_of(scene) for scene in scenes]
    names = (*EVIDENCE, *CONTEXT)
    trees = []
    for fold in range(FOLDS[0]):
        left = [part_of(scene, FOLDS[0]) == fold for scene in scenes]
        if any(left):
            others = [s for s, out in zip(samples, left, strict=True) if not out]
            networks = fit(names, others, OF_BOUNDARIES)
            trees += [grown(s, networks) for s, out in zip(scenes, left, strict=True) if out]
    _chosen(table, trees)
    for name, networks in (
        ("boundaries", fit(names, samples, OF_BOUNDARIES)),
        ("wholes", fit(MERGES, [tree.samples for tree in trees], OF_WHOLES)),
    ):
        (OUT / f"{name}.txt").write_text(networks.text(), encoding="utf-8")


def _chosen(table: Table, trees: list["Tree"]) -> None:
    sums = []
    for fold in range(FOLDS[1]):
        left = [part_of(tree.lesson, FOLDS[1]) == fold for tree in trees]
        others = [t.samples for t, out in zip(trees, left, strict=True) if not out]
        for tree in (t for t, out in zip(trees, left, strict=True) if out):
            networks = fit(MERGES, others, OF_WHOLES)
            cut = likeliest_cut(tree.parents, tree.merges, networks.likely(tree.merges.figures))
            values = [float(tree.overlaps[which].max(0).mean()) for which in (slice(None), cut)]
            sums.append(values)
            for metric, value in zip(("best groups", "chosen groups"), values, strict=True):
                table.add(Row(tree.lesson.name, f"mean IoU, {metric}", 100 * value, "%"))
    for metric, value in zip(("best groups", "chosen groups"), np.mean(sums, 0), strict=True):
        table.add(Row("mean, scenes left out", f"mean IoU, {metric}", 100 * float(value), "%"))


def part_of(scene: Lesson, folds: int) -> int:
    return zlib.crc32(scene.group.encode()) % folds


def pairs_of(scene: Lesson) -> Samples:
    """Pairs of patches that are each of one thing, some of them, evenly picked."""
    graph = scene.graph
    table = np.zeros((len(graph.sizes), scene.votes.shape[1] + 1))
    np.add.at(table, (graph.patches, scene.things), 1)
    known = table[:, :-1]
    clear = np.flatnonzero((known.max(1) > PURE * graph.sizes)[graph.pairs].all(1))
    thing = known.argmax(1)[graph.pairs[clear]]
    parted, contact = thing[:, 0] != thing[:, 1], graph.contact[clear]
    shares = [max(contact[parted == which].sum(), 1e-9) for which in (False, True)]
    weights = contact * np.where(parted, BOUNDARY / shares[1], (1 - BOUNDARY) / shares[0])
    some = np.random.default_rng(0).permutation(len(clear))[:MOST]
    return Samples(scene.figures[clear[some]], parted[some].astype(float), weights[some])


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Groups of a scene, as they are for one whose boundaries were learned elsewhere."""

    lesson: Lesson
    parents: np.ndarray  # (G,)
    merges: Merges
    overlaps: np.ndarray  # (G, T) IoU with the things that are judged
    samples: Samples  # of merges: 1 within one thing


def grown(scene: Lesson, networks: Perceptrons) -> Tree:
    graph, wholes = scene.graph, CONFIG.wholes
    likely = likely_boundaries(graph, scene.figures, networks)
    boundary = evened(heard(graph, likely, scene.own, CONFIG.own), graph.contact)
    tree = merge_graph(graph.sizes, graph.pairs, boundary, graph.contact, CONFIG.small, np.inf)
    nodes = dendrogram(tree)
    groups = group_tree(nodes, graph.sizes, wholes.least, wholes.surely)
    figures = node_figures(scene.surface, graph, boundary, scene.depths, (nodes, groups))
    merges = merges_of(groups, figures)
    votes = scene.patch_votes
    shared, size = nodes.sums(votes)[groups.nodes], votes.sum(0)
    overlap = shared / np.maximum(size + shared.sum(1, keepdims=True) - shared, 1)
    main, total = shared.argmax(1), np.maximum(shared.sum(1), 1)
    pure = (shared.max(1) / total)[merges.parts].min(1)
    within = main[merges.parts[:, 0]] == main[merges.parts[:, 1]]
    weights = np.where(pure > MAINLY, pure * merges.weights, 0)
    return Tree(
        lesson=scene,
        parents=groups.parents,
        merges=merges,
        overlaps=overlap[:, size > LEAST_PIXELS],
        samples=Samples(merges.figures, within.astype(float), weights),
    )
