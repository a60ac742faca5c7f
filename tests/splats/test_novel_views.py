"""Views from where nobody filmed: they show what is there, and nothing where that isn't known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import clips, ray_world
from helpers.small_training import small_config, small_trainer, small_view
from PIL import Image

from backend.formats import capture, depth_exr
from backend.formats.capture import Capture
from backend.geometry.conventions import from_viewmat
from backend.splats import trainer as training
from backend.splats.known_depth import KnownDepth, known_depths
from backend.splats.novel_cameras import NovelConfig, novel_cameras, place_of
from backend.splats.novel_views import NovelView, _may_be_solid, novel_views
from backend.splats.views import ViewSet, load_views

SIZE, FOCAL = (96, 72), 80.0
WORLD = ray_world.make_room(0)
CONFIG = NovelConfig(bases=3, ways=4, count=8, covered=0.1)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Ten pictures of a room, with true depth."""
    folder = tmp_path_factory.mktemp("novel")
    clips.write_capture(folder, 10, SIZE, FOCAL)
    source, frames = capture.read(folder), []
    (folder / "depths").mkdir()
    for number, frame in enumerate(source.frames):
        angle = np.radians(-115 + 5 * number)
        eye = np.array([3 * np.cos(angle), 3 * np.sin(angle), 1.8])
        pose = ray_world.look_at(eye, np.array([0, 0, 0.6]))
        pixels = ray_world.render_image(WORLD, pose, FOCAL, SIZE).clip(0, 1) * 255
        Image.fromarray(pixels.round().astype(np.uint8)).save(frame.image)
        path = folder / "depths" / f"{number}.exr"
        depth_exr.write(path, ray_world.depth(WORLD, pose, FOCAL, SIZE))
        frames.append(replace(frame, depth=path, camera_to_world=pose))
    return replace(source, frames=frames)


@pytest.fixture(scope="module")
def views(footage: Capture) -> ViewSet:
    return load_views(footage, 10_000, 0, lambda *_: None)


@pytest.fixture(scope="module")
def known(footage: Capture, views: ViewSet) -> list[KnownDepth]:
    return known_depths(footage, views)


def truth(view: NovelView) -> np.ndarray:
    """(h, w, 3) what the camera truly sees, finely drawn and made small."""
    pose = from_viewmat(view.view.viewmat.double().numpy())
    (width, height), focal = view.view.size, float(view.view.K[0, 0])
    fine = ray_world.render_image(WORLD, pose, 3 * focal, (3 * width, 3 * height))
    return fine.reshape(height, 3, width, 3, 3).mean((1, 3))


def test_they_show_what_is_there(views: ViewSet, known: list[KnownDepth]) -> None:
    made = novel_views(views.full, known, CONFIG)
    assert len(made) >= 3
    for view in made:
        counts = view.counts.numpy()
        assert 0.1 <= counts.mean() < 1
        off = np.abs(truth(view) - view.view.pixels.numpy() / 255)[counts]
        assert np.median(off) < 0.05 and (off.max(1) > 0.3).mean() < 0.05


def test_pictures_of_many_exposures_give_views_of_one(
    views: ViewSet, known: list[KnownDepth]
) -> None:
    gains = torch.linspace(-0.6, -0.05, len(views.full))[:, None].repeat(1, 3)
    darker = [
        replace(view, pixels=(view.pixels * gain.exp()).to(torch.uint8))
        for view, gain in zip(views.full, gains, strict=True)
    ]
    others = [KnownDepth(darker[views.full.index(k.view)], k.depth) for k in known]
    found = []
    for log_gains in (gains, None):
        made = novel_views(darker, others, CONFIG, log_gains)
        off = [
            np.abs(truth(view) - view.view.pixels.numpy() / 255)[view.counts.numpy()]
            for view in made
        ]
        found.append(float(np.median(np.concatenate(off))))
    assert found[0] < 0.05 < found[1]


RED = torch.tensor([255, 0, 0], dtype=torch.uint8)


@pytest.mark.parametrize("is_masked", [False, True])
def test_colors_are_of_single_pictures_and_not_of_masked_ones(
    views: ViewSet, known: list[KnownDepth], is_masked: bool
) -> None:
    """The fifth picture is painted red, so that what comes of it can be told."""
    fifth = views.full[4]
    red = RED.expand(*fifth.pixels.shape).clone()
    mask = torch.zeros(red.shape[:2], dtype=torch.bool) if is_masked else None
    painted = replace(fifth, pixels=red, mask=mask)
    full = [painted if v is fifth else v for v in views.full]
    others = [KnownDepth(painted, k.depth) if k.view is fifth else k for k in known]
    found = 0
    for view in novel_views(full, others, CONFIG):
        is_red = view.counts & (view.view.pixels == RED).all(-1)
        found += int(is_red.sum())
    assert (found == 0) if is_masked else (found > 20)


def test_cameras_are_new_and_look_at_the_same(known: list[KnownDepth]) -> None:
    places = torch.stack([place_of(k.view.viewmat) for k in known])
    cameras = novel_cameras(known, CONFIG)
    assert 8 < len(cameras) <= CONFIG.tries
    for base, viewmat in cameras:
        depth = next(k.depth for k in known if k.view is base)
        far = float(depth[depth > 0].median())
        there = torch.linalg.inv(base.viewmat) @ torch.tensor([0.0, 0, far, 1])
        x, y, z, _ = (viewmat @ there / far).tolist()
        assert abs(x) + abs(y) < 1e-4 and min(abs(z - 1), abs(z - 1.5)) < 1e-4
        assert float((places - place_of(viewmat)).norm(dim=1).min()) > 0.2 * far


def test_cameras_come_from_all_sides_the_loneliest_first(known: list[KnownDepth]) -> None:
    """On either side of those that filmed, above them, and behind them."""
    cameras = novel_cameras(known, CONFIG)
    taken = torch.stack([place_of(k.view.viewmat) for k in known])
    gaps: list[float] = []
    first: list[torch.Tensor] = []
    for _, viewmat in cameras:
        place = place_of(viewmat)
        gaps.append(float((taken - place).norm(dim=1).min()))
        taken = torch.cat([taken, place[None]])
        first += [place] if len(first) < CONFIG.count else []
    assert gaps[0] > 0.9 * max(gaps) and gaps[-1] < gaps[0] / 2
    angles = [float(torch.rad2deg(torch.atan2(p[1], p[0]))) for p in first]
    assert min(angles) < -125 and max(angles) > -60  # filmed from -115 to -70
    assert max(float(p[2]) for p in first) > 3 and max(float(p.norm()) for p in first) > 4.5


def test_nothing_is_foretold_without_depth(views: ViewSet, known: list[KnownDepth]) -> None:
    assert novel_views(views.full, [], CONFIG) == []
    blind = [KnownDepth(k.view, torch.zeros_like(k.depth)) for k in known]
    assert novel_views(views.full, blind, CONFIG) == []


def test_what_all_pictures_hide_may_be_solid() -> None:
    view = small_view(0)  # at (0, 0, 3), looks along -z
    wall = KnownDepth(view, torch.full((16, 24), 2.0))
    places = torch.tensor([[0.0, 0, 0], [0, 0, 2], [0, 0, 5]])  # behind it, before it, unseen
    assert _may_be_solid(places, [wall]).tolist() == [True, False, False]
    nothing = KnownDepth(view, torch.zeros(16, 24))
    assert not _may_be_solid(places, [wall, nothing]).any()


def a_novel_view(counts: bool = True) -> NovelView:
    view = small_view(1, (8, 6))
    where = torch.full((6, 8), counts)
    return NovelView(view=view, counts=where)


def test_loss_counts_what_is_known_and_forgives_outliers() -> None:
    config, view = NovelConfig(forgiven=0.2), a_novel_view()
    exact = view.view.pixels.float() / 255
    assert float(view.loss(exact, config)) == 0
    assert float(view.loss(exact + 0.1, config)) == pytest.approx(0.1)
    assert float(view.loss(exact + 0.6, config)) == pytest.approx(0.2 + 0.3 * 0.4)
    assert float(a_novel_view(False).loss(exact + 0.6, config)) == 0


def test_training_follows_them_when_it_is_time() -> None:
    config = small_config(novel=NovelConfig(start=0.5, every=2))
    plain, told = small_trainer(config), small_trainer(config)
    told.novel = [a_novel_view()]
    for step in range(12):
        for trainer in (plain, told):
            training.train_step(trainer)
        same = torch.equal(plain.model.means, told.model.means)
        assert same == (step < 10)
