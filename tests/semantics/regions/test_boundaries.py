"""What counts as a boundary: patterns, textures, and where planes end."""

import numpy as np

from backend.semantics.regions.boundaries import BoundaryConfig, patch_graph
from backend.semantics.regions.fused_surface import FusedSurface
from backend.semantics.regions.textures import outstanding, without_pattern


def test_a_pattern_parts_nothing_and_a_poster_does() -> None:
    random = np.random.default_rng(0)
    paper = random.uniform(0.4, 0.6, 200)
    bare = np.concatenate([np.full(180, 0.02), np.full(20, 0.8)])
    planes = np.repeat([0, 1, -1], 200)
    found = without_pattern(np.concatenate([paper, bare, paper]), np.ones(600), planes, 75.0)
    assert found[:200].max() < 0.15 and (found[380:400] > 0.7).all()
    np.testing.assert_array_equal(found[400:], paper)


def test_a_pattern_is_told_by_the_length_of_its_edges() -> None:
    """Ninety short strong edges and ten long weak ones: most of the plane has weak ones."""
    color = np.repeat([0.9, 0.1], [90, 10])
    planes = np.zeros(100, np.int64)
    by_number = without_pattern(color, np.ones(100), planes, 75.0)
    by_length = without_pattern(color, np.repeat([0.1, 10.0], [90, 10]), planes, 75.0)
    assert by_number[:90].max() == 0 and by_length[:90].min() > 0.8 and by_length[90:].max() == 0


def test_an_edge_stands_out_of_a_bare_surface_and_not_out_of_a_texture() -> None:
    """Forty patches in a row; from the twentieth on each parts from the next as from a thing."""
    pairs = np.stack([np.arange(39), np.arange(1, 40)], 1)
    color = np.where(np.arange(39) < 20, 0.05, 0.8)
    color[10] = 0.8
    found = outstanding(color, np.ones(39), pairs, 40)
    assert found[10] > 0.5 and found[24:].max() < 0.05 and found[:8].max() < 0.05


def folded(turned: bool) -> FusedSurface:
    """A strip of 40 x 40 voxels that is level, or rises steeply from its middle on."""
    x, y = (v.ravel() for v in np.meshgrid(np.arange(40), np.arange(40), indexing="ij"))
    rises = (x >= 20) & turned
    points = np.stack([np.where(rises, 20, x), y, np.where(rises, x - 20, 0)], 1).astype(float)
    normals = np.where(rises[:, None], [-1.0, 0, 0], [0, 0, 1.0])
    number = np.arange(1600).reshape(40, 40)
    beside = [np.stack([number[:-1].ravel(), number[1:].ravel()], 1)]
    beside += [np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], 1)]
    return FusedSurface(
        points=points,
        normals=normals,
        widths=np.ones(1600),
        cells=points,
        pairs=np.concatenate(beside),
        maps=[],
    )


def test_a_plane_that_ends_where_nothing_is_seen_parts_little() -> None:
    planes = np.where(np.arange(1600) < 800, 0, -1).astype(np.int32)  # it ends in the middle
    config = BoundaryConfig()

    def at_its_end(turned: bool, step: float) -> float:
        surface = folded(turned)
        ends = planes[surface.pairs[:, 0]] != planes[surface.pairs[:, 1]]
        heights = np.where(ends, step, 0.0)
        graph = patch_graph(surface, planes, (heights, np.ones(len(ends), np.int64)), config)
        own = np.full(len(graph.sizes), -1)
        own[graph.patches] = planes
        return float(graph.boundary[(own[graph.pairs] == [0, -1]).all(1)].mean())

    assert at_its_end(False, 0.0) < 0.25 < 0.7 < min(at_its_end(True, 0.0), at_its_end(False, 60.0))
