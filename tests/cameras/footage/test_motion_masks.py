"""Things that move are masked where tracks say so, and a still world is left alone."""

from pathlib import Path

import numpy as np
import pytest
from helpers.track_scenes import SIZE, scene
from PIL import Image

from backend.cameras.bundle.state import Reconstruction
from backend.cameras.footage.motion_masks import (
    MotionMaskConfig,
    moving_tracks,
    tidy,
    vote,
    write_masks,
)
from backend.media.tracks.tracks import Tracks

CONFIG = MotionMaskConfig()


def gliding(share: float) -> tuple[Reconstruction, Tracks, np.ndarray]:
    """A scene whose tracks on the left of the first picture glide down on their own, faster and
    faster.
    """
    truth, tracks = scene("sideways", noise=0.1, points=600)
    first = np.full(tracks.points, np.inf)
    np.minimum.at(first, tracks.point, tracks.uv[:, 0])
    moves = first < share * SIZE[0]
    fall = 0.3 * tracks.frame**2 * moves[tracks.point]
    return (
        truth,
        Tracks(tracks.frame, tracks.point, tracks.uv + np.stack([0 * fall, fall], 1)),
        moves,
    )


def test_tracks_that_move_are_told_from_still_ones() -> None:
    truth, tracks, moves = gliding(0.3)
    long, found = moving_tracks(truth, tracks, CONFIG)
    moves = moves[tracks.lengths >= CONFIG.length]  # shorter ones have no vote
    assert long.points == len(moves) > 300 and 0.1 < moves.mean() < 0.6
    assert (found == moves).mean() > 0.95


def test_a_still_world_has_no_masks(tmp_path: Path) -> None:
    truth, tracks, _ = gliding(0.0)
    images = [tmp_path / f"{i}.png" for i in range(12)]
    for path in images:
        Image.new("RGB", SIZE, (90, 120, 60)).save(path)
    paths, share = write_masks(truth, tracks, images, tmp_path / "masks", CONFIG)
    assert share == 0 and len(paths) == 12
    with Image.open(paths[3]) as mask:
        assert mask.size == SIZE and mask.getextrema() == (255, 255)


def test_votes_follow_colours_to_the_edge() -> None:
    random = np.random.default_rng(0)
    color = np.full((120, 160, 3), 40, np.uint8)
    color[30:90, 50:110] = 200
    uv = random.random((500, 2)) * [160, 120]
    inside = (abs(uv[:, 0] - 80) < 30) & (abs(uv[:, 1] - 60) < 30)
    mask = vote(color, uv, inside, CONFIG)
    truth = color[..., 0] > 100
    assert (mask & truth).sum() / (mask | truth).sum() > 0.93
    assert not vote(color, uv[:3], inside[:3], CONFIG).any()


@pytest.mark.parametrize(("area", "stays"), [(3, False), (20, True)])
def test_specks_go_and_things_keep_a_margin(area: int, stays: bool) -> None:
    moved = np.zeros((150, 200), bool)
    moved[60 : 60 + area, 80 : 80 + area] = True
    mask = tidy(moved, CONFIG)
    assert mask.any() == stays and (not stays or mask.sum() > moved.sum())
