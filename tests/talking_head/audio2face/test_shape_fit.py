"""Weights of shapes, against a solver of somebody else and against the mesh, vertex by vertex."""

from pathlib import Path

import numpy as np
import pytest
from helpers import tiny_audio2face
from scipy.optimize import lsq_linear

from backend.geometry.arrays import Doubles
from backend.talking_head.audio2face import face_network, mesh_data, settings
from backend.talking_head.audio2face.retarget import eased, part_weights
from backend.talking_head.audio2face.settings import FitSettings
from backend.talking_head.audio2face.shape_fit import prepare, weights

COUNT = 9


def fit_settings(opposed: tuple[int, ...] = (-1,) * COUNT) -> FitSettings:
    return FitSettings(
        active=(1,) * 8 + (0,),
        opposed=opposed,
        symmetric=(0, 0, *(-1,) * 7),
        gains=(1.0,) * 7 + (0.5, 1.0),
        offsets=(0.0,) * 8 + (0.25,),
        l1=1.5,
        l2=0.2,
        temporal=0.3,
        symmetry=2.0,
        diagonal=4.0,
    )


def faces(rng: np.random.Generator) -> tuple[Doubles, Doubles]:
    """Deltas (8, 30) that are much alike, and right-hand sides (12, 8) beyond all bounds."""
    deltas = rng.normal(0, 1, (8, 3)) @ rng.normal(0, 1, (3, 30)) + rng.normal(0, 0.3, (8, 30))
    shown = rng.normal(0.4, 0.8, (12, 8))
    return deltas, shown @ deltas @ deltas.T


def test_each_frame_is_the_bounded_minimum() -> None:
    deltas, sides = faces(np.random.default_rng(1))
    fit = prepare(tuple("abcdefghi"), deltas, 6.0, fit_settings())
    scale = (6 / 4) ** 2
    alike = np.eye(8)[0] - np.eye(8)[1]
    normal = deltas @ deltas.T + 1.5**2 * 0.25 * scale + (2 + 30) * scale * np.eye(8)
    normal += 10 * 2 * scale * np.outer(alike, alike)
    np.testing.assert_allclose(fit.normal, normal)
    found = weights(fit, sides)
    root, before = np.linalg.cholesky(fit.normal).T, np.zeros(8)
    for row, side in zip(found, sides, strict=True):
        wanted = np.linalg.solve(root.T, side + 0.3 * scale * before)
        before = lsq_linear(root, wanted, (0, 1), method="bvls").x
        np.testing.assert_allclose(row[:7], before[:7], atol=2e-5)
        assert abs(row[7] - before[7] / 2) < 2e-5 and row[8] == 0.25  # gain; offset of one at rest
    assert (found[:, :7] == 0).any() and (found[:, :7] == 1).any()


def test_of_two_that_exclude_each_other_the_weaker_rests() -> None:
    deltas, sides = faces(np.random.default_rng(2))
    free = weights(prepare(tuple("abcdefghi"), deltas, 6.0, fit_settings()), sides)
    opposed = (-1, -1, 4, 4, *(-1,) * 5)
    one = weights(prepare(tuple("abcdefghi"), deltas, 6.0, fit_settings(opposed)), sides)
    assert (np.minimum(free[:, 2], free[:, 3]) > 0.01).any()
    assert np.minimum(one[:, 2], one[:, 3]).max() < 1e-9 < one[:, 2:4].max()


def test_numbers_move_faces_as_their_vertices_would(tmp_path: Path) -> None:
    """The finish, on every vertex of every frame."""
    how = {"upper_face_smoothing": 0.05, "lower_face_smoothing": 0.1, "lower_face_strength": 1.4,
           "skin_strength": 1.1, "lip_open_offset": -0.3, "eyelid_open_offset": 0.2}  # fmt: skip
    path = tiny_audio2face.folder(tmp_path / "tiny", **how)
    network = face_network.load(str(path))
    rows = np.random.default_rng(3).normal(0, 0.3, (20, tiny_audio2face.SKIN)).astype(np.float32)
    head, told = network.head, network.how
    height = head.skin.mean[:, 1]
    level = (height - height.min()) / np.ptp(height)
    lower = 1 / (1 + np.exp(-(0.6 - level) / 0.0085))[:, None]
    moved = 1.1 * np.einsum("ts,svc->tvc", rows, head.skin.basis)
    moved += -0.2 * head.eye_close - 0.3 * head.lip_open
    smooth = [
        eased(moved.reshape(20, -1), seconds, 30.0).reshape(moved.shape) for seconds in (0.05, 0.1)
    ]
    shown = head.skin.mean + smooth[0] * (1 - lower) + 1.4 * smooth[1] * lower
    fit = settings.fit_settings(path / "bs_skin_config.json")
    poses = mesh_data.read_poses(path / "bs_skin.npz", fit, tiny_audio2face.VERTICES)
    sides = (shown - poses.neutral).reshape(20, -1) @ poses.deltas.reshape(len(poses.deltas), -1).T
    by_vertices = weights(network.skin.fit, sides)
    np.testing.assert_allclose(part_weights(network.skin, rows, 30.0), by_vertices, atol=1e-4)
    assert by_vertices.max() > 0.3 and told.lip_open_offset == -0.3


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_ease_has_the_published_half_life(seconds: float) -> None:
    step = np.ones((61, 1))
    step[0] = 0
    found = eased(step, seconds, 30.0)[:, 0]
    if not seconds:
        assert (found[1:] == 1).all()
        return
    left = 0.5 ** (1 / 6)  # of a frame, at 30 a second
    k = np.arange(61)
    np.testing.assert_allclose(1 - found, left**k * (1 + (1 - left) * k), atol=1e-9)
