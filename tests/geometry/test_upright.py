"""What is up, from cameras and from planes."""

import numpy as np

from backend.geometry.upright import DOWN, flat_normals, upright_of_cameras, upright_of_splats


def turned(axis: int, degrees: float) -> np.ndarray:
    a, (i, j) = np.radians(degrees), [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[[i, j], [i, j]], matrix[i, j], matrix[j, i] = np.cos(a), -np.sin(a), np.sin(a)
    return matrix


def normals(random: np.random.Generator, way: np.ndarray, count: int) -> np.ndarray:
    spread = way + 0.01 * random.normal(size=(count, 3))
    signs = random.choice([-1.0, 1.0], (count, 1))
    return np.asarray(spread / np.linalg.norm(spread, axis=1, keepdims=True) * signs)


def test_a_floor_that_is_tilted_is_put_level() -> None:
    random, tilt = np.random.default_rng(0), turned(0, 25) @ turned(2, 10)
    floor, wall = tilt @ DOWN, tilt @ np.array([0.0, 0.0, 1.0])
    every = np.concatenate(
        [normals(random, floor, 400), normals(random, wall, 900), random.normal(size=(300, 3))]
    )
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    placed = upright_of_splats(every, np.ones(len(every)))
    np.testing.assert_allclose(placed[:3, :3] @ -floor, [0, 0, 1], atol=0.02)
    np.testing.assert_allclose(placed[:3, :3] @ placed[:3, :3].T, np.eye(3), atol=1e-9)


def test_without_a_plane_y_points_down() -> None:
    random = np.random.default_rng(1)
    every = random.normal(size=(3000, 3))
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    for some in (every, every[:0]):
        placed = upright_of_splats(some, np.ones(len(some)))
        np.testing.assert_allclose(placed[:3, :3] @ -DOWN, [0, 0, 1], atol=1e-9)


def test_only_flat_and_solid_splats_count() -> None:
    scales = np.array([[1, 1, 0.1], [1, 1, 1], [2, 0.1, 3], [1, 1, 0.1]])
    found, areas = flat_normals(np.tile(np.eye(3), (4, 1, 1)), scales, np.array([0.9, 0.9, 0.9, 0]))
    np.testing.assert_array_equal(found, [[0, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(areas, [1, 6])


def test_cameras_on_a_ring_look_at_the_origin() -> None:
    poses = []
    for azimuth in np.linspace(0, 315, 8):
        back = turned(2, azimuth) @ np.array([0.0, -1.0, 0.3]) / np.hypot(1, 0.3)
        side = np.cross([0, 0, 1.0], back) / np.linalg.norm(np.cross([0, 0, 1.0], back))
        pose = np.eye(4)
        pose[:3, :3] = np.stack([side, np.cross(back, side), back], 1)
        pose[:3, 3] = np.array([5.0, 6.0, 7.0]) + 2 * back
        poses.append(pose)
    placed = upright_of_cameras(np.stack(poses))
    np.testing.assert_allclose(placed @ [5, 6, 7, 1], [0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(placed[:3, :3], axis=0), 2.0, atol=1e-6)
    np.testing.assert_allclose(placed[:3, :3] @ [0, 0, 1] / 2, [0, 0, 1], atol=1e-6)
