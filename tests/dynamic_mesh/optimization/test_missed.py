"""What a picture shows and nothing was drawn for draws the nearest place, by colour too."""

from dataclasses import replace

import pytest
import torch

from backend.dynamic_mesh.footage.timed_views import PyramidLevel, TimedView
from backend.dynamic_mesh.optimization.missed import missed_loss

SIZE = 40


def seen_from_the_front(alpha: torch.Tensor, color: torch.Tensor) -> TimedView:
    viewmat = torch.eye(4)
    viewmat[2, 3] = 3.0
    K = torch.tensor([[60.0, 0, SIZE / 2], [0, 60.0, SIZE / 2], [0, 0, 1]])
    return TimedView(
        name="a.png",
        time=0.0,
        viewmat=viewmat,
        levels=[PyramidLevel(color=color, alpha=alpha, K=K)],
    )


def pulls(shown: tuple[float, float, float]) -> torch.Tensor:
    """(2, 3) gradients of a dark and a light place, left of a coloured leg that was missed."""
    alpha = torch.zeros(SIZE, SIZE)
    alpha[18:22, 22:26] = 1.0
    view = seen_from_the_front(alpha, alpha[..., None] * torch.tensor(shown))
    places = torch.tensor([[0.0, 0.05, 0], [0.0, -0.05, 0]], requires_grad=True)
    colors = torch.tensor([[0.1, 0.1, 0.1], [0.9, 0.9, 0.9]])
    nothing = (torch.zeros(SIZE, SIZE, 3), torch.zeros(SIZE, SIZE))
    generator = torch.Generator().manual_seed(0)
    loss = missed_loss(places, colors, nothing, view, view.levels[0], generator)
    away = (24 - SIZE / 2) / 60 * 3.0  # of the leg's middle, in units of the box
    shade = (torch.tensor(shown).mean() + 1).item()  # missed in coverage and in colour
    assert float(loss.detach()) == pytest.approx(shade * away, rel=0.1)
    (gradient,) = torch.autograd.grad(loss, places)
    return gradient


def test_the_place_of_its_colour_is_drawn_towards_it() -> None:
    dark, light = pulls((0.12, 0.1, 0.1)), pulls((0.9, 0.88, 0.9))
    assert dark[0, 0] < -0.1 and dark[1].abs().max() == 0
    assert light[1, 0] < -0.1 and light[0].abs().max() == 0


def test_what_is_drawn_already_draws_nothing() -> None:
    alpha = torch.zeros(SIZE, SIZE)
    alpha[18:22, 22:26] = 1.0
    color = alpha[..., None].expand(-1, -1, 3)
    view = seen_from_the_front(alpha, color)
    places = torch.zeros(2, 3, requires_grad=True)
    loss = missed_loss(
        places, torch.ones(2, 3), (color, alpha), view, view.levels[0], torch.Generator()
    )
    assert float(loss.detach()) == 0
    none = missed_loss(
        places[:0],
        torch.ones(0, 3),
        (color * 0, alpha * 0),
        view,
        view.levels[0],
        torch.Generator(),
    )
    assert float(none.detach()) == 0


def test_what_can_not_be_known_draws_nothing() -> None:
    alpha = torch.zeros(SIZE, SIZE)
    alpha[18:22, 22:26] = 1.0
    color, known = alpha[..., None].expand(-1, -1, 3), alpha == 0
    level = replace(seen_from_the_front(alpha, color).levels[0], known=known)
    view = seen_from_the_front(alpha, color)
    nothing, places = (color * 0, alpha * 0), torch.zeros(2, 3, requires_grad=True)
    loss = missed_loss(places, torch.ones(2, 3), nothing, view, level, torch.Generator())
    assert float(loss.detach()) == 0
