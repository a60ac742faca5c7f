"""Pictures that see a splat: it counts where it makes up some of them, not where it is hidden."""

import numpy as np
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


def test_what_one_picture_sees_goes_and_surroundings_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    run = training.start(small_config(), small_views(12), small_model(6), 0, "cpu")
    seen = np.array([5, 1, 0, 2, 9, 0])
    monkeypatch.setattr(support, "views_that_see", lambda trainer: seen)
    far = torch.tensor([False] * 5 + [True])
    monkeypatch.setattr(type(run.surroundings), "is_far", lambda self, means: far[: len(means)])
    before = run.model.means.detach().clone()
    views, gone = support.drop_unsupported(run)
    assert gone == 2 and views.tolist() == [5, 2, 9, 0]
    assert torch.equal(run.model.means, before[[0, 3, 4, 5]]) and len(run.model.sh_rest) == 4


def test_of_few_pictures_nothing_goes() -> None:
    run = training.start(small_config(), small_views(4), small_model(20), 0, "cpu")
    assert support.drop_unsupported(run)[1] == 0 and len(run.model) == 20
