"""Which points neighbouring depth maps agree on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import clips, ray_world

from backend.cameras.depth.capture_depth import DepthConfig
from backend.cameras.depth.fusion import StoredDepth, agreed, between, fuse
from backend.cameras.depth.neighbors import pick_neighbors
from backend.formats import capture
from backend.formats.capture import Capture
from backend.geometry.arrays import Doubles, Floats
from backend.geometry.conventions import to_viewmat

SIZE, FOCAL = (96, 72), 80.0
WORLD = ray_world.make_room(0)
MIDDLE = np.zeros((1, 3))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    folder = tmp_path_factory.mktemp("fusion")
    clips.write_capture(folder, 12, SIZE, FOCAL)
    return capture.read(folder)


def true_depth(source: Capture, index: int) -> Floats:
    pose = source.frames[index].camera_to_world
    return ray_world.depth(WORLD, pose, FOCAL, SIZE).astype(np.float32)


def neighbors_of(source: Capture) -> list[list[int]]:
    return pick_neighbors(source.frames, MIDDLE, ((4.0, 2), (9.0, 2), (16.0, 2)))


def fused(source: Capture, maps: list[Floats]) -> Floats:
    stored = [StoredDepth(m, np.ones(m.shape, bool)) for m in maps]
    return fuse(source, stored, neighbors_of(source), DepthConfig(points=100_000))[0]


def error(source: Capture, maps: list[StoredDepth]) -> Floats:
    """(F, H, W) relative."""
    return np.stack([np.abs(m.depth / true_depth(source, i) - 1) for i, m in enumerate(maps)])


def off_the_room(source: Capture, points: Floats) -> Doubles:
    """(N,) relative distance before or behind what the nearest of the pictures shows."""
    best = np.full(len(points), np.inf)
    for index, frame in enumerate(source.frames):
        viewmat = to_viewmat(frame.camera_to_world)
        local = points @ viewmat[:3, :3].T + viewmat[:3, 3]
        with np.errstate(all="ignore"):
            at = np.floor(local[:, :2] / local[:, 2:] * FOCAL + np.array(SIZE) / 2)
        inside = (local[:, 2] > 0.01) & (at >= 0).all(1) & (at < SIZE).all(1)
        column, row = np.where(inside[:, None], at, 0).astype(int).T
        met = true_depth(source, index)[row, column]
        best = np.minimum(best, np.where(inside, np.abs(local[:, 2] / met - 1), np.inf))
    return best


def test_true_maps_give_points_on_the_room(source: Capture) -> None:
    points = fused(source, [true_depth(source, i) for i in range(12)])
    assert len(points) > 5000
    assert np.quantile(off_the_room(source, points), 0.95) < 0.02


def test_maps_that_err_differently_are_brought_to_what_they_agree_on(source: Capture) -> None:
    random = np.random.default_rng(0)
    maps = [
        StoredDepth(
            (true_depth(source, i) * (1 + 0.005 * random.normal(size=SIZE[::-1]))).astype("f4"),
            random.random(SIZE[::-1]) > 0.1,
        )
        for i in range(12)
    ]
    config, seen = DepthConfig(), []
    better = agreed(
        source, maps, neighbors_of(source), config, lambda done, of: seen.append((done, of))
    )
    assert np.median(error(source, better)) < 0.4 * np.median(error(source, maps))
    assert np.quantile(error(source, better), 0.9) < np.quantile(error(source, maps), 0.9)
    for before, after in zip(maps, better, strict=True):
        assert (after.good == before.good).all()
        assert (after.depth == before.depth)[~before.good].all()
    assert seen == [(k, 24) for k in range(24)]


def test_what_one_map_alone_says_is_left_as_it_is(source: Capture) -> None:
    maps = [StoredDepth(true_depth(source, i), np.ones(SIZE[::-1], bool)) for i in range(12)]
    near = maps[5].depth.copy()
    near[20:40, 30:60] *= 0.5
    better = agreed(
        source,
        [*maps[:5], StoredDepth(near, maps[5].good), *maps[6:]],
        neighbors_of(source),
        DepthConfig(),
    )
    assert (better[5].depth == near)[22:38, 32:58].all()
    assert np.median(np.delete(error(source, better), 5, 0)) < 0.001


def test_frames_without_neighbours_keep_their_depth(source: Capture) -> None:
    lone = replace(source, frames=source.frames[:1])
    maps = [StoredDepth(true_depth(source, 0), np.ones(SIZE[::-1], bool))]
    assert (agreed(lone, maps, [[]], DepthConfig())[0].depth == maps[0].depth).all()


def test_maps_of_which_nothing_is_known_stay(source: Capture) -> None:
    """Blank pictures between good ones."""
    maps = [StoredDepth(true_depth(source, i), np.full(SIZE[::-1], i % 3 > 0)) for i in range(12)]
    with np.errstate(all="raise"):
        better = agreed(source, maps, neighbors_of(source), DepthConfig())
    assert all((better[i].depth == maps[i].depth).all() for i in range(0, 12, 3))
    assert np.median(error(source, better)) < 0.001


def test_a_flat_floor_is_read_between_rows_of_pixels() -> None:
    """Its depth changes by more from row to row than maps may differ."""
    rows, columns = np.mgrid[0:40, 0:60] + 0.5
    depth = (1 / (0.01 + 0.004 * rows + 0.0005 * columns)).astype(np.float32)
    assert np.median(np.abs(np.diff(depth, axis=0)) / depth[1:]) > DepthConfig().agree
    places = np.random.default_rng(0).uniform(1, 39, (70_000, 2))
    true = 1 / (0.01 + 0.004 * places[:, 1] + 0.0005 * places[:, 0])
    met = between(depth, places, np.ones(len(places), bool))
    assert (np.abs(met / true - 1) < 0.002).all()


def test_what_each_map_says_alone_is_left_out(source: Capture) -> None:
    random = np.random.default_rng(0)
    maps = [true_depth(source, i) for i in range(12)]
    spoiled = [m.copy() for m in maps]
    for m in spoiled:
        m[:30, :40] *= random.uniform(0.3, 0.8)
    points = fused(source, spoiled)
    assert len(points) < len(fused(source, maps))
    assert np.quantile(off_the_room(source, points), 0.9) < 0.03


def test_rims_that_all_maps_make_too_wide_are_seen_through(source: Capture) -> None:
    """Windows lend the depth of a thing to what lies around it, in every picture alike."""
    maps = [true_depth(source, i) for i in range(12)]
    wide = [-_widest(-m, 2) for m in maps]
    assert np.mean([(w < 0.8 * m).mean() for w, m in zip(wide, maps, strict=True)]) > 0.04
    points = fused(source, wide)
    assert (off_the_room(source, points) > 0.1).mean() < 0.04


def _widest(values: Floats, radius: int) -> Floats:
    padded = np.pad(values, radius, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1,) * 2)
    return np.asarray(windows.max((2, 3)), np.float32)


def test_neighbours_are_of_each_angle_and_none_twice(source: Capture) -> None:
    wanted = ((4.0, 2), (9.0, 2), (16.0, 2))
    for index, chosen in enumerate(pick_neighbors(source.frames, MIDDLE, wanted)):
        assert len(chosen) == len(set(chosen)) == 6 and index not in chosen


def test_two_pictures_have_one_neighbour_each(source: Capture, tmp_path: Path) -> None:
    few = replace(source, frames=source.frames[:2])
    assert pick_neighbors(few.frames, MIDDLE, ((4.0, 2), (9.0, 2))) == [[1], [0]]
