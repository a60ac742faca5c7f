"""Bones for a sequence that has none: found again where there were some, close where there were
none.
"""

import numpy as np
from helpers import turning_blob

from backend.dynamic_mesh.deformation.skinning import SkinningConfig, decompose
from backend.formats.mesh_sequence import skinned


def turn(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def test_two_rigid_halves_need_two_bones() -> None:
    rest, _ = turning_blob.ball()
    upper = rest[:, 2] > 0
    positions = np.stack(
        [
            np.where(upper[:, None], rest @ turn(0.1 * t).T + [0, 0, 0.02 * t], rest)
            for t in range(12)
        ]
    )
    nodes = decompose(positions, SkinningConfig(bones=2))
    assert np.abs(skinned(positions[0], nodes) - positions).max() < 1e-4


def test_a_smooth_bend_is_close_and_weights_are_sound() -> None:
    rest, _ = turning_blob.ball()
    positions = np.stack([turning_blob.bent(rest, t / 20) for t in range(20)])
    nodes = decompose(positions, SkinningConfig(bones=16))
    assert (nodes.weights >= 0).all() and np.abs(nodes.weights.sum(1) - 1).max() < 1e-5
    off = np.linalg.norm(skinned(positions[0], nodes) - positions, axis=2)
    assert np.sqrt(np.square(off).mean()) < 0.004 * np.ptp(positions, axis=(0, 1)).max()


def test_a_mesh_that_stands_still_is_no_trouble() -> None:
    rest, _ = turning_blob.ball(8, 10)
    positions = np.repeat(rest[None], 5, 0)
    nodes = decompose(positions, SkinningConfig(bones=400))
    assert np.isfinite(nodes.transforms).all()
    assert np.abs(skinned(rest, nodes) - positions).max() < 1e-5
