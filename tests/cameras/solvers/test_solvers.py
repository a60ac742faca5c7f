"""Solvers that start from nothing but tracks; the lens and the path have to come out."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.track_scenes import FOCAL, SIZE, position_error, scene

from backend.cameras.bundle.adjust import Prior
from backend.cameras.bundle.equations import FreeParameters
from backend.cameras.bundle.state import Observations, unit_scale
from backend.cameras.bundle.triangulate import triangulate
from backend.cameras.bundle.uncertainty import uncertainty
from backend.cameras.estimation.estimate import (
    Estimator,
    distance,
    mirror_ratio,
    only_turns,
    turning,
)
from backend.cameras.estimation.problem import EstimateConfig, Problem, SolverResult
from backend.cameras.estimation.refine import RefineConfig, refine
from backend.cameras.solvers import rotation, straight
from backend.cameras.solvers.rotation import RotationConfig
from backend.cameras.solvers.straight import StraightConfig
from backend.media.tracks.tracks import EMPTY, Tracks, make, merge, split


@pytest.mark.parametrize("kind", ["sideways", "forward"])
def test_straight_paths_find_the_way(kind: str) -> None:
    truth, tracks = scene(kind, frames=20, noise=0.1)
    found = straight.solve(tracks, 20, SIZE, StraightConfig())
    assert position_error(found, truth) < 0.01
    observations = Observations.of(tracks)
    if kind == "sideways":
        assert float(found.focals[0]) == pytest.approx(FOCAL, rel=0.03)
    else:  # straight ahead, the lens can be traded against depth: nobody may claim to know it
        assert (
            uncertainty(
                triangulate(found, observations, tracks.points),
                observations,
                FreeParameters(),
                1.0,
            ).focal
            > 0.1
        )


@pytest.mark.whole
def test_long_clips_are_joined_from_windows() -> None:
    truth, tracks = scene("sideways", frames=42, noise=0.1, points=400)
    # cut every track into pieces of fourteen frames, as a tracker would lose and find points
    piece = tracks.point * 10 + (tracks.frame + 3 * tracks.point) // 14 % 10
    short = make(tracks.frame, piece, tracks.uv)
    short = short.keep(np.ones(len(short.frame), bool), 3)
    config = StraightConfig(window=1.5)
    found = straight.solve(short, 42, SIZE, config)
    assert position_error(found, truth) < 0.05


def test_known_lens_is_kept() -> None:
    _, tracks = scene("sideways", noise=0.1)
    found = straight.solve(tracks, 12, SIZE, StraightConfig(), Prior(float(np.log(250.0)), 0.0))
    assert torch.allclose(found.focals, torch.tensor(250.0, dtype=torch.float64))


@pytest.mark.parametrize("zoom", [False, True])
def test_turning_cameras_are_found(zoom: bool) -> None:
    focals = FOCAL * np.geomspace(0.8, 1.4, 12) if zoom else None
    truth, tracks = scene("pan", noise=0.1, focals=focals, points=400)
    found = rotation.solve(tracks, 12, SIZE, RotationConfig(), zoom=zoom)
    np.testing.assert_allclose(found.focals.numpy(), truth.focals.numpy(), rtol=0.02)
    steps = (
        found.rotations[1:] @ found.rotations[:-1].transpose(1, 2),
        truth.rotations[1:] @ truth.rotations[:-1].transpose(1, 2),
    )
    angle = torch.rad2deg(
        torch.acos(
            (((steps[0].transpose(1, 2) @ steps[1]).diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(
                -1, 1
            )
        )
    )
    assert float(angle.max()) < 0.1


@pytest.mark.parametrize(
    ("kind", "turns"), [("pan", True), ("sideways", False), ("forward", False)]
)
def test_turning_is_told_from_moving(kind: str, turns: bool) -> None:
    _, tracks = scene(kind, noise=0.1)
    problem, config = (
        Problem(frames=12, size=SIZE, klt_tracks=tracks, prior=None, seed=0),
        EstimateConfig(),
    )
    found, error, _ = turning(problem, config)
    moving = straight.solve(tracks, 12, SIZE, config.straight)
    assert moving is not None
    assert only_turns(problem, found, error, moving, config) == turns


def test_refinement_leaves_moving_things_out() -> None:
    truth, tracks = scene("sideways", noise=0.1, points=400)
    random = np.random.default_rng(0)
    drift = random.normal(size=(tracks.points, 2)) * (random.random(tracks.points) < 0.25)[:, None]
    mixed = Tracks(
        tracks.frame, tracks.point, tracks.uv + 2.5 * drift[tracks.point] * tracks.frame[:, None]
    )
    fit, held = split(mixed, 0.15, 0)
    refined = refine("truth", truth, np.arange(12), fit, held, RefineConfig())
    assert position_error(refined.solve, truth) < 2e-3
    assert 0.6 < refined.inliers < 0.9


def test_agreement_and_mirror_are_evidence() -> None:
    truth, tracks = scene("sideways", noise=0.1, points=300)
    config = EstimateConfig()
    estimator = Estimator(
        Problem(frames=12, size=SIZE, klt_tracks=tracks, prior=None, seed=0), EMPTY, config
    )
    estimator.add(SolverResult("a", np.arange(12), truth))
    assert not estimator.settled
    estimator.add(
        SolverResult("b", np.arange(12), straight.solve(tracks, 12, SIZE, config.straight))
    )
    assert estimator.settled
    result = estimator.estimate()
    assert result.verdict.level == "solved", result.verdict
    assert position_error(result.solve, truth) < 2e-3
    assert mirror_ratio(estimator.best(), config) > 1.15


@pytest.mark.whole
@pytest.mark.parametrize(("worse", "settled"), [(3.0, True), (1.1, False)])
def test_a_solver_that_fits_far_worse_is_outvoted(worse: float, settled: bool) -> None:
    truth, tracks = scene("sideways", noise=0.1, points=300)
    estimator = Estimator(
        Problem(frames=12, size=SIZE, klt_tracks=tracks, prior=None, seed=0),
        EMPTY,
        EstimateConfig(),
    )
    estimator.add(SolverResult("a", np.arange(12), truth))
    best = estimator.best()
    strayed = replace(best.solve, translations=best.solve.translations.flip(0))
    estimator.refined.append(replace(best, name="b", solve=strayed, held_out=worse * best.held_out))
    assert estimator.settled == settled
    assert estimator.estimate().verdict.evidence.cross_check_error == pytest.approx(worse)


def test_distance_knows_similarities_and_needs_common_frames() -> None:
    truth, _ = scene("sideways")
    moved = SolverResult("b", np.arange(12), unit_scale(truth))
    assert distance(SolverResult("a", np.arange(12), truth), moved)[0] < 1e-9
    few = SolverResult("c", np.arange(3), straight.blank(3, SIZE, FOCAL))
    assert np.isinf(distance(few, moved)[0])


@pytest.mark.whole
def test_wrong_lens_is_not_called_solved() -> None:
    """A lens that the user locks 25 % off can't fit a path with turns; nobody may call that
    solved.
    """
    _, tracks = scene("sideways", frames=14, noise=0.1, points=150)
    prior = Prior(float(np.log(0.6 * FOCAL)), 0.0)
    estimator = Estimator(
        Problem(frames=14, size=SIZE, klt_tracks=tracks, prior=prior, seed=0),
        EMPTY,
        EstimateConfig(),
    )
    estimator.add(
        SolverResult(
            "straight paths",
            np.arange(14),
            straight.solve(tracks, 14, SIZE, StraightConfig(), prior),
        )
    )
    assert estimator.estimate().verdict.level != "solved"


def test_tracks_are_sorted_split_and_merged() -> None:
    _, tracks = scene("sideways")
    fit, held = split(tracks, 0.3, 1)
    assert fit.points + held.points == tracks.points
    both = merge([fit, held])
    assert both.points == tracks.points and len(both.frame) == len(tracks.frame)
    some = tracks.in_frames(np.array([2, 5, 7]), 3)
    assert set(some.frame) == {0, 1, 2} and (some.lengths == 3).all()
    Observations.of(some)
