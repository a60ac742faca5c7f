"""Far Gaussians: laid where nothing near is known, left alone by growth and noise, marked in files;
and the depth that tells.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import clips, ray_world
from helpers.small_training import small_config, small_trainer, small_views

from backend.formats import capture, depth_exr, splat_ply
from backend.formats.capture import Capture
from backend.geometry.conventions import from_viewmat
from backend.protocol import InputError
from backend.splats import splats_job, trainer as training
from backend.splats.known_depth import KnownDepth, known_depths, share_known
from backend.splats.surroundings import (
    Surroundings,
    SurroundingsConfig,
    add_shell,
    even_directions,
    free_directions,
    make_surroundings,
)
from backend.splats.views import ViewSet, load_views

AROUND = Surroundings(torch.zeros(3), 1.0, 8.0)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Ten pictures with true depth, but for a block that is wrong in every map by another factor,
    and the last picture without any.
    """
    folder = tmp_path_factory.mktemp("depth")
    clips.write_capture(folder, 10, (48, 36), 40.0)
    source = capture.read(folder)
    world, random, frames = ray_world.make_room(0), np.random.default_rng(0), []
    (folder / "depths").mkdir()
    for number, frame in enumerate(source.frames[:-1]):
        depth = ray_world.depth(world, frame.camera_to_world, frame.fl_x, (48, 36))
        depth[:12, :12] *= random.uniform(0.3, 0.8)
        path = folder / "depths" / f"{number}.exr"
        depth_exr.write(path, depth)
        frames.append(replace(frame, depth=path))
    return replace(source, frames=[*frames, source.frames[-1]])


def views_of(source: Capture, holdout: int = 0) -> ViewSet:
    return load_views(source, 10_000, holdout, lambda *_: None)


def test_what_other_maps_confirm_is_known_and_what_each_says_alone_is_not(
    footage: Capture,
) -> None:
    known = known_depths(footage, views_of(footage))
    assert len(known) == 9
    for one in known:
        assert (one.depth[16:, 16:] > 0).float().mean() > 0.7
        assert (one.depth[:11, :11] > 0).float().mean() < 0.25
    assert 0.6 < share_known(known) < 0.95


def test_held_out_pictures_tell_nothing(footage: Capture) -> None:
    views = views_of(footage, 5)
    assert views.held_out
    held = {id(views.full[i]) for i in views.held_out}
    known = known_depths(footage, views)
    assert len(known) < 9 and not held & {id(one.view) for one in known}


def test_without_depth_or_with_too_little_nothing_is_known(footage: Capture) -> None:
    few = replace(
        footage,
        frames=[replace(f, depth=f.depth if i < 2 else None) for i, f in enumerate(footage.frames)],
    )
    assert known_depths(few, views_of(few)) == [] and share_known([]) == 0


def test_a_damaged_depth_map_is_named(footage: Capture, tmp_path: Path) -> None:
    bad = tmp_path / "bad.exr"
    bad.write_bytes(b"nothing")
    frames = [replace(footage.frames[0], depth=bad), *footage.frames[1:]]
    broken = replace(footage, frames=frames)
    with pytest.raises(InputError, match=r"bad\.exr"):
        known_depths(broken, views_of(broken))


def test_a_known_depth_is_found_at_the_pixel_of_a_point() -> None:
    view = small_views(1).full[0]
    depth = torch.arange(24 * 16).view(16, 24).float() + 1
    camera = torch.from_numpy(from_viewmat(view.viewmat.double().numpy())).float()
    ahead = camera[:3, 3] - 2 * camera[:3, 2]
    own, there = KnownDepth(view, depth).at(torch.stack([ahead, -ahead + 2 * camera[:3, 3]]))
    assert own.tolist() == pytest.approx([2, -2])
    assert there.tolist() == [depth[8, 12], 0], "behind the camera there is none"


def test_directions_are_even() -> None:
    directions = even_directions(2000)
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(2000))
    nearest = (directions @ directions.T - 2 * torch.eye(2000)).max(1).values.acos()
    assert nearest.min() > 0.6 * nearest.max()
    assert directions.mean(0).norm() < 1e-3


def test_the_shell_is_where_nothing_near_is_known() -> None:
    views, config = small_views(4), SurroundingsConfig()
    around = make_surroundings(views, "cpu", config)
    everywhere, colors = free_directions(views, [], around, config)
    assert len(everywhere) > 1000 and (everywhere[:, 2] < 0).all(), "where the cameras look"
    assert ((colors >= 0) & (colors <= 1)).all()
    wall = torch.zeros(16, 24)
    wall[:, 12:] = 2.0  # on the right of every picture
    known = [KnownDepth(views.full[i], wall) for i in views.training]
    left, _ = free_directions(views, known, around, config)
    assert 0 < len(left) < 0.7 * len(everywhere)
    assert (left @ torch.tensor([1.0, 0, 0])).mean() < -0.1
    covered = torch.full((16, 24), 2.0)
    covered[:8, 0] = 0.0  # a gap, which is no sky
    gaps = [KnownDepth(views.full[i], covered) for i in views.training]
    assert not len(free_directions(views, gaps, around, config)[0])
    model = small_trainer().model
    assert add_shell(model, views, gaps, around, 40, config) is model
    far = [KnownDepth(view.view, view.depth * 1e4) for view in known]
    assert len(free_directions(views, far, around, config)[0]) == len(everywhere)


@pytest.mark.parametrize(("distance", "boundary"), [(1, 8), (12, 36), (100, 40)])
def test_surroundings_begin_beyond_what_is_known(distance: float, boundary: float) -> None:
    views, config = small_views(4), SurroundingsConfig()
    depth = torch.full((16, 24), distance * views.extent)
    depth[0] = 0.0  # of which nothing is known
    known = [KnownDepth(views.full[i], depth) for i in views.training]
    around = make_surroundings(views, "cpu", config, known)
    assert around.boundary == pytest.approx(boundary), "however short the path"
    free = len(free_directions(views, known, around, config)[0])
    assert bool(free) == (distance > boundary), "no shell shines through a desk"


def test_a_shell_is_added_at_its_distance_and_covers_what_is_free() -> None:
    trainer, config = small_trainer(small_config()), SurroundingsConfig()
    around = make_surroundings(trainer.views, "cpu", config)
    before = len(trainer.model)
    model = add_shell(trainer.model, trainer.views, [], around, 40, config)
    assert len(model) == before + 40
    far = around.is_far(model.means)
    assert far[before:].all() and not far[:before].any()
    torch.testing.assert_close(around.distances(model.means[before:]), torch.full((40,), 50.0))
    apart = (model.means[before:, None] - model.means[None, before:]).norm(dim=-1)
    nearest = (apart + 1e9 * torch.eye(40)).min(1).values.median()
    assert 0.3 < float(model.scales[before:].mean() / nearest) < 1.2, "neighbours touch"


def shelled() -> training.Trainer:
    trainer = small_trainer(small_config(steps=40))
    config = SurroundingsConfig()
    around = make_surroundings(trainer.views, "cpu", config)
    model = add_shell(trainer.model, trainer.views, [], around, 20, config)
    return training.start(trainer.config, trainer.views, model, 0, "cpu", around)


def test_growth_copies_near_ones_only() -> None:
    trainer = shelled()
    for _ in range(40):
        training.train_step(trainer)
    far = trainer.surroundings.is_far(trainer.model.means)
    assert len(trainer.model) == trainer.config.max_splats > 45
    assert int(far.sum()) <= 20


def test_far_ones_move_as_fast_in_the_picture_as_near_ones() -> None:
    trainer = shelled()
    before = trainer.model.means.detach().clone()
    training.train_step(trainer)
    far = trainer.surroundings.is_far(before)
    moved = (trainer.model.means.detach() - before).abs().max(1).values
    assert float(moved[far].max() / moved[~far].max()) == pytest.approx(50, rel=0.1)


def test_units_are_distances_beyond_the_boundary() -> None:
    means = torch.tensor([[0.0, 0, 7.9], [0, 0, 8.1], [0, 30, 40]])
    assert AROUND.units(means).tolist() == pytest.approx([1, 8.1, 50])
    assert AROUND.is_far(means).tolist() == [False, True, True]


def test_the_file_says_which_are_surroundings(tmp_path: Path) -> None:
    run = shelled()
    views = np.full(len(run.model), 3)
    splat_ply.write(tmp_path / "a.ply", splats_job._marked(run, views))
    marks = splat_ply.read(tmp_path / "a.ply").extra["surroundings"]
    assert marks.dtype == np.uint8 and marks.sum() == 20 and marks[-20:].all()
    small = small_trainer(small_config())
    plain = splats_job._marked(small, np.full(len(small.model), 3))
    assert "surroundings" not in plain.extra
