"""The splats' own pieces as a voice: heard where they are right, and only there."""

import numpy as np
import torch

from backend.gaussians.options import Drawables
from backend.semantics.regions.boundaries import PatchGraph
from backend.semantics.regions.fused_surface import FusedSurface
from backend.semantics.regions.own_pieces import OwnConfig, heard, own_pieces


def row_of(boundary: list[float]) -> PatchGraph:
    """Patches in a row, of one voxel each."""
    count = len(boundary) + 1
    return PatchGraph(
        patches=np.arange(count, dtype=np.int32),
        sizes=np.ones(count, np.int64),
        pairs=np.stack([np.arange(count - 1), np.arange(1, count)], 1),
        boundary=np.array(boundary),
        evidence=np.zeros((len(boundary), 10)),
        contact=np.ones(len(boundary)),
        planes=np.full(count, -1),
        colors=np.zeros((count, 3)),
    )


def test_pieces_whose_borders_are_seen_part_and_join() -> None:
    graph = row_of([0.1, 0.9, 0.4, 0.8, 0.1, 0.0])
    own = np.array([0, 0, 1, 1, 2, 2, 3], np.int32)  # two of their three borders are seen
    found = heard(graph, graph.boundary, own)
    trust = 1 / 3
    np.testing.assert_allclose(found[[0, 2, 4]], np.array([0.1, 0.4, 0.1]) * (1 - trust / 2))
    np.testing.assert_allclose(found[[1, 3, 5]], [0.9 + 0.1 * trust, 0.8 + 0.2 * trust, trust])


def test_rules_say_whether_they_are_heard_and_what_is_likely_is_changed() -> None:
    own = np.array([0, 0, 1, 1, 2, 2, 3], np.int32)
    likely = np.array([0.5, 0.6, 0.2, 0.4, 0.3, 0.1])
    found = heard(row_of([0.1, 0.9, 0.4, 0.8, 0.1, 0.0]), likely, own)
    np.testing.assert_allclose(found[[0, 2, 4]], np.array([0.5, 0.2, 0.3]) * 5 / 6)
    np.testing.assert_allclose(found[[1, 3, 5]], [0.6 + 0.4 / 3, 0.4 + 0.6 / 3, 0.1 + 0.9 / 3])


def test_pieces_whose_borders_are_not_seen_say_nothing() -> None:
    graph = row_of([0.1, 0.1, 0.9, 0.1, 0.0])
    alone = np.arange(6, dtype=np.int32)
    for own in (alone, np.full(6, -1, np.int32), np.zeros(6, np.int32)):  # no borders in the last
        np.testing.assert_array_equal(heard(graph, graph.boundary, own), graph.boundary)


def balls(count: int) -> Drawables:
    """Two balls of splats on their surfaces."""
    random = np.random.default_rng(0)
    means = random.normal(size=(count, 3))
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    means[: count // 2, 0] += 5
    return Drawables(
        means=torch.from_numpy(means.astype(np.float32)),
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(count, 1),
        scales=torch.full((count, 3), 0.02),
        opacities=torch.full((count,), 0.9),
        colors=torch.full((count, 3), 0.5),
    )


def surface_at(points: np.ndarray) -> FusedSurface:
    return FusedSurface(
        points=points,
        normals=np.tile([0.0, 0.0, 1.0], (len(points), 1)),
        widths=np.ones(len(points)),
        cells=points,
        pairs=np.zeros((0, 2), np.int64),
        maps=[],
    )


def test_every_voxel_has_the_piece_of_the_splats_there() -> None:
    surface = surface_at(np.array([[5.0, 0, 1], [6.0, 0, 0], [0, 0, 1.0], [-1.0, 0, 0]]))
    for config in (OwnConfig(), OwnConfig(most=1500)):
        found = own_pieces(balls(4000), surface, config)
        assert found[0] == found[1] != found[2] == found[3] and found.min() >= 0
    np.testing.assert_array_equal(own_pieces(balls(4), surface), -1)
    np.testing.assert_array_equal(own_pieces(balls(0), surface), -1)
