"""Bundle adjustment against exact scenes, automatic derivatives, and repeated noise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.track_scenes import FOCAL, position_error, scene

from backend.cameras.bundle import equations
from backend.cameras.bundle.adjust import AdjustConfig, Prior, adjust
from backend.cameras.bundle.equations import FreeParameters
from backend.cameras.bundle.state import (
    Observations,
    Reconstruction,
    errors,
    facing,
    project,
    unit_scale,
)
from backend.cameras.bundle.triangulate import triangulate
from backend.cameras.bundle.uncertainty import CORRELATED, uncertainty
from backend.geometry.rotations import rotation_vector_to_matrix
from backend.media.tracks.tracks import make


def shaken(truth: Reconstruction, amount: float, focal: float = 1.0) -> Reconstruction:
    """Cameras turned and moved at random, the lens off by a factor."""
    random = torch.Generator().manual_seed(3)
    turn = rotation_vector_to_matrix(
        amount * torch.randn(len(truth.rotations), 3, generator=random, dtype=torch.float64)
    )
    move = amount * torch.randn(len(truth.rotations), 3, generator=random, dtype=torch.float64)
    return replace(
        truth,
        rotations=turn @ truth.rotations,
        translations=truth.translations + move,
        focals=truth.focals * focal,
    )


@pytest.mark.parametrize("kind", ["sideways", "forward"])
def test_truth_is_found_again(kind: str) -> None:
    truth, tracks = scene(kind)
    observations = Observations.of(tracks)
    start = triangulate(unit_scale(shaken(truth, 0.01, 1.1)), observations, tracks.points)
    assert float(errors(start, observations).median()) > 1
    found = adjust(
        start, observations, FreeParameters(), AdjustConfig(steps=60, scale=5.0, tolerance=1e-9)
    )
    assert float(errors(found, observations).max()) < 1e-3
    assert position_error(found, truth) < 2e-3
    if kind == "sideways":  # straight ahead, the lens can be traded against depth
        assert float(found.focals[0]) == pytest.approx(FOCAL, rel=1e-3)


def test_lens_distortion_and_zoom_are_found_where_they_are_free() -> None:
    truth, tracks = scene("sideways", radial=(-0.12, 0.03), points=300)
    observations = Observations.of(tracks)
    start = replace(truth, radial=torch.zeros(2, dtype=torch.float64))
    found = adjust(
        triangulate(start, observations, tracks.points),
        observations,
        FreeParameters(radial=2),
        AdjustConfig(steps=60, tolerance=1e-9),
    )
    np.testing.assert_allclose(found.radial.numpy(), [-0.12, 0.03], atol=2e-3)
    zoom = FOCAL * np.geomspace(0.8, 1.3, 12)
    truth, tracks = scene("sideways", focals=zoom, points=300)
    observations = Observations.of(tracks)
    start = triangulate(
        replace(truth, focals=torch.full((12,), FOCAL, dtype=torch.float64)),
        observations,
        tracks.points,
    )
    found = adjust(
        start,
        observations,
        FreeParameters(focal_per_frame=True),
        AdjustConfig(steps=80, scale=20.0, tolerance=1e-9),
    )
    np.testing.assert_allclose(found.focals.numpy(), zoom, rtol=5e-3)


def test_prior_holds_the_lens() -> None:
    truth, tracks = scene("sideways", noise=0.3)
    observations = Observations.of(tracks)
    start = triangulate(shaken(truth, 0.0, 1.1), observations, tracks.points)
    held = adjust(
        start,
        observations,
        FreeParameters(),
        AdjustConfig(),
        Prior(float(np.log(1.1 * FOCAL)), 1e-5),
    )
    assert float(held.focals[0]) == pytest.approx(1.1 * FOCAL, rel=1e-3)


@pytest.mark.parametrize(
    "free_parameters",
    [
        FreeParameters(radial=2),
        FreeParameters(focal_per_frame=True),
        FreeParameters(translations=False),
    ],
)
def test_jacobians_are_those_of_automatic_differentiation(free_parameters: FreeParameters) -> None:
    truth, tracks = scene("sideways", frames=3, points=12, radial=(-0.1, 0.02))
    observations = Observations.of(tracks)
    basis = equations.tangent(truth.points)
    _, by_camera, by_point = equations.jacobians(truth, observations, free_parameters, basis)
    columns = equations._columns(observations, free_parameters, 3)
    from backend.cameras.bundle.adjust import _moved

    def moved(step: torch.Tensor, point_step: torch.Tensor) -> torch.Tensor:
        return project(_moved(truth, step, point_step, free_parameters), observations)

    zero = (
        torch.zeros(free_parameters.columns(3), dtype=torch.float64),
        torch.zeros(tracks.points, 3, dtype=torch.float64),
    )
    want_camera, want_point = torch.autograd.functional.jacobian(moved, zero)
    for o in range(len(tracks.frame)):
        np.testing.assert_allclose(
            by_camera[o].numpy(), want_camera[o][:, columns[o]].numpy(), rtol=1e-6, atol=1e-6
        )
        np.testing.assert_allclose(
            by_point[o].numpy(),
            want_point[o][:, observations.point[o]].numpy(),
            rtol=1e-6,
            atol=1e-6,
        )


def test_points_eliminated_in_chunks_are_the_whole_system(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, tracks = scene("sideways", noise=1.0)
    observations = Observations.of(tracks)
    system = equations.assemble(truth, observations, FreeParameters(), 1.0)
    inverse = equations.damped_inverse(system.points, 1e-3)
    whole = equations.reduce(system, observations.point, inverse)
    monkeypatch.setattr(equations, "CHUNK", 7)
    parts = equations.reduce(system, observations.point, inverse)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-6)


def test_uncertainty_is_what_repeated_noise_shows() -> None:
    drifts, focals, told = [], [], []
    for seed in range(12):
        truth, tracks = scene("sideways", noise=0.4, points=200)
        random = np.random.default_rng(seed)
        noisy = replace(tracks, uv=tracks.uv + 0.4 * random.normal(size=tracks.uv.shape))
        observations = Observations.of(noisy)
        found = adjust(
            triangulate(truth, observations, noisy.points),
            observations,
            FreeParameters(),
            AdjustConfig(scale=5.0),
        )
        drifts.append(position_error(found, truth))
        focals.append(abs(float(found.focals[0]) / FOCAL - 1))
        sure = uncertainty(found, observations, FreeParameters(), 1.0)
        told.append((sure.drift / CORRELATED, sure.focal / CORRELATED))
    drift, focal = np.mean(told, axis=0)
    assert 0.4 < np.sqrt(np.mean(np.square(drifts))) / drift < 2.5
    assert 0.3 < np.sqrt(np.mean(np.square(focals))) / focal < 3


def test_little_parallax_is_uncertain() -> None:
    truth, tracks = scene("sideways", noise=0.3)
    near = uncertainty(truth, Observations.of(tracks), FreeParameters(), 1.0)
    still = replace(truth, translations=truth.translations * 0.02)
    observations = Observations.of(tracks)
    noise = 0.3 * torch.randn(
        observations.uv.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    far = uncertainty(
        still, replace(observations, uv=project(still, observations) + noise), FreeParameters(), 1.0
    )
    assert far.drift > 5 * near.drift


def test_stretches_that_no_track_ties_together_are_unsure() -> None:
    truth, tracks = scene("sideways", noise=0.1, points=300)
    late = tracks.frame >= 6
    cut = make(tracks.frame, tracks.point + tracks.points * late, tracks.uv)
    lens = FreeParameters(focal=False)
    observations = Observations.of(cut)
    sure = uncertainty(triangulate(truth, observations, cut.points), observations, lens, 1.0)
    assert sure.drift > 0.5  # of the path; infinite but for the damping
    whole = Observations.of(tracks)
    assert uncertainty(triangulate(truth, whole, tracks.points), whole, lens, 1.0).drift < 0.01


def test_points_lie_before_the_cameras() -> None:
    truth, tracks = scene("sideways")
    observations = Observations.of(tracks)
    twin = replace(
        truth,
        translations=-truth.translations,
        points=torch.cat([truth.points[:, :3], -truth.points[:, 3:]], 1),
    )
    np.testing.assert_allclose(
        project(twin, observations).numpy(), project(truth, observations).numpy(), atol=1e-6
    )
    assert torch.isinf(errors(twin, observations)).all()
    assert float(errors(facing(twin), observations).max()) < 1e-3


def test_rays_that_run_parallel_meet_at_infinity() -> None:
    truth, tracks = scene("pan")
    placed = triangulate(truth, Observations.of(tracks), tracks.points)
    assert float(placed.points[:, 3].abs().max()) < 1e-6
    assert float(errors(placed, Observations.of(tracks)).max()) < 1.0
