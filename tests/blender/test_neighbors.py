"""Growing, flooding, loose parts, the brush's eye: plain arrays, compared with the slow way."""

import time
from typing import Any

import numpy as np


def two_balls() -> np.ndarray:
    g = np.random.default_rng(0)
    directions = g.normal(size=(900, 3))
    points = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    points[600:] = points[600:] * 0.5 + [4, 0, 0]
    return points.astype(np.float32)


def test_growing_takes_what_is_near_and_no_more(blender: Any, rooms: Any) -> None:
    neighbors, points, reach = rooms("scene.objects.neighbors"), two_balls(), 0.25
    chosen = points[:, 0] < -0.5
    grown = neighbors.grow(points, chosen, reach)
    away = np.linalg.norm(points[:, None] - points[chosen][None], axis=2).min(1)
    assert (
        (grown[away < reach]).all()
        and not grown[away > 2 * np.sqrt(3) * reach].any()
        and grown.sum() > chosen.sum()
    )
    shrunk = neighbors.shrink(points, chosen, reach)
    assert (chosen[shrunk]).all() and 0 < shrunk.sum() < chosen.sum()
    np.testing.assert_array_equal(shrunk, ~neighbors.grow(points, ~chosen, reach))


def test_parts_and_floods_stop_at_gaps(blender: Any, rooms: Any) -> None:
    neighbors, points = rooms("scene.objects.neighbors"), two_balls()
    part = neighbors.parts(points, 0.4)
    np.testing.assert_array_equal(part, (np.arange(900) >= 600).astype(int))
    colors = np.where(points[:, 2:] > 0, (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)).astype(np.float32)
    seed = np.zeros(900, bool)
    seed[np.argmax(points[:600, 2])] = True
    flooded = neighbors.flood(points, colors, seed, 0.4, 0.1)
    np.testing.assert_array_equal(flooded, (np.arange(900) < 600) & (points[:, 2] > 0))
    np.testing.assert_array_equal(neighbors.alike(colors, seed, 0.1), points[:, 2] > 0)


def test_strange_points_break_nothing(blender: Any, rooms: Any) -> None:
    neighbors, points = rooms("scene.objects.neighbors"), two_balls()
    points[3], points[5, 1], points[7] = np.nan, np.inf, 1e30
    chosen = np.arange(900) < 100
    assert neighbors.grow(points, chosen, 0.2)[:100].all()
    assert neighbors.typical_reach(np.zeros((5, 3), np.float32)) > 0 and np.isfinite(
        neighbors.typical_reach(points)
    )
    assert neighbors.parts(np.zeros((0, 3), np.float32), 1.0).shape == (0,)


def test_a_million_splats_take_a_moment(blender: Any, rooms: Any) -> None:
    neighbors, g = rooms("scene.objects.neighbors"), np.random.default_rng(1)
    points = g.normal(size=(1_000_000, 3)).astype(np.float32)
    begun = time.process_time()
    neighbors.grow(points, points[:, 0] < 0, neighbors.typical_reach(points))
    assert time.process_time() - begun < 5


def test_the_brush_sees_what_is_in_front(blender: Any, rooms: Any) -> None:
    painting = rooms("scene.objects.painting")
    sheet = np.stack(np.meshgrid(np.linspace(-1, 1, 60), np.linspace(-1, 1, 60)), -1).reshape(-1, 2)
    points = np.concatenate([np.c_[sheet, np.full(3600, z)] for z in (-2.0, -3.0)]).astype(
        np.float32
    )
    matrix = np.array(
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, -0.2], [0, 0, -1, 0]], float
    )  # looks along -z, 90 degrees wide
    view = painting.project(points, np.ones(len(points), np.float32), matrix, (200, 200))
    front = painting.touched(view, (100, 100), 20, 0.1, False)
    through = painting.touched(view, (100, 100), 20, 0.1, True)
    assert (
        len(front)
        and (front < 3600).all()
        and (through >= 3600).any()
        and set(front) < set(through)
    )
    away = np.linalg.norm(points[front, :2] / 2 * 100, axis=1)
    assert away.max() <= 20.01
    flat = np.array(
        [[0.5, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, -0.001, -1], [0, 0, 0, 1]], float
    )  # the same from far away, without perspective
    beside = painting.project(points, np.ones(len(points), np.float32), flat, (200, 200))
    front, through = (painting.touched(beside, (100, 100), 20, 0.1, way) for way in (False, True))
    assert len(front) and (front < 3600).all() and (through >= 3600).any()
    behind = painting.project(-points, np.ones(len(points), np.float32), matrix, (200, 200))
    assert len(painting.touched(behind, (100, 100), 500, 0.1, True)) == 0


def test_whole_objects_are_those_of_most_splats(blender: Any, rooms: Any) -> None:
    main = rooms("scene.objects.painting").main_objects
    assert main(np.array([3, 3, 3, 3, 3, 7, 7, 7, 1, -1, -1])).tolist() == [3, 7]
    assert (
        main(np.arange(9)).tolist() == list(range(9))
        and main(np.array([-1])).tolist() == []
        and main(np.zeros(0, int)).tolist() == []
    )
