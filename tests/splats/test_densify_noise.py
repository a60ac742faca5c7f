"""Stirring: the faint wander along their own axes, so that mass which explains nothing moves on."""

import math

import pytest
import torch
from helpers.small_training import densifier, small_model, with_opacities

from backend.gaussians.model import Gaussians


def many(opacity: float, count: int = 4000) -> Gaussians:
    """Alike: flat in their own z, which is turned to the world's x."""
    model = with_opacities(small_model(count), torch.full((count,), opacity))
    with torch.no_grad():
        model.means[:] = 0
        model.quats[:] = torch.tensor([1.0, 0, 1, 0])  # a quarter turn about y: z to x
        model.log_scales[:] = torch.tensor([0.2, 0.5, 0.01]).log()
    return model


def test_only_the_faint_are_stirred() -> None:
    model = with_opacities(small_model(4), torch.tensor([0.5, 0.061, 0.059, 0.004]))
    before = model.means.detach().clone()
    densifier().inject_noise(model, 1.0)
    assert (model.means != before).any(1).tolist() == [False, False, True, True]
    alone = with_opacities(small_model(4), torch.tensor([0.5, 0.061, 0.9, 0.004]))
    densifier().inject_noise(alone, 1.0)
    assert (alone.means != before).any(1).tolist() == [False, False, False, True]
    opaque = with_opacities(small_model(4), torch.full((4,), 0.9))
    before = opaque.means.detach().clone()
    densifier().inject_noise(opaque, 1.0)
    assert torch.equal(opaque.means, before)


@pytest.mark.parametrize(
    ("opacity", "gate"),
    [(0.005, 0.5), (0.015, 1 / (1 + math.e)), (0.0001, 1 / (1 + math.exp(-0.49)))],
)
def test_they_wander_along_their_own_axes(opacity: float, gate: float) -> None:
    """Eq. 8: covariance times noise, through a sigmoid that closes as they become opaque."""
    model = many(opacity)
    densifier(noise=10.0).inject_noise(model, 0.3)
    wanted = torch.tensor([0.01, 0.5, 0.2]) ** 2 * gate * 0.3 * 10
    torch.testing.assert_close(model.means.std(0), wanted, rtol=0.06, atol=0)
    assert (model.means.mean(0).abs() < 0.08 * wanted).all()


def test_the_more_opaque_the_stiller() -> None:
    """The same draw through a gate half open at the threshold and all but shut at 0.055."""
    found = []
    for opacity in (0.005, 0.055):
        model = many(opacity, 10)
        densifier(noise=1.0).inject_noise(model, 1.0)
        found.append(model.means.detach())
    gate = 1 / (1 + math.exp(100 * 0.05))
    torch.testing.assert_close(found[1], found[0] * 2 * gate, rtol=1e-3, atol=0)


def test_the_same_seed_stirs_the_same_way() -> None:
    found = []
    for seed in (1, 1, 2):
        model = many(0.005, 10)
        densifier(seed=seed).inject_noise(model, 1.0)
        found.append(model.means.detach())
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
