"""Drawings from between the cameras: where they are taken, when they are believed, and when they
are not.
"""

import numpy as np
import torch
from helpers import furnished_room
from scipy.sparse import csr_matrix

from backend.geometry.conventions import from_viewmat
from backend.semantics.novel_views import between, render_image
from backend.semantics.object_codes import evidence
from backend.semantics.regions.view_regions import ViewRegions
from backend.semantics.self_training import self_train

OBJECTS, DIMENSIONS = 6, 32


def views(
    count: int, wrong: float, random: np.random.Generator, truth: np.ndarray
) -> tuple[list[ViewRegions], list[np.ndarray]]:
    """Each with a region an object; a share of them looks like another object."""
    found = []
    for _ in range(count):
        shown = np.where(
            random.random(OBJECTS) < wrong, random.integers(0, OBJECTS, OBJECTS), np.arange(OBJECTS)
        )
        features = truth[shown] + random.normal(0, 0.15, (OBJECTS, DIMENSIONS)) + 1
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        found.append(
            ViewRegions(
                csr_matrix(np.eye(OBJECTS, dtype=np.float32) * 50), features.astype(np.float32)
            )
        )
    return found, [np.arange(OBJECTS, dtype=np.int32)] * count


def right(features: np.ndarray, truth: np.ndarray) -> float:
    centered = features - features.mean(0)
    return float(((centered @ truth.T).argmax(1) == np.arange(OBJECTS)).mean())


def test_good_drawings_help_and_bad_ones_are_refused() -> None:
    before, after, accepted, misled = [], [], [], []
    for seed in range(12):
        random = np.random.default_rng(seed)
        truth = random.normal(size=(OBJECTS, DIMENSIONS))
        truth /= np.linalg.norm(truth, axis=1, keepdims=True)
        photos = views(4, 0.45, random, truth)
        good = self_train(*photos, *views(20, 0.3, random, truth), OBJECTS)
        bad = self_train(*photos, *views(20, 1.0, random, truth), OBJECTS)
        plain = evidence(*photos, OBJECTS).features
        before.append(right(plain, truth))
        after.append(right(good.features, truth))
        accepted.append(good.accepted)
        misled.append(bad.accepted)
        if not bad.accepted:
            np.testing.assert_array_equal(bad.features, plain)
    assert np.mean(after) > np.mean(before) and np.mean(accepted) > 0.7 and np.mean(misled) < 0.2


def test_without_drawings_or_a_teacher_nothing_changes() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=(OBJECTS, DIMENSIONS))
    photos = views(3, 0.0, random, truth)
    found = self_train(*photos, [], [], OBJECTS)
    assert not found.accepted
    np.testing.assert_array_equal(found.features, evidence(*photos, OBJECTS).features)
    blind = [ViewRegions(v.weights, np.zeros((OBJECTS, 0), np.float32)) for v in photos[0]]
    assert self_train(blind, photos[1], blind, photos[1], OBJECTS).features.shape == (OBJECTS, 0)


def test_views_between_lie_between() -> None:
    room = furnished_room.make(1, views=6, pieces=3)
    found = between(room.views, 9)
    assert len(found) == 9 and between(room.views[:1], 5) == [] and between(room.views, 0) == []
    assert len(between(room.views, 99)) == 15, "every pair once"
    places = np.array([from_viewmat(v.viewmat.double().numpy())[:3, 3] for v in room.views])
    for view in found:
        pose = from_viewmat(view.viewmat.double().numpy())
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-5)
        middles = (places[:, None] + places[None]) / 2
        assert np.linalg.norm(middles - pose[:3, 3], axis=2).min() < 1e-4
    shown = render_image(room.gaussians, found[0])
    assert (
        shown.dtype == np.uint8
        and shown.shape == (room.views[0].height, room.views[0].width, 3)
        and shown.std() > 10
    )
    assert torch.equal(found[0].K, room.views[0].K) or any(
        torch.equal(found[0].K, v.K) for v in room.views
    )
