"""Triage, tracks and flow on pictures that the tests move themselves."""

import numpy as np
import pytest
from helpers import clips

from backend.cameras.footage.triage import TriageConfig, cut_into_shots, look
from backend.media.tracks.flow import FlowConfig, dense_flow, flow_between, trust
from backend.media.tracks.follow import FollowConfig, even_light, follow


def drifting(
    frames: int, step: tuple[float, float] = (2.0, 1.0), seed: int = 1, gain: float = 0.0
) -> list[np.ndarray]:
    """A window that slides over one large picture, `step` pixels a frame; `gain` brightens it from
    frame to frame.
    """
    import cv2

    big = cv2.GaussianBlur(
        cv2.cvtColor(clips.texture(512, seed), cv2.COLOR_RGB2GRAY), (0, 0), 1.2
    ).astype(np.float32)
    out = []
    for i in range(frames):
        shift = np.array([[1, 0, -60 - step[0] * i], [0, 1, -60 - step[1] * i]], np.float32)
        out.append(
            (cv2.warpAffine(big, shift, (160, 120)) * (1 + gain * i)).clip(0, 255).astype(np.uint8)
        )
    return out


def test_tracks_move_as_the_picture_does_and_survive_changing_light() -> None:
    tracks = follow(drifting(8, gain=0.06), FollowConfig(points=200))
    same = tracks.point[1:] == tracks.point[:-1]
    steps = (tracks.uv[1:] - tracks.uv[:-1])[same]
    assert tracks.points > 40
    np.testing.assert_allclose(np.median(steps, 0), [-2, -1], atol=0.05)
    assert (np.linalg.norm(steps - [-2, -1], axis=1) < 0.3).mean() > 0.9


def test_masked_places_carry_no_tracks() -> None:
    frames = drifting(8)
    mask = np.zeros_like(frames[0])
    mask[:, :80] = 255
    tracks = follow(frames, FollowConfig(points=200), [mask] * 8)
    assert tracks.points > 15 and tracks.uv[:, 0].max() < 82


def test_nothing_to_follow_is_no_tracks() -> None:
    assert follow([np.full((120, 160), 90, np.uint8)] * 4, FollowConfig()).points == 0
    assert even_light(np.zeros((4, 4), np.uint8)).shape == (4, 4)


def test_flow_is_the_drift_and_the_way_back_agrees() -> None:
    first, second = drifting(2, (3.0, -2.0))
    there, back = flow_between(first, second), flow_between(second, first)
    np.testing.assert_allclose(np.median(there, (0, 1)), [-3, 2], atol=0.1)
    sure = trust(there, back, 1.0)
    assert sure[30:90, 30:130].mean() > 0.8
    wrong = trust(there, there, 1.0)  # a way back that leads on
    assert wrong[30:90, 30:130].mean() < 0.05
    flow = dense_flow([first, second], (80, 56), FlowConfig())
    assert flow.forward.shape == (1, 56, 80, 2)
    np.testing.assert_allclose(np.median(flow.forward, (0, 1, 2)) * [160, 120], [-3, 2], atol=0.15)


def test_triage_sees_cuts_doubles_blur_and_stillness() -> None:
    import cv2

    clip = drifting(10) + drifting(10, seed=7)
    assert look(clip, TriageConfig()).shots == ((0, 10), (10, 20))
    assert look(drifting(12), TriageConfig()).shots == ((0, 12),)
    doubled = [f for f in drifting(6) for _ in (0, 1)]
    assert look(doubled, TriageConfig()).doubles == (1, 3, 5, 7, 9, 11)
    clip = drifting(12)
    clip[5] = cv2.GaussianBlur(clip[5], (0, 0), 4)
    assert look(clip, TriageConfig()).blurred == (5,)
    random = np.random.default_rng(0)
    still = [
        (drifting(1)[0] + random.normal(0, 2, (120, 160))).clip(0, 255).astype(np.uint8)
        for _ in range(8)
    ]
    assert look(still, TriageConfig()).is_still
    assert not look(drifting(8, (0.3, 0.0)), TriageConfig()).is_still


def test_what_crosses_the_picture_is_no_cut() -> None:
    """Tracks are lost either way; but a cut changes the picture at once, what rushes by more and
    more.
    """
    survival = np.full(12, 0.9)
    survival[6] = 0.1
    rushing = np.array([0, 6, 6, 8, 11, 14, 20, 19, 14, 9, 6, 6], float)
    at_once = np.array([0, 6, 6, 6, 6, 6, 22, 5, 5, 5, 5, 5], float)
    assert cut_into_shots(rushing, survival, TriageConfig()) == ((0, 12),)
    assert cut_into_shots(at_once, survival, TriageConfig()) == ((0, 6), (6, 12))
    assert cut_into_shots(at_once, np.full(12, 0.9), TriageConfig()) == ((0, 12),), (
        "a flash, through which points are followed"
    )


def test_a_camera_that_comes_back_is_not_still_and_slow_steps_add_up() -> None:
    away = drifting(8)
    assert not look(away + away[::-1], TriageConfig()).is_still
    slow = look(
        drifting(30, (0.02, 0.0)), TriageConfig()
    )  # a hundredth of a percent of the diagonal each
    assert 2 <= 30 - len(slow.doubles) < 25


def test_dim_footage_that_moves_is_neither_still_nor_doubled() -> None:
    dim = [
        (40 + (f.astype(np.float32) - 128) * 0.05).clip(0, 255).astype(np.uint8)
        for f in drifting(12)
    ]
    found = look(dim, TriageConfig())
    assert not found.is_still and not found.doubles


def test_motion_is_told_in_percent_of_the_diagonal() -> None:
    found = look(drifting(8, (2.0, 0.0)), TriageConfig())
    assert found.motion == pytest.approx(1.0, abs=0.1)
