"""Axes, pixels and alignment, each against what it means in words."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.geometry.conventions import align_similarity, from_viewmat, intrinsics, to_viewmat


def test_a_camera_at_rest_looks_along_minus_z_with_y_up() -> None:
    viewmat = to_viewmat(np.eye(4))
    np.testing.assert_allclose(viewmat @ [0, 0, -2, 1], [0, 0, 2, 1])  # before it: positive depth
    np.testing.assert_allclose(viewmat @ [1, 0, -2, 1], [1, 0, 2, 1])  # right is right
    np.testing.assert_allclose(viewmat @ [0, 1, -2, 1], [0, -1, 2, 1])  # up is against the rows


def test_many_cameras_at_once_there_and_back() -> None:
    g = np.random.default_rng(0)
    poses = np.tile(np.eye(4), (5, 1, 1))
    poses[:, :3, :3], poses[:, :3, 3] = (
        np.linalg.qr(g.normal(size=(5, 3, 3)))[0],
        g.normal(size=(5, 3)),
    )
    viewmats = to_viewmat(poses)
    np.testing.assert_allclose(from_viewmat(viewmats), poses, atol=1e-12)
    centers = np.linalg.inv(viewmats)[:, :3, 3]
    np.testing.assert_allclose(centers, poses[:, :3, 3], atol=1e-12)


def test_intrinsics_put_the_axis_on_the_principal_point() -> None:
    K = intrinsics(100, 200, 40, 30)
    np.testing.assert_array_equal(K @ [0, 0, 1], [40, 30, 1])
    np.testing.assert_array_equal(K @ [1, 0, 1], [140, 30, 1])
    np.testing.assert_array_equal(K @ [0, 1, 1], [40, 230, 1])


def corners() -> np.ndarray:
    return np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3], [1, 1, 1]])


def test_alignment_is_a_rotation_even_where_a_mirror_would_fit_better() -> None:
    scale, rotation, _ = align_similarity(corners(), corners() * [1, 1, -1])
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert 0 < scale < 1, "what is mirrored is drawn together rather than turned over"


def test_alignment_fits_noise_by_least_squares() -> None:
    """No other scale, turn or shift near the one found carries the points closer."""
    g = np.random.default_rng(1)
    source = g.normal(size=(20, 3))
    target = 0.5 * source[:, [1, 2, 0]] + [1, 2, 3] + g.normal(size=(20, 3)) * 0.2
    scale, rotation, shift = align_similarity(source, target)

    def error(s: float, r: np.ndarray, t: np.ndarray) -> float:
        return float(((s * source @ r.T + t - target) ** 2).sum())

    best = error(scale, rotation, shift)
    for change in (0.99, 1.01):
        assert error(scale * change, rotation, shift) > best
    for axis in np.eye(3):
        assert error(scale, rotation, shift + 0.01 * axis) > best
        for angle in (-0.01, 0.01):
            assert (
                error(scale, rotation @ Rotation.from_rotvec(angle * axis).as_matrix(), shift)
                > best
            )


def test_points_in_one_place_have_no_scale() -> None:
    scale, _, shift = align_similarity(np.ones((4, 3)), np.full((4, 3), 5.0))
    assert scale == 0
    np.testing.assert_allclose(shift, 5)


def test_small_scenes_are_scenes() -> None:
    scale, rotation, _ = align_similarity(corners() * 1e-6, corners())
    assert scale == pytest.approx(1e6)
    np.testing.assert_allclose(rotation, np.eye(3), atol=1e-9)
