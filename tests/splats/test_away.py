"""The measures of splats from afar: what counts as seen, what is wrong, what exposure explains."""

import numpy as np
import pytest
from helpers import ray_world

from tests.benchmarks import splat_truth as truth
from tests.benchmarks.splat_scenes import (
    ARC,
    FOCAL,
    KINDS,
    SIZE,
    ceiling,
    filmed,
    judging,
    open_air,
)

SCENE = open_air()


def depth(pose: np.ndarray) -> np.ndarray:
    return ray_world.depth(SCENE.world, pose, FOCAL, SIZE)


def test_what_cameras_share_is_seen_and_what_they_do_not_is_not() -> None:
    here, beside = SCENE.camera(0.0), SCENE.camera(4.0)
    same = truth.sightings(here, depth(here), [(here, depth(here))] * 3)
    assert (same == 3).mean() > 0.98
    near = truth.sightings(here, depth(here), [(beside, depth(beside))])
    assert 0.7 < (near == 1).mean() < 0.98
    behind = SCENE.camera(180.0)
    solid, sky = np.isfinite(depth(here)), np.isinf(depth(here))
    far = truth.sightings(here, depth(here), [(behind, depth(behind))])
    assert far[sky].max() == 0 and 0 < (far[solid] == 1).mean() < 0.6


def test_no_view_that_scores_is_trained_on() -> None:
    scored: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    for kind, pose in judging(SCENE):
        scored[kind].append(pose[:3, 3])
    for kind, places in scored.items():
        for others in (filmed(SCENE, 0), ceiling(SCENE)):
            apart = [np.linalg.norm(p - o[:3, 3]) for p in places for o in others]
            assert min(apart) > 0.02, kind
    assert len(scored["beyond"]) == 6 and ARC == 100


def judged() -> truth.Judged:
    pose = SCENE.camera(0.0)
    image, far = truth.look(SCENE, pose)
    return truth.Judged("between", pose, image, far, np.ones(far.shape, bool))


def test_scores_know_right_from_wrong() -> None:
    view = judged()
    flat = np.where(np.isfinite(view.depth), view.depth, 100.0)
    fine = truth.scores(view, view.image + 0.01, flat)
    assert fine["PSNR"] == pytest.approx(40) and fine["wrong"] == 0
    assert fine["SSIM"] > 0.99 and fine["depth error"] == 0
    fog = view.image.copy()
    fog[SIZE[1] // 2 :] += np.array([0.0, 0.21, 0.0])  # one channel is enough
    foggy = truth.scores(view, fog, 1.1 * flat)
    assert 50 < foggy["wrong"] < 80 and foggy["depth error"] == pytest.approx(10)


def test_what_does_not_count_does_not_count() -> None:
    view = judged()
    view.counts[:, :150] = False
    image = view.image.copy()
    image[:, :150] = 0
    assert truth.scores(view, image, view.depth)["wrong"] == 0


def test_exposure_explains_gain_and_offset_and_nothing_else() -> None:
    view = judged()
    dim = view.image * np.array([0.7, 0.8, 0.9]) + 0.05
    assert np.abs(truth.exposed(dim, view) - view.image).max() < 1e-3
    half = dim.copy()
    half[:, : SIZE[0] // 2] *= 0.5  # not the same in both halves: nothing to be explained
    assert np.abs(truth.exposed(half, view) - view.image).max() > 0.1
