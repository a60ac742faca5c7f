"""Training step by step; and a run that was broken off goes on as if it had not been."""

import math
from typing import Any

import pytest
import torch
from helpers.small_training import small_config, small_model, small_trainer, small_views

from backend.gaussians.losses import l1_dssim_for
from backend.gaussians.options import RasterOptions, as_cycles_draws, options_for
from backend.splats import trainer as training
from backend.splats.config import DensifyConfig, LearningRates
from backend.splats.trainer import Trainer

STILL = DensifyConfig(
    noise=0.0, opacity_weight=0.0, scale_weight=0.0, times=1, start=0.98, stop=0.99
)


def parameters(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {
        name: p.detach().clone()
        for name, p in {**trainer.model.named(), **trainer.corrections.named()}.items()
    }


# ------------------------------------------------------------------------------ which picture
def test_every_picture_once_an_epoch_and_held_out_ones_never() -> None:
    trainer = small_trainer(small_config(steps=100), small_views(7, (0, 3)))
    orders = []
    for epoch in range(6):
        seen = []
        for step in range(5):
            trainer.step = epoch * 5 + step
            seen.append(trainer.next_view()[0])
        assert sorted(seen) == [1, 2, 4, 5, 6]
        orders.append(tuple(seen))
    assert len(set(orders)) > 3, "in another order each time"
    trainer.step = 7
    assert trainer.next_view()[0] == orders[1][2], "the order depends on nothing but the step"
    other = small_trainer(small_config(steps=100), small_views(7, (0, 3)), seed=1)
    other_orders = []
    for step in range(30):
        other.step = step
        other_orders.append(other.next_view()[0])
    assert other_orders != [index for order in orders for index in order]


def test_pictures_are_coarse_at_first() -> None:
    trainer = small_trainer(small_config(steps=20, coarse_share=0.25))
    for step, size in ((0, (12, 8)), (4, (12, 8)), (5, (24, 16)), (19, (24, 16))):
        trainer.step = step
        index, view = trainer.next_view()
        assert view.size == size
        assert view is (trainer.views.half if step < 5 else trainer.views.full)[index]


def test_degrees_join_one_after_the_other() -> None:
    trainer = small_trainer(small_config(steps=100, sh_degree=3, sh_shares=(0.1, 0.2, 0.35)))
    found = []
    for step in (0, 9, 10, 19, 20, 34, 35, 100):
        trainer.step = step
        found.append(trainer.sh_degree)
    assert found == [0, 0, 1, 1, 2, 2, 3, 3]
    trainer = small_trainer(small_config(steps=100, sh_degree=1))
    trainer.step = 100
    assert trainer.sh_degree == 1 and trainer.share == 1


def test_rays_come_last_to_splats_for_blender() -> None:
    trainer = small_trainer(small_config(steps=10, blend="linear", projected_share=0.6))
    drawn = []
    for step in range(11):
        trainer.step = step
        drawn.append((trainer.options.traced, trainer.options.alpha_threshold))
    traced = as_cycles_draws(RasterOptions()).alpha_threshold
    assert drawn == [(False, 1 / 255)] * 6 + [(True, traced)] * 5
    assert trainer.options == options_for(trainer.notes), "as the file is drawn, at the end"
    others = small_trainer(small_config(steps=10))
    assert others.options == RasterOptions()


# ------------------------------------------------------------------------------ how fast
def test_rates_at_the_beginning_in_the_middle_and_at_the_end() -> None:
    rates = LearningRates(means=1e-2, means_final=1e-4, cameras=2e-5, exposure=3e-3)
    extent = 7.0
    begin, middle, end = (
        training._rates(rates, extent, share)["means"] for share in (0.0, 0.5, 1.0)
    )
    assert (begin, middle, end) == pytest.approx((7e-2, 7e-3, 7e-4))
    for name, full in (("cameras", 2e-5), ("exposure", 3e-3)):
        found = [
            training._rates(rates, extent, share)[name] for share in (0.0, 0.0999, 0.1, 0.55, 1.0)
        ]
        assert found == pytest.approx([0, 0, full, full * 0.1**0.5, full * 0.1]), (
            "there has to be a scene first"
        )


def test_a_first_step_goes_as_far_as_the_rates_say() -> None:
    """Adam's first step is its rate, whatever the gradient; positions' times the extent."""
    rates = LearningRates(
        means=1e-4, quats=2e-4, log_scales=3e-4, opacity_logits=4e-4, sh0=5e-4, sh_rest=6e-4
    )
    trainer = small_trainer(small_config(rates=rates, densify=STILL, sh_shares=(0, 0, 0)))
    before = parameters(trainer)
    training.train_step(trainer)
    for name, rate in {
        "means": 2e-4,
        "quats": 2e-4,
        "log_scales": 3e-4,
        "opacity_logits": 4e-4,
        "sh0": 5e-4,
        "sh_rest": 6e-4,
    }.items():
        moved = (getattr(trainer.model, name) - before[name]).abs()
        assert moved.max().item() == pytest.approx(rate, rel=1e-2)
        assert (moved > 0.9 * rate).float().mean() > 0.3, "small gradients too"
    assert trainer.step == 1


def test_positions_slow_down() -> None:
    trainer = small_trainer(
        small_config(densify=STILL, rates=LearningRates(means=1e-2, means_final=1e-6))
    )
    trainer.step = 18
    before = parameters(trainer)
    training.train_step(trainer)
    wanted = 2e-2 * 1e-4**0.9
    assert (trainer.model.means - before["means"]).abs().max().item() == pytest.approx(
        wanted, rel=1e-2
    )


def test_corrections_wait_for_a_scene() -> None:
    trainer = small_trainer(small_config(refine_cameras=True, exposure=True, densify=STILL))
    for _ in range(2):
        training.train_step(trainer)
    assert not trainer.corrections.cameras.any() and not trainer.corrections.exposure.any()
    for _ in range(2):
        training.train_step(trainer)
    assert trainer.corrections.cameras.any() and trainer.corrections.exposure.any()


# ------------------------------------------------------------------------------ what is compared
def test_it_learns_its_pictures() -> None:
    trainer = small_trainer(
        small_config(steps=150, rates=LearningRates(sh0=0.03), coarse_share=0), small_views(1)
    )
    losses = [training.train_step(trainer) for _ in range(150)]
    assert losses[-1] < 0.6 * losses[0]
    assert 30 < len(trainer.model) <= 60 and training.is_finite(trainer)


def test_the_loss_is_that_of_the_rendering_and_the_picture() -> None:
    trainer = small_trainer(small_config(densify=DensifyConfig(times=1), ssim_weight=0.4))
    _, view = trainer.next_view()
    with torch.no_grad():
        image = trainer.render(view, view.viewmat, torch.zeros(3), 0)
        wanted = l1_dssim_for("cpu")(image, view.target(torch.zeros(3), "cpu"), 0.4)[0]
    assert training.train_step(trainer) == pytest.approx(float(wanted), rel=1e-5), "pressure apart"


@pytest.mark.parametrize(
    ("weights", "name"), [((0.5, 0.0), "opacity_logits"), ((0.0, 0.5), "log_scales")]
)
def test_pressure_makes_them_fewer_and_smaller(weights: tuple[float, float], name: str) -> None:
    """Where no camera looks, pressure alone acts."""
    trainer = small_trainer(
        small_config(
            densify=DensifyConfig(
                times=1,
                start=0.98,
                stop=0.99,
                noise=0.0,
                opacity_weight=weights[0],
                scale_weight=weights[1],
            )
        )
    )
    with torch.no_grad():
        trainer.model.means[:, 2] += 1000
    before = parameters(trainer)
    training.train_step(trainer)
    for other in ("opacity_logits", "log_scales"):
        change = getattr(trainer.model, other) - before[other]
        assert (change < 0).all() if other == name else not change.any()


def test_transparent_pictures_are_laid_over_random_colours() -> None:
    """Then empty space has to become empty; opaque ones are compared on black."""
    drawn: list[torch.Tensor] = []
    for transparent in (False, True):
        trainer = small_trainer(small_config(densify=STILL), small_views(transparent=transparent))
        render = trainer.render

        def watch(
            view: Any, viewmat: Any, background: torch.Tensor, degree: int, render: Any = render
        ) -> torch.Tensor:
            drawn.append(background)
            return render(view, viewmat, background, degree)

        trainer.render = watch  # type: ignore[method-assign, assignment]
        for _ in range(3):
            training.train_step(trainer)
    assert all(background.tolist() == [0, 0, 0] for background in drawn[:3])
    assert len({tuple(background.tolist()) for background in drawn[3:]}) == 3
    assert all(0 <= value <= 1 for background in drawn[3:] for value in background.tolist())


def test_stirring_ends_before_the_training_does() -> None:
    stirred = []
    for step in (0, 17, 18, 19):
        trainer = small_trainer(
            small_config(
                densify=DensifyConfig(times=1, start=0.98, stop=0.99, noise=1e9),
                rates=LearningRates(means=1e-9, means_final=1e-9),
            )
        )
        with torch.no_grad():
            trainer.model.opacity_logits[:] = -7
        before = parameters(trainer)["means"]
        trainer.step = step
        training.train_step(trainer)
        stirred.append(bool((trainer.model.means - before).abs().max() > 1e-6))
    assert stirred == [True, True, False, False], "the last tenth settles"


def test_densification_happens_when_it_is_due() -> None:
    trainer = small_trainer(
        small_config(steps=20, densify=DensifyConfig(times=3, start=0.1, stop=0.7, full=0.7))
    )
    counts = []
    for _ in range(20):
        training.train_step(trainer)
        counts.append(len(trainer.model))
    changes = [
        step for step, (a, b) in enumerate(zip([30, *counts], counts, strict=False), 1) if a != b
    ]
    assert changes == [4, 8, 12] and counts[-1] <= 60


def test_filtering_is_as_asked_for() -> None:
    plain, filtered = small_trainer(small_config()), small_trainer(small_config(antialiased=True))
    assert (plain.options.rasterize_mode, filtered.options.rasterize_mode) == (
        "classic",
        "antialiased",
    )
    view = plain.views.full[0]
    assert not torch.equal(
        plain.render(view, view.viewmat, torch.zeros(3), 0),
        filtered.render(view, view.viewmat, torch.zeros(3), 0),
    )
    assert plain.render(view, view.viewmat, torch.zeros(3), 0).shape == (16, 24, 3)


# ------------------------------------------------------------------------------ going on
def test_a_run_that_was_broken_off_ends_like_one_that_was_not() -> None:
    config = small_config(refine_cameras=True, exposure=True, sh_shares=(0.2, 0.3, 0.4))
    views = small_views(transparent=True)
    whole = small_trainer(config, views, seed=3)
    losses = [training.train_step(whole) for _ in range(20)]

    first = small_trainer(config, views, seed=3)
    for _ in range(11):
        training.train_step(first)
    first.curve.append({"step": 11, "psnr": 9.0})
    tensors, note = training.state_of(first)
    saved = {name: t.detach().clone() for name, t in tensors.items()}
    second = small_trainer(config, views, seed=3)
    training.train_step(second)  # it has a state of its own, which must not stay
    training.restore(second, saved, note)
    assert second.step == 11 and second.curve == [{"step": 11, "psnr": 9.0}]
    assert [training.train_step(second) for _ in range(9)] == losses[11:]
    for name, wanted in parameters(whole).items():
        assert torch.equal(parameters(second)[name], wanted)
    assert len(second.optimizer.state) == 8, "nothing is left of what it had before"


def test_a_state_of_step_zero_can_be_gone_on_from() -> None:
    trainer = small_trainer()
    tensors, note = training.state_of(trainer)
    assert not any(name.startswith("adam/") for name in tensors) and note == {
        "step": 0,
        "curve": [],
    }
    other = small_trainer()
    training.train_step(other)
    training.restore(other, {name: t.detach().clone() for name, t in tensors.items()}, note)
    assert training.train_step(other) == training.train_step(small_trainer())


def test_one_value_that_is_none_is_noticed() -> None:
    for name in small_model().named():
        for value in (math.nan, math.inf):
            trainer = small_trainer()
            assert training.is_finite(trainer)
            with torch.no_grad():
                getattr(trainer.model, name).view(-1)[-1] = value
            assert not training.is_finite(trainer)
