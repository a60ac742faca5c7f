"""Quality is that of views that were never trained, as they come out of the model alone."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.small_training import small_config, small_trainer, small_views
from PIL import Image

from backend.gaussians.losses import ssim
from backend.splats.evaluate import evaluate, render_view, save_side_by_side, to_pixels


def test_scores_are_means_over_the_held_out() -> None:
    trainer = small_trainer(small_config(), small_views(4, (1, 2)))
    decibels, similarities = [], []
    for index in (1, 2):
        image, target = render_view(trainer, index)
        assert torch.equal(target, trainer.views.full[index].pixels / 255)
        decibels.append(10 * math.log10(1 / float(((image - target) ** 2).mean())))
        similarities.append(float(ssim(image, target)))
    found = evaluate(trainer)
    assert found.keys() == {"psnr", "ssim"}
    assert found["psnr"] == pytest.approx(sum(decibels) / 2, abs=1e-4)
    assert found["ssim"] == pytest.approx(sum(similarities) / 2, abs=1e-4)
    assert evaluate(small_trainer()) == {}, "nothing held out, nothing claimed"


def test_renderings_are_in_bounds_and_of_the_degree_that_is_reached() -> None:
    trainer = small_trainer(small_config(sh_shares=(0.5, 0.6, 0.7)))
    with torch.no_grad():
        trainer.model.sh0 += torch.tensor([9.0, -9, 0])
        trainer.model.opacity_logits += 5
        trainer.model.sh_rest[:] = 3
    image, _ = render_view(trainer, 0)
    assert image.min() == 0 and image.max() == 1 and not image.requires_grad
    trainer.step = 10
    assert not torch.equal(render_view(trainer, 0)[0], image), "degree 1 has joined"


def test_cameras_are_not_corrected() -> None:
    trainer = small_trainer(small_config(refine_cameras=True, exposure=True))
    before, _ = render_view(trainer, 0)
    with torch.no_grad():
        trainer.corrections.cameras[0] += 1
        trainer.corrections.exposure[0] += 1
    assert torch.equal(render_view(trainer, 0)[0], before)


def test_transparent_ones_are_shown_on_white_and_others_on_black() -> None:
    for transparent, background in ((True, 1.0), (False, 0.0)):
        trainer = small_trainer(views=small_views(transparent=transparent))
        with torch.no_grad():
            trainer.model.opacity_logits[:] = -30
        image, target = render_view(trainer, 2)
        torch.testing.assert_close(image, torch.full_like(image, background))
        torch.testing.assert_close(
            target, trainer.views.full[2].target(torch.full((3,), background), "cpu")
        )


def test_pixels_are_rounded_and_held_in_bounds() -> None:
    image = torch.tensor([[[0.0, 1.0, 0.5]], [[-1.0, 2.0, 0.1]]], requires_grad=True)
    found = to_pixels(image)
    assert found.dtype == np.uint8 and found.tolist() == [[[0, 255, 128]], [[0, 255, 26]]]


@pytest.mark.parametrize(
    ("held_out", "shown"), [((0, 1, 3), 1), ((3,), 3), ((2, 3), 3), ((), 0), ((0,), 0)]
)
def test_photo_on_the_left_rendering_on_the_right(
    held_out: tuple[int, ...], shown: int, tmp_path: Path
) -> None:
    trainer = small_trainer(views=small_views(4, held_out))
    save_side_by_side(trainer, tmp_path / "a.png")
    found = np.array(Image.open(tmp_path / "a.png"))
    assert found.shape == (16, 48, 3)
    np.testing.assert_array_equal(found[:, :24], trainer.views.full[shown].pixels)
    np.testing.assert_array_equal(found[:, 24:], to_pixels(render_view(trainer, shown)[0]))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
