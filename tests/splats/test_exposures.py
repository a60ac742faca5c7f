"""How pictures are exposed, told by what several of them show before anything is trained."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import ray_world
from helpers.small_training import small_config, small_trainer

from backend.geometry.conventions import to_viewmat
from backend.splats import splats_job
from backend.splats.corrections import Corrections
from backend.splats.exposures import exposure_spread, log_gains
from backend.splats.known_depth import KnownDepth
from backend.splats.novel_cameras import NovelConfig
from backend.splats.novel_views import novel_views
from backend.splats.views import TrainingView

SIZE, FOCAL, COUNT = (96, 72), 80.0, 8
GAINS = np.exp(
    np.linspace(-0.3, 0.3, COUNT)[:, None] + 0.1 * np.sin(np.arange(3 * COUNT)).reshape(-1, 3) - 0.4
)


def pictures(gains: np.ndarray = GAINS) -> list[KnownDepth]:
    """Of a room, exposed by `gains` (n, 3), with true depth."""
    world, found = ray_world.make_room(0), []
    K = torch.tensor([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1.0]])
    for number, gain in enumerate(gains):
        angle = np.radians(-115 + 5 * number)
        eye = np.array([3 * np.cos(angle), 3 * np.sin(angle), 1.8])
        pose = ray_world.look_at(eye, np.array([0, 0, 0.6]))
        image = (ray_world.render_image(world, pose, FOCAL, SIZE) * gain).clip(0, 1) * 255
        pixels = torch.from_numpy(image.round().astype(np.uint8))
        viewmat = torch.from_numpy(to_viewmat(pose)).float()
        view = TrainingView(name=str(number), pixels=pixels, viewmat=viewmat, K=K)
        depth = torch.from_numpy(ray_world.depth(world, pose, FOCAL, SIZE))
        found.append(KnownDepth(view, depth))
    return found


@pytest.fixture(scope="module")
def known() -> list[KnownDepth]:
    return pictures()


def off(found: torch.Tensor, gains: np.ndarray = GAINS) -> float:
    """The largest error of log gains, whatever their mean."""
    truth = np.log(gains)
    return float(np.abs(found.numpy() - found.numpy().mean(0) - truth + truth.mean(0)).max())


def test_gains_are_those_of_the_pictures(known: list[KnownDepth]) -> None:
    found = log_gains([k.view for k in known], known)
    assert off(found) < 0.01
    torch.testing.assert_close(found.mean(0), torch.zeros(3), atol=1e-5, rtol=0)


def test_wrong_depth_and_burnt_out_places_are_outvoted(known: list[KnownDepth]) -> None:
    worse = []
    for one in known:
        depth, pixels = one.depth.clone(), one.view.pixels.clone()
        depth[:20] *= 1.02  # other places of the wall
        pixels[30:40] = 255
        worse.append(KnownDepth(replace(one.view, pixels=pixels), depth))
    assert off(log_gains([k.view for k in worse], worse)) < 0.03


def test_views_without_depth_and_pictures_alone_get_none(known: list[KnownDepth]) -> None:
    blind = KnownDepth(known[3].view, torch.zeros_like(known[3].depth))
    asked = [*known[:3], blind, *known[4:7]]
    found = log_gains([k.view for k in known], asked)
    assert not found[7].any() and float(found[3].abs().max()) < 1e-6
    assert off(found[[0, 1, 2, 4, 5, 6]], GAINS[[0, 1, 2, 4, 5, 6]]) < 0.01
    assert not log_gains([k.view for k in known], []).any()


def test_spread_is_that_of_neighbours(known: list[KnownDepth]) -> None:
    assert exposure_spread(known) > 0.05
    assert exposure_spread(pictures(np.full((4, 3), 0.7))) < 0.01
    assert exposure_spread([]) == 0


def test_training_begins_with_them_and_hardly_moves_them(known: list[KnownDepth]) -> None:
    views = [k.view for k in known]
    few = replace(small_trainer().views, full=views, training=list(range(COUNT)))
    config, gains = splats_job._exposed(few, known, small_config())
    assert config.exposure and gains is not None and off(gains) < 0.01
    assert config.rates.exposure == config.rates.exposure_known < small_config().rates.exposure
    corrections = Corrections(COUNT, False, True, 1.0, "cpu", gains)
    drawn = torch.stack([corrections.color(torch.full((1, 1, 3), 0.5), i) for i in range(COUNT)])
    assert off((drawn[:, 0, 0] / 0.5).log().detach()) < 0.01
    same, none = splats_job._exposed(few, pictures(np.full((COUNT, 3), 0.7)), small_config())
    assert not same.exposure and none is None


def test_novel_views_are_of_one_exposure(known: list[KnownDepth]) -> None:
    views = [k.view for k in known]
    config = NovelConfig(bases=3, ways=4, count=6, covered=0.1)
    alike = pictures(np.full((COUNT, 3), float(np.exp(np.log(GAINS).mean()))))
    right = novel_views([k.view for k in alike], alike, config)
    errors = []
    for gains in (None, log_gains(views, known)):
        made = novel_views(views, known, config, gains)
        assert len(made) == len(right) > 2
        pairs = zip(made, right, strict=True)
        each = [(a.view.pixels.float() - b.view.pixels.float())[b.counts] for a, b in pairs]
        gray = torch.cat(each).mean(1)  # white balance, too, has a mean: the pictures' own
        errors.append(float((gray - gray.median()).abs().mean()))
    assert errors[1] < 0.3 * errors[0]
