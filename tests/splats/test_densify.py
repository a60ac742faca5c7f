"""Densification changes where mass is, never how a place looks, and keeps to its limit."""

import itertools
import math

import pytest
import torch
from helpers.small_training import densifier, small_model, with_opacities

from backend.gaussians.model import Gaussians
from backend.splats.densify import split_evenly


def optimizer_of(model: Gaussians) -> torch.optim.Optimizer:
    """Adam after a step, so that it remembers something of every parameter."""
    optimizer = torch.optim.Adam(
        [{"params": [p], "name": name, "lr": 0.0} for name, p in model.named().items()]
    )
    sum(
        (p * (torch.arange(p.numel()).reshape(p.shape) + 1.0)).sum() for p in model.named().values()
    ).backward()
    optimizer.step()
    optimizer.zero_grad()
    return optimizer


# ------------------------------------------------------------------------------ copies
@pytest.mark.parametrize("copies", [1, 2, 5, 20, 51])
@pytest.mark.parametrize("opacity", [0.05, 0.6, 0.95])
def test_copies_let_as_much_light_through_in_the_middle_and_along_a_line(
    copies: int, opacity: float
) -> None:
    """Eq. 9: together as opaque as the one, and the opacity's integral across is the one's."""
    new, scales = split_evenly(
        torch.tensor([opacity]), torch.tensor([[0.1, 1.0, 3.0]]), torch.tensor([copies])
    )
    assert 1 - (1 - float(new)) ** copies == pytest.approx(opacity, abs=1e-5)
    for before, after in zip((0.1, 1.0, 3.0), scales[0].tolist(), strict=True):
        x = torch.linspace(-30, 30, 20_001, dtype=torch.float64) * before
        together = 1 - (1 - float(new) * torch.exp(-(x**2) / (2 * after**2))) ** copies
        assert float(torch.trapezoid(together, x)) == pytest.approx(
            opacity * before * math.sqrt(2 * math.pi), rel=1e-4
        )


def test_copies_beyond_reason_and_full_opacity() -> None:
    opacities, scales = torch.tensor([0.5, 0.5, 1.0, 0.5, 0.5]), torch.ones(5, 3)
    new, wide = split_evenly(opacities, scales, torch.tensor([51, 500, 3, 0, 1]))
    assert new[1] == new[0] and torch.equal(wide[1], wide[0])
    assert torch.isfinite(wide).all() and 0.9 < new[2] < 1
    assert new[3] == new[4] == pytest.approx(0.5)
    torch.testing.assert_close(wide[3:], scales[3:])


# ------------------------------------------------------------------------------ when, and how many
@pytest.mark.parametrize("steps", [300, 7000])
def test_it_is_due_so_often_in_its_part_of_the_training(steps: int) -> None:
    densify = densifier(steps, times=30, start=0.1, stop=0.7)
    due = [step for step in range(1, steps + 1) if densify.is_due(step, steps)]
    assert abs(len(due) - 30) <= 1
    assert due[0] >= 0.1 * steps and due[-1] < 0.7 * steps
    assert {b - a for a, b in itertools.pairwise(due)} == {steps // 50}
    assert densify.is_due(steps // 10, steps) and not densify.is_due(steps * 7 // 10, steps)


def test_short_trainings_are_densified_at_every_step() -> None:
    densify = densifier(20, times=60)
    assert [step for step in range(1, 21) if densify.is_due(step, 20)] == list(range(1, 16))


def test_growth_reaches_the_limit_by_its_time() -> None:
    densify = densifier(3000, 1000, 4000, times=50, start=0.1, stop=0.6, full=0.4, max_growth=9.0)
    assert densify.every == 30
    assert densify.growth**30 == pytest.approx(4), "thirty times until four tenths of the training"
    assert densifier(3000, 1000, 10**9, max_growth=1.2).growth == 1.2
    assert densifier(3000, 5000, 4000).growth == 1, "it never takes splats away"
    assert (
        densifier(3000, 0, 4000, max_growth=1e9, times=1, start=0.0, stop=1.0, full=0.5).growth
        == 4000
    ), "nothing counts as one"


@pytest.mark.parametrize(
    ("first", "most", "growth", "wanted"),
    [(30, 100, 1.2, 36), (30, 100, 1.01, 31), (30, 33, 1.2, 33), (30, 20, 1.2, 30)],
)
def test_numbers_grow_by_a_share_up_to_the_limit(
    first: int, most: int, growth: float, wanted: int
) -> None:
    model = with_opacities(small_model(first), torch.full((first,), 0.5))
    densify = densifier(100, first, most)
    densify.growth = growth
    densify.refine(model, optimizer_of(model))
    assert {len(p) for p in model.named().values()} == {wanted}


# ------------------------------------------------------------------------------ moving and adding
def test_the_dead_move_onto_the_living() -> None:
    opacities = torch.full((30,), 0.5)
    opacities[:10] = 0.004
    model = with_opacities(small_model(30), opacities)
    with torch.no_grad():
        model.opacity_logits[3] = torch.nan
    before = {name: p.detach().clone() for name, p in model.named().items()}
    densifier(most=30).refine(model, optimizer_of(model))
    for i in range(10):
        (source,) = (model.means[10:] == model.means[i]).all(1).nonzero()[:, 0] + 10
        for parameter in model.named().values():
            assert torch.equal(parameter[i], parameter[source])
    assert torch.equal(model.means[10:], before["means"][10:]), "the living stay where they are"
    assert torch.isfinite(model.opacity_logits).all()


def test_a_place_looks_as_before_with_its_copies() -> None:
    opacities = torch.full((30,), 0.5)
    opacities[:10] = 0.004
    model = with_opacities(small_model(30), opacities)
    model_before = {name: p.detach().clone() for name, p in model.named().items()}
    densifier(most=30).refine(model, optimizer_of(model))
    for i in range(10, 30):
        count = int((model.means == model.means[i]).all(1).sum())
        wanted, scales = split_evenly(
            torch.tensor([0.5]), model_before["log_scales"][i : i + 1].exp(), torch.tensor([count])
        )
        assert model.opacities[i].item() == pytest.approx(wanted.item(), abs=1e-5)
        torch.testing.assert_close(model.scales[i], scales[0])


def test_the_more_opaque_are_copied_more() -> None:
    opacities = torch.full((30,), 0.01)
    opacities[7] = 0.9
    model = with_opacities(small_model(30), opacities)
    densify = densifier(most=200)
    densify.growth = 5.0
    densify.refine(model, optimizer_of(model))
    copies = int((model.means == model.means[7]).all(1).sum())
    assert 70 < copies < 115, "0.9 of 1.19 of 120 new ones"


def test_copies_never_fall_among_the_dead() -> None:
    model = with_opacities(small_model(30), torch.full((30,), 0.006))
    densify = densifier(most=300)
    densify.growth = 10.0
    densify.refine(model, optimizer_of(model))
    assert model.opacities.min() >= 0.005 - 1e-7
    model = with_opacities(small_model(2), torch.full((2,), 0.5))
    with torch.no_grad():
        model.opacity_logits[:] = 40.0
    densify = densifier(first=2, most=3)
    densify.growth = 1.5
    densify.refine(model, optimizer_of(model))
    assert torch.isfinite(model.opacity_logits).all() and len(model) == 3


def test_at_the_threshold_it_is_dead() -> None:
    model = with_opacities(small_model(30), torch.full((30,), 0.5))
    threshold = model.opacities[4].item()
    with torch.no_grad():
        model.opacity_logits[5:] = 1.0
    densify = densifier(most=30, dead_opacity=threshold)
    before = model.means.detach().clone()
    densify.refine(model, optimizer_of(model))
    assert not (model.means[:5] == before[:5]).all(1).any()


def test_where_nothing_lives_nothing_happens() -> None:
    model = with_opacities(small_model(30), torch.full((30,), 0.001))
    before = {name: p.detach().clone() for name, p in model.named().items()}
    densify = densifier(most=300)
    densify.growth = 2.0
    densify.refine(model, optimizer_of(model))
    assert all(torch.equal(p, before[name]) for name, p in model.named().items())


def test_the_optimiser_follows() -> None:
    """It trains the new tensors, remembers what stayed, forgets what moved or is new."""
    opacities = torch.full((30,), 0.02)
    opacities[:5], opacities[20] = 0.004, 0.99
    model = with_opacities(small_model(30), opacities)
    optimizer = optimizer_of(model)
    remembered = {
        name: {k: v.clone() for k, v in optimizer.state[p].items()}
        for name, p in model.named().items()
    }
    densify = densifier(most=33)
    densify.growth = 1.1
    before = with_opacities(small_model(30), opacities)
    densify.refine(model, optimizer)
    copied = torch.tensor(
        [
            bool((model.means[torch.arange(33) != i] == model.means[i]).all(1).any())
            for i in range(33)
        ]
    )
    assert len(optimizer.state) == 6
    for group in optimizer.param_groups:
        (parameter,) = group["params"]
        assert (
            parameter is getattr(model, group["name"])
            and parameter.requires_grad
            and parameter.is_leaf
        )
        state = optimizer.state[parameter]
        assert float(state["step"]) == 1
        for key in ("exp_avg", "exp_avg_sq"):
            assert state[key].shape == parameter.shape
            assert not state[key][30:].any(), "new ones have no past"
            assert not state[key][20].any(), "who is copied is another now"
            stayed = ~copied[:30]
            stayed[:5] = False
            assert stayed.sum() > 10
            assert torch.equal(state[key][:30][stayed], remembered[group["name"]][key][stayed])
    torch.testing.assert_close(model.means[5:30], before.means[5:30])


@pytest.mark.parametrize("dead", [True, False])
def test_who_is_copied_forgets(dead: bool) -> None:
    """By the dead that come, and by new ones alike."""
    opacities = torch.full((30,), 0.02)
    opacities[20] = 0.9999
    if dead:
        opacities[:12] = 0.004
    model = with_opacities(small_model(30), opacities)
    optimizer = optimizer_of(model)
    densify = densifier(most=30 if dead else 42)
    densify.growth = 1.4
    densify.refine(model, optimizer)
    assert (model.means == model.means[20]).all(1).sum() > 3
    for parameter in model.named().values():
        assert not optimizer.state[parameter]["exp_avg"][20].any()
        assert optimizer.state[parameter]["exp_avg"][12:30].any()


def test_without_a_past_there_is_nothing_to_forget() -> None:
    model = with_opacities(small_model(30), torch.full((30,), 0.5))
    optimizer = torch.optim.Adam(
        [{"params": [p], "name": name} for name, p in model.named().items()]
    )
    densify = densifier(most=36)
    densify.growth = 1.2
    densify.refine(model, optimizer)
    assert len(model) == 36 and not any(optimizer.state.values())
