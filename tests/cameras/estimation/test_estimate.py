"""What must not be called solved, and what must not break: gaps, locked lenses, few pictures,
photos in no order.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import clips
from helpers.track_scenes import FOCAL, SIZE, position_error, scene

from backend.cameras.bundle.adjust import AdjustConfig, Prior, adjust
from backend.cameras.bundle.equations import FreeParameters
from backend.cameras.bundle.state import Observations, travelled
from backend.cameras.estimation.conclusion import well_seen
from backend.cameras.estimation.estimate import Estimator
from backend.cameras.estimation.keyframes import at_keyframes, complete
from backend.cameras.estimation.problem import EstimateConfig, Problem, SolverResult
from backend.cameras.estimation.refine import RefineConfig, refine
from backend.cameras.footage.footage_masks import pair_masks
from backend.cameras.footage.images import GrayFrames
from backend.cameras.footage.sources import Source
from backend.cameras.solvers import straight
from backend.media.frames import Footage
from backend.media.tracks.tracks import EMPTY, split
from backend.protocol import InputError, SolveError


def test_pictures_in_which_nothing_is_tracked_get_no_camera() -> None:
    truth, tracks = scene("sideways", frames=20, noise=0.1, points=300)
    gaps = [6, 7, 13]
    seen = tracks.keep(~np.isin(tracks.frame, gaps), 3)
    wrong = truth.translations.clone()
    wrong[gaps] += 5
    config = EstimateConfig()
    estimator = Estimator(
        Problem(frames=20, size=SIZE, klt_tracks=seen, prior=None, seed=0), EMPTY, config
    )
    estimator.add(SolverResult("a", np.arange(20), replace(truth, translations=wrong)))
    estimator.add(SolverResult("b", np.arange(20), replace(truth, translations=wrong)))
    result = estimator.estimate()
    assert sorted(set(range(20)) - set(result.frames.tolist())) == gaps
    assert result.verdict.level == "weak" and "85%" in result.verdict.reasons[0]
    kept = torch.from_numpy(result.frames)
    assert (
        position_error(
            result.solve,
            replace(truth, rotations=truth.rotations[kept], translations=truth.translations[kept]),
        )
        < 5e-3
    )


@pytest.mark.whole
def test_frames_between_keyframes_are_placed_or_left_out() -> None:
    truth, tracks = scene("sideways", frames=24, noise=0.1, points=400)
    blind = [9, 11]
    tracks = tracks.keep(~np.isin(tracks.frame, blind), 3)
    problem, keys, config = (
        Problem(frames=24, size=SIZE, klt_tracks=tracks, prior=None, seed=0),
        np.arange(0, 24, 2),
        EstimateConfig(),
    )
    few = at_keyframes(problem, keys)
    estimator = Estimator(few, EMPTY, config)
    own = replace(
        truth,
        rotations=truth.rotations[keys],
        translations=truth.translations[keys],
        focals=truth.focals[keys],
    )
    estimator.add(SolverResult("a", np.arange(12), own))
    result = complete(estimator.estimate(), keys, problem, config)
    assert sorted(set(range(23)) - set(result.frames.tolist())) == blind
    kept = torch.from_numpy(result.frames)
    assert (
        position_error(
            result.solve,
            replace(truth, rotations=truth.rotations[kept], translations=truth.translations[kept]),
        )
        < 5e-3
    )


def test_three_pictures_can_be_judged() -> None:
    truth, tracks = scene("sideways", frames=3, noise=0.1, points=300)
    fit, held = split(tracks, 0.12, 0)
    assert refine("a", truth, np.arange(3), fit, held, RefineConfig()).median < 0.5


def test_nothing_seen_is_nothing_solved_and_no_crash() -> None:
    truth, tracks = scene("sideways", frames=20)
    nothing = Observations.of(EMPTY)
    assert adjust(truth, nothing, FreeParameters(), AdjustConfig()) is truth
    estimator = Estimator(
        Problem(frames=20, size=SIZE, klt_tracks=EMPTY, prior=None, seed=0), EMPTY, EstimateConfig()
    )
    estimator.add(SolverResult("a", np.arange(20), truth))
    assert not estimator.refined
    long = tracks.keep((tracks.frame < 5) | (tracks.frame > 15), 3)
    dark = replace(
        long, frame=np.where(long.frame > 15, long.frame + 100, long.frame)
    )  # a hundred frames without a track
    assert straight.solve(dark, 120, SIZE, straight.StraightConfig()) is None
    few = tracks.keep_points(np.arange(tracks.points) < 5)
    with pytest.raises(SolveError, match="share enough points"):
        well_seen(few, 20)


def test_a_locked_lens_is_the_given_one_whatever_a_solver_says() -> None:
    truth, tracks = scene("sideways", noise=0.1)
    fit, held = split(tracks, 0.12, 0)
    locked = Prior(float(np.log(FOCAL)), 0.0)
    start = replace(truth, focals=truth.focals * 1.06)
    assert torch.allclose(
        refine("a", start, np.arange(12), fit, held, RefineConfig(), locked).solve.focals,
        truth.focals,
    )


def test_a_given_lens_makes_one_surer() -> None:
    from backend.cameras.bundle.uncertainty import uncertainty

    truth, tracks = scene("forward", noise=0.3)
    observations = Observations.of(tracks)
    free = uncertainty(truth, observations, FreeParameters(), 1.0).focal
    given = uncertainty(
        truth, observations, FreeParameters(), 1.0, Prior(float(np.log(FOCAL)), 0.02)
    ).focal
    assert given < 0.021 < free


def test_the_path_of_photos_in_no_order_is_no_longer_than_a_walk_around() -> None:
    angle = torch.linspace(0, 2 * np.pi, 61, dtype=torch.float64)[:-1]
    ring = torch.stack([angle.cos(), angle.sin(), 0 * angle], 1)
    shuffled = ring[torch.randperm(60, generator=torch.Generator().manual_seed(0))]
    assert travelled(ring) == pytest.approx(2 * np.pi, rel=0.03)
    assert travelled(shuffled) == pytest.approx(2 * np.pi, rel=0.03)


def test_masks_find_their_pictures(tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for name in ("a", "b", "c"):
        cv2.imwrite(str(masks / f"{name}.png"), np.full((4, 4), 255, np.uint8))
    source = Source(kind="photos", path=tmp_path)
    photos = Footage(
        folder=tmp_path,
        names=["0001.jpg", "0002.jpg"],
        times=None,
        width=4,
        height=4,
        focal=0.0,
        sources=["c.jpg", "a.jpg"],
    )
    assert [p.stem for p in pair_masks(masks, photos, 3, source).masks if p] == ["c", "a"]
    clip = Footage(
        folder=tmp_path,
        names=["0001.jpg", "0003.jpg"],
        times=[0.0, 0.2],
        width=4,
        height=4,
        focal=0.0,
    )  # the second was a double
    paired = pair_masks(masks, clip, 3, Source(kind="video", path=tmp_path))
    assert [p.stem for p in paired.masks if p] == ["a", "c"]
    with pytest.raises(
        InputError, match=r"No mask in masks \(a\.png, b\.png, c\.png\) is named like a picture"
    ):
        pair_masks(masks, replace(photos, sources=["x.jpg", "y.jpg"]), 9, source)


def test_masks_of_a_video_whose_frame_rate_varies(tmp_path: Path) -> None:
    """A mask for every frame: the frame is known by when it is shown, not by the mean rate."""
    times = [0, 1, 2, 3, 20, 21, 22, 40]  # tenths of a second
    clips.write_video(
        tmp_path / "a.mkv",
        [clips.texture(96, i)[:64] for i in range(8)],
        times=[t / 10 for t in times],
    )
    (tmp_path / "masks").mkdir()
    for i in range(8):
        cv2.imwrite(str(tmp_path / "masks" / f"{i}.png"), np.full((4, 4), 255, np.uint8))
    footage = Footage(
        folder=tmp_path,
        names=["0001.jpg", "0002.jpg", "0003.jpg"],
        times=[0.3, 2.1, 4.0],
        width=4,
        height=4,
        focal=0.0,
    )
    paired = pair_masks(
        tmp_path / "masks", footage, 3, Source(kind="video", path=tmp_path / "a.mkv")
    )
    assert [p.stem for p in paired.masks if p] == ["3", "5", "7"]


def test_tracked_pictures_may_be_scaled_a_little_differently_each_way(tmp_path: Path) -> None:
    frames = GrayFrames(
        Footage(folder=tmp_path, names=[], times=None, width=608, height=1080, focal=0.0), 960
    )
    assert frames.size == (540, 960)
    np.testing.assert_allclose(np.array(frames.size) * frames.scale, [608, 1080])
