"""Pictures that see a splat: it counts where it makes up some of them, not where it is hidden."""

import pytest
import torch
from helpers.small_training import small_config, small_model, small_views

from backend.splats import support, trainer as training


def test_hidden_splats_and_those_behind_have_no_support() -> None:
    views, model = small_views(4), small_model(3)
    with torch.no_grad():
        model.means[:] = torch.tensor([1.5, 0.0, -6.0])
        model.means[1] = torch.tensor([0.0, 0.0, 50.0])  # behind every camera
        model.log_scales[:] = 1.0
        model.opacity_logits[:] = 9.0
        model.log_scales[2] = -3.0
        model.means[2, 2] -= 0.5  # behind the middle of the solid ball
    run = training.start(small_config(), views, model, 0, "cpu")
    assert support.views_that_see(run).tolist() == [4, 0, 0]


def test_many_pictures_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    run = training.start(small_config(), small_views(6), small_model(20), 0, "cpu")
    every = support.views_that_see(run)
    monkeypatch.setattr(support, "MOST_VIEWS", 3)
    assert set(support.views_that_see(run).tolist()) <= {0, 2, 4, 6}
    assert 0 < every.max() <= 6
