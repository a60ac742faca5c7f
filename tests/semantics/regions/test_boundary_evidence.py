"""Boundaries by what was learned: colours part things that rules do not, and not among many."""

import numpy as np
import pytest

from backend.semantics.regions.boundaries import PatchGraph, patch_graph
from backend.semantics.regions.boundary_context import NAMES as CONTEXT, around
from backend.semantics.regions.boundary_evidence import NAMES
from backend.semantics.regions.fused_surface import FusedSurface
from backend.semantics.regions.learned_boundaries import (
    RULED,
    boundary_figures,
    likely_boundaries,
)
from backend.semantics.regions.perceptrons import Layer, Perceptrons, fitted

SIDE = 30
PARTED = 0.4


def sheet(colors: np.ndarray, planes: int) -> tuple[FusedSurface, PatchGraph]:
    """A flat sheet of SIDE x SIDE voxels of colours (SIDE, SIDE, 3) in CIELAB, and its patches."""
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
        maps=[np.arange(SIDE * SIDE, dtype=np.int32).reshape(SIDE, SIDE)],
    )
    flat = colors.reshape(-1, 3)
    steps = np.linalg.norm(flat[pairs[:, 0]] - flat[pairs[:, 1]], axis=1)
    on = np.full(len(points), planes, np.int32)
    return surface, patch_graph(surface, on, (steps, np.ones(len(pairs), int)), flat)


def figures(surface: FusedSurface, graph: PatchGraph, own: np.ndarray | None = None) -> np.ndarray:
    pieces = np.full(len(surface.points), -1, np.int32) if own is None else own
    return boundary_figures(surface, graph, pieces, [np.ones((SIDE, SIDE), np.float32)])


def middles(graph: PatchGraph) -> np.ndarray:
    """(P,) columns of patches."""
    found: np.ndarray = np.bincount(graph.patches, np.arange(SIDE * SIDE) % SIDE) / graph.sizes
    return found


def test_two_colours_off_any_plane_are_two_things() -> None:
    colors = np.tile([40.0, 20.0, 30.0], (SIDE, SIDE, 1))
    colors[:, 15:] = [75.0, -10.0, 0.0]
    surface, graph = sheet(colors, -1)
    border = ((middles(graph) < 14.5)[graph.pairs]).sum(1) == 1
    likely = likely_boundaries(graph, figures(surface, graph))
    assert border.any() and (graph.boundary[border] < 0.25).all()
    assert likely[border].min() > 0.3 and likely[~border].max() < 0.1


def test_a_colour_among_many_parts_nothing_of_a_plane() -> None:
    random = np.random.default_rng(0)
    tiles = random.uniform([30, -30, -30], [80, 30, 30], (10, 10, 3))
    surface, graph = sheet(tiles.repeat(3, 0).repeat(3, 1), 0)
    likely = likely_boundaries(graph, figures(surface, graph))
    assert len(graph.sizes) == 100 and np.average(likely, weights=graph.contact) < PARTED
    plain = np.tile([50.0, 0.0, 0.0], (SIDE, SIDE, 1))
    plain[9:15, 9:15] = [60.0, 30.0, 20.0]  # a thing on it
    surface, graph = sheet(plain, 0)
    thing = np.unique(graph.patches.reshape(SIDE, SIDE)[9:15, 9:15])
    rim = np.isin(graph.pairs, thing).sum(1) == 1
    likely = likely_boundaries(graph, figures(surface, graph))
    assert likely[rim].min() > 2 * likely[~rim].max()


def test_a_quarter_of_the_likelihood_is_a_rule() -> None:
    surface, graph = sheet(np.tile([50.0, 0.0, 0.0], (SIDE, SIDE, 1)), -1)
    count = len(NAMES) + len(CONTEXT)
    sure = Perceptrons(
        names=(*NAMES, *CONTEXT),
        mean=np.zeros(count),
        spread=np.ones(count),
        networks=[[Layer(np.zeros((count, 1)), np.array([100.0]))]],
    )
    found = likely_boundaries(graph, figures(surface, graph), sure)
    np.testing.assert_allclose(found, RULED * graph.boundary + 1 - RULED)
    assert fitted("boundaries").names == (*NAMES, *CONTEXT)


def test_what_lies_around_tells_scales_pieces_planes_and_what_stands_before() -> None:
    random = np.random.default_rng(1)
    colors = np.tile([50.0, 0.0, 0.0], (SIDE, SIDE, 1)) + random.normal(0, 1, (SIDE, SIDE, 3))
    colors[:, 15:] += [12.0, 0.0, 0.0]
    surface, graph = sheet(colors, -1)
    own = (np.arange(SIDE * SIDE) % SIDE >= 15).astype(np.int32)
    depth = np.ones((SIDE, SIDE), np.float32)
    depth[:, 15:] = 9.0
    found = dict(zip(CONTEXT, around(surface, graph, own, [depth]).T, strict=True))
    border = ((middles(graph) < 14.5)[graph.pairs]).sum(1) == 1
    for name in ("light_3", "before", "other"):
        assert found[name][border].min() > found[name][~border].max(), name
    assert found["same"][~border].all() and not found["same"][border].any()
    assert (found["height"] == found["height"][0]).all() and not found["rise"].any()
    assert found["rough"] == pytest.approx(0) and (found["busy"] == found["busy"][0]).all()
    np.testing.assert_array_equal(found["rule"], graph.boundary)
    whole, flat = sheet(np.tile([50.0, 0.0, 0.0], (SIDE, SIDE, 1)), 0)
    on = dict(zip(CONTEXT, around(whole, flat, own, [depth]).T, strict=True))
    assert on["height"].max() < 0.01, "all lies on the plane"
