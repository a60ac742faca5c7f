"""Boundaries by what was learned: colours part things that rules do not, and not among many."""

import numpy as np

from backend.semantics.regions.boundaries import BoundaryConfig, PatchGraph, patch_graph
from backend.semantics.regions.boundary_evidence import FITTED, NAMES, EvidenceConfig, likely
from backend.semantics.regions.fused_surface import FusedSurface
from backend.semantics.regions.surface_pieces import PieceConfig
from tests.benchmarks.boundary_fit import Lesson, fit

SIDE = 30
STOP = PieceConfig().stop


def sheet(colors: np.ndarray, planes: int) -> PatchGraph:
    """A flat sheet of SIDE x SIDE voxels of colours (SIDE, SIDE, 3) in CIELAB."""
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    points = np.stack([columns, rows, np.zeros_like(rows)], 1).astype(float)
    right, down = np.flatnonzero(columns < SIDE - 1), np.flatnonzero(rows < SIDE - 1)
    pairs = np.concatenate([np.stack([right, right + 1], 1), np.stack([down, down + SIDE], 1)])
    surface = FusedSurface(
        points=points,
        normals=np.tile([0.0, 0.0, 1.0], (len(points), 1)),
        widths=np.ones(len(points)),
        cells=points,
        pairs=pairs,
        maps=[],
    )
    flat = colors.reshape(-1, 3)
    steps = np.linalg.norm(flat[pairs[:, 0]] - flat[pairs[:, 1]], axis=1)
    on = np.full(len(points), planes, np.int32)
    return patch_graph(surface, on, (steps, np.ones(len(pairs), int)), flat)


def test_two_colours_off_any_plane_are_two_things() -> None:
    colors = np.tile([40.0, 20.0, 30.0], (SIDE, SIDE, 1))
    colors[:, 15:] = [75.0, -10.0, 0.0]
    graph = sheet(colors, -1)
    left = graph.patches.reshape(SIDE, SIDE)[:, 0]
    middle = np.bincount(graph.patches, np.arange(SIDE * SIDE) % SIDE) / graph.sizes
    border = ((middle < 14.5)[graph.pairs]).sum(1) == 1
    assert len(left) and border.any() and (graph.boundary[border] < 0.25).all()
    assert (graph.likely[border] > STOP).all() and (graph.likely[~border] < 0.1).all()


def test_a_colour_among_many_parts_nothing_of_a_plane() -> None:
    random = np.random.default_rng(0)
    tiles = random.uniform([30, -30, -30], [80, 30, 30], (10, 10, 3))
    graph = sheet(tiles.repeat(3, 0).repeat(3, 1), 0)
    assert len(graph.sizes) == 100 and np.average(graph.likely, weights=graph.contact) < STOP
    plain = np.tile([50.0, 0.0, 0.0], (SIDE, SIDE, 1))
    plain[9:15, 9:15] = [60.0, 30.0, 20.0]  # a thing on it
    graph = sheet(plain, 0)
    thing = np.unique(graph.patches.reshape(SIDE, SIDE)[9:15, 9:15])
    rim = np.isin(graph.pairs, thing).sum(1) == 1
    assert (graph.likely[rim] > STOP).all()


def test_likelihood_is_a_mean_of_rules_and_evidence() -> None:
    assert len(FITTED) == len(NAMES) + 1
    ruled, evidence = np.array([0.0, 1.0, 0.4]), np.zeros((3, 10))
    evidence[1, NAMES.index("folds")] = 1
    only = likely(evidence, ruled, EvidenceConfig(ruled=1.0))
    np.testing.assert_array_equal(only, ruled)
    learned = likely(evidence, ruled, EvidenceConfig(ruled=0.0))
    none = 1 / (1 + np.exp(-FITTED[-1]))
    np.testing.assert_allclose(learned[[0, 2]], none)
    assert learned[1] > none
    np.testing.assert_allclose(likely(evidence, ruled, EvidenceConfig()), (learned + ruled) / 2)
    assert BoundaryConfig().evidence.ruled == 0.5


def test_the_fit_finds_weights_again() -> None:
    random = np.random.default_rng(1)
    wanted = random.normal(size=11)
    evidence = random.normal(size=(40_000, 10))
    chance = 1 / (1 + np.exp(-(evidence @ wanted[:-1] + wanted[-1])))
    parted = random.random(len(chance)) < chance
    found = fit([Lesson(evidence, parted, np.ones(len(parted)))])
    np.testing.assert_allclose(found[:-1], wanted[:-1], atol=0.1)
