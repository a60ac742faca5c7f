"""Splats for Blender's own renderer stay narrow for every camera; others may not."""

import pytest
import torch
from helpers.small_training import small_config, small_trainer, small_views

from backend.formats.splat_notes import Blend
from backend.splats import trainer as training
from backend.splats.widths import WIDEST, WidthLimit


def test_only_what_would_reach_a_camera_is_shortened() -> None:
    eyes = torch.tensor([[0.0, 0, 0], [9.0, 0, 0]])
    means = torch.tensor([[3.0, 0, 0], [3.0, 0, 0], [8.0, 0, 0], [0.0, 0, 0]])
    scales = torch.tensor([[5.0, 0.5, 0.1], [0.29, 0.1, 0.1], [0.8, 0.2, 0.05], [1.0, 1.0, 1.0]])
    limited = scales.log()
    WidthLimit(eyes).apply(limited, means)
    torch.testing.assert_close(limited.exp()[0], torch.tensor([0.3, 0.3, 0.1]))
    torch.testing.assert_close(limited.exp()[1], scales[1])
    torch.testing.assert_close(limited.exp()[2], torch.tensor([0.1, 0.1, 0.05]))
    assert torch.isfinite(limited).all()


@pytest.mark.parametrize("blend", ["srgb", "linear"])
def test_a_training_for_linear_light_ends_without_wide_ones(blend: Blend) -> None:
    trainer = small_trainer(small_config(steps=12, blend=blend), small_views())
    with torch.no_grad():
        trainer.model.log_scales[:3] = 3.0
    for _ in range(12):
        training.train_step(trainer)
    nearest = torch.cdist(trainer.model.means, trainer.views.eyes).amin(1)
    widths = trainer.model.scales.amax(1)
    assert bool((widths <= WIDEST * nearest * 1.05).all()) == (blend == "linear")
