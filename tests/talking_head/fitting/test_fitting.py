"""Rigs fitted to points: what was put in comes out; gaps are bridged; bounds are kept. Real heads
where the data is there.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.places import DATA
from helpers.talking_face import talking_face
from helpers.toy_rig import toy_rig

from backend.protocol import InputError
from backend.talking_head.fitting.coefficients import opposed, opposed_pairs, solve_bounded
from backend.talking_head.fitting.fit import fit_rig
from backend.talking_head.fitting.fit_config import FaceFitConfig
from backend.talking_head.rigs.correspondence import Correspondence, find_correspondence
from backend.talking_head.rigs.drawing import portrait
from backend.talking_head.rigs.ict import read_ict
from backend.talking_head.rigs.rig import Rig
from backend.talking_head.tracking.face_mesh import COUNT, LEFT_CORNER, RIGHT_CORNER, aperture
from backend.talking_head.tracking.track import FaceTrack, FaceTracker

real = pytest.mark.skipif(not (DATA / "models/ict_facekit").is_dir(), reason="no ../shared/data")


def toy_track(
    rig: Rig, frames: int = 40
) -> tuple[FaceTrack, Correspondence, np.ndarray, np.ndarray]:
    """Points of a turning toy with known coefficients (T, K), and its rest (V, 3)."""
    random = np.random.default_rng(1)
    vertices = random.integers(0, len(rig.neutral), COUNT)
    vertices[LEFT_CORNER], vertices[RIGHT_CORNER] = (
        np.argmin(rig.neutral[:, 0]),
        np.argmax(rig.neutral[:, 0]),
    )
    time = np.linspace(0, 2, frames)[:, None]
    coefficients = (0.5 + 0.5 * np.sin(3 * time + np.arange(len(rig.names)))).astype(np.float32)
    rest = rig.person(np.array([1.0, -1, 0.5, 0.8], np.float32))
    points = np.zeros((frames, COUNT, 3), np.float32)
    for frame in range(frames):
        view = portrait(500, 0.3 * np.sin(time[frame, 0]), 0.1, 0.05, distance=70)
        points[frame] = view.project(rig.posed(rest, coefficients[frame])[vertices])
        points[frame, :, 2] *= view.focal / view.translation[2]
    track = FaceTrack(
        points=points,
        scores=np.ones(frames, np.float32),
        times=np.arange(frames) / 25,
        width=500,
        height=500,
        faces=1,
    )
    return (
        track,
        Correspondence(vertices, np.zeros((COUNT, 3), np.float32), 0.0),
        coefficients,
        rest,
    )


def focal_config(track: FaceTrack) -> FaceFitConfig:
    """The lens that the toy was seen with, and hardly any pull."""
    angle = 2 * np.degrees(np.arctan(15 / 70))
    return FaceFitConfig(
        field_of_view=angle,
        pull=1e-5,
        smooth=1e-5,
        identity=1e-5,
        offsets=0.0,
        rounds=12,
        steps=200,
    )


def test_what_was_put_in_comes_out() -> None:
    rig = toy_rig()
    track, where, coefficients, rest = toy_track(rig)
    motion = fit_rig(track, rig, where, focal_config(track))
    assert motion.residual < 2e-3
    frames = range(len(coefficients))
    truth = np.stack([rig.posed(rest, coefficients[t]) for t in frames])
    found = np.stack([motion.vertices(rig, t) for t in frames])
    # shapes and identity may share what is constant, so the faces are compared and not the numbers
    assert np.abs(found - truth).mean() < 0.05
    assert np.abs(np.diff(motion.coefficients, axis=0) - np.diff(coefficients, axis=0)).max() < 0.05
    assert motion.coefficients.min() >= 0 and motion.coefficients.max() <= 1


def test_frames_without_a_face_are_bridged() -> None:
    rig = toy_rig()
    track, where, coefficients, _ = toy_track(rig)
    track.points[15:19] = np.nan
    motion = fit_rig(track, rig, where, focal_config(track))
    assert len(motion.coefficients) == len(coefficients) and np.isfinite(motion.rotations).all()
    assert np.abs(np.linalg.det(motion.rotations) - 1).max() < 1e-6
    assert np.abs(np.diff(motion.coefficients[13:21], axis=0)).max() < 0.15


def test_the_solver_finds_the_least_within_bounds() -> None:
    """Against plain projected descent with tiny steps."""
    torch.manual_seed(0)
    root = torch.randn(7, 5, 5)
    square, right, smooth = (
        root @ root.transpose(1, 2) + torch.eye(5),
        torch.randn(7, 5) * 3,
        torch.rand(5),
    )
    lowest = torch.tensor([0.0, 0, -1, 0, -1])
    found = solve_bounded(square, right, smooth, lowest, torch.zeros(7, 5), 500)
    slow = torch.zeros(7, 5)
    for _ in range(20_000):
        steps = slow.diff(dim=0)
        pull = torch.zeros_like(slow)
        pull[1:] += steps
        pull[:-1] -= steps
        slow = (
            (slow - 5e-3 * (torch.einsum("tkl,tl->tk", square, slow) - right + smooth * pull))
            .maximum(lowest)
            .clamp(max=1)
        )
    torch.testing.assert_close(found, slow, atol=1e-3, rtol=0)


def test_what_undoes_one_another_is_not_done_at_once() -> None:
    """Two shapes that are nearly each other's opposite, and a third that leaves them room."""
    names = ("jawLeft", "jawRight", "cheekPuff")
    assert opposed_pairs(names) == [(0, 1)] and opposed(("cheekPuff", "eyeBlinkLeft")).sum() == 0
    rows = torch.tensor([[1.0, 0, 0.3], [-0.9, 0.4, 0], [0.2, 0.5, 0.5]])
    square, right = (rows @ rows.T).expand(2, 3, 3), torch.tensor([[0.4, -0.2, 0.3]] * 2)
    nothing, none = torch.zeros(3), torch.zeros(2, 3)
    before = solve_bounded(square, right, nothing, nothing, none, 800)
    after = solve_bounded(square + opposed(names), right, nothing, nothing, none, 800)
    assert after[:, :2].amin() < 1e-3 <= after[:, 0].amin()
    assert before[:, :2].min() >= after[:, :2].min()


def test_a_folder_that_is_no_face_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="generic_neutral_mesh"):
        read_ict(tmp_path)
    (tmp_path / "generic_neutral_mesh.obj").write_text("v 0 0 0\nv 1 nan 0\nf 1 2 9\n")
    with pytest.raises(InputError, match="generic_neutral_mesh"):
        read_ict(tmp_path)


@pytest.mark.whole
@pytest.mark.data
@real
def test_a_rendered_head_is_read_back() -> None:
    rig, tracker = (
        read_ict(DATA / "models/ict_facekit"),
        FaceTracker(DATA / "weights/mediapipe_face"),
    )
    where = find_correspondence(rig, tracker)
    assert where.residual < 0.025
    face = talking_face(rig, where.vertices, 40, size=256)
    rows, _ = tracker.follow(face.images())
    assert all(row is not None for row in rows)
    points = np.stack([row.points for row in rows if row])
    track = FaceTrack(
        points=points,
        scores=np.ones(40, np.float32),
        times=np.arange(40) / 25,
        width=256,
        height=256,
        faces=1,
    )
    motion = fit_rig(track, rig, where)
    truth = np.stack([face.projected(t)[where.vertices] for t in range(40)])
    found = np.stack(
        [motion.view(t).project(motion.vertices(rig, t)[where.vertices])[:, :2] for t in range(40)]
    )
    assert np.corrcoef(aperture(truth), aperture(found.astype(np.float32)))[0, 1] > 0.9
    jaw = rig.names.index("jawOpen")
    assert np.corrcoef(motion.coefficients[:, jaw], face.coefficients[:, jaw])[0, 1] > 0.6
