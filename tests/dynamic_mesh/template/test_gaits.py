"""A gait is looked for in pictures, with a shape that is known."""

import math

import pytest
import torch

from backend.dynamic_mesh.deformation.motion import NodeMotion, skinned
from backend.dynamic_mesh.deformation.nodes import from_points
from backend.dynamic_mesh.footage.timed_views import PyramidLevel, TimedView
from backend.dynamic_mesh.template import gaits
from backend.dynamic_mesh.template.canonical_gaussians import (
    CanonicalConfig,
    CanonicalGaussians,
    draw,
)

SIZE, MOMENTS = 40, 36


def two_legs() -> CanonicalGaussians:
    """A light and a dark row of Gaussians below a body, at rest."""
    generator = torch.Generator().manual_seed(0)
    body = torch.rand(60, 3, generator=generator) * torch.tensor([0.8, 0.3, 0.3]) - 0.2
    leg = torch.stack([torch.zeros(40), torch.zeros(40), -torch.linspace(0.3, 0.9, 40)], 1)
    left, right = leg + torch.tensor([0.1, -0.1, 0]), leg + torch.tensor([0.1, 0.1, 0])
    means = torch.cat([body, left, right])
    shades = torch.cat([torch.zeros(60), torch.full((40,), 2.0), torch.full((40,), -2.0)])
    return CanonicalGaussians(
        means=means,
        log_scales=torch.full((140,), math.log(0.06)),
        opacity_logits=torch.full((140,), 3.0),
        colors=shades[:, None].expand(140, 3).contiguous(),
        graph=from_points(means, 24),
        motion=NodeMotion.still(24, 20),
    )


def filmed(model: CanonicalGaussians, cycles: float) -> list[TimedView]:
    """Legs that swing against each other, from a camera that goes half around."""
    views = []
    for k in range(MOMENTS):
        time = k / (MOMENTS - 1)
        swing = 0.35 * math.sin(2 * math.pi * cycles * time)
        below = (-0.2 - model.graph.rest[:, 2]).clamp_min(0)
        side = torch.where(model.graph.rest[:, 1] > 0, 1.0, -1.0)
        angle = math.pi * time
        x, y = (math.sin(angle), -math.cos(angle))
        rotation = torch.tensor([[-y, x, 0], [0, 0, -1.0], [-x, -y, 0]])
        viewmat = torch.eye(4)
        viewmat[:3, :3] = rotation
        viewmat[2, 3] = 3.0
        K = torch.tensor([[45.0, 0, SIZE / 2], [0, 45.0, SIZE / 2], [0, 0, 1]])
        empty = PyramidLevel(color=torch.zeros(SIZE, SIZE, 3), alpha=torch.zeros(SIZE, SIZE), K=K)
        view = TimedView(name=f"{k}", time=time, viewmat=viewmat, levels=[empty] * 3)
        pose = model.motion.at(0.0)
        shift = torch.stack([2 * swing * side * below, 0 * below, 0 * below], 1)
        moved = type(pose)(pose.rotations, shift, pose.global_rotation, pose.global_translation)
        with torch.no_grad():
            color, alpha = draw(model, skinned(model.means, model.graph, moved), view, empty)
        seen = PyramidLevel(color=color, alpha=alpha, K=K)
        views.append(TimedView(name=f"{k}", time=time, viewmat=viewmat, levels=[seen] * 3))
    return views


@pytest.mark.parametrize("true", [2.75, 3.6])
def test_the_right_number_of_cycles_shows_the_pictures_best(
    true: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = two_legs()
    monkeypatch.setattr(gaits, "likely_cycles", lambda motion: [2.0, 2.3, 2.7, 3.1, 3.5, 4.0])
    found = gaits.search_cycles(
        model,
        filmed(model, true),
        CanonicalConfig(),
        0,
        lambda step, total: None,
        gaits.GaitSearch(clear=0.0, steps=120),
    )
    assert found == pytest.approx(true, abs=0.15)


def test_cycles_of_a_few_pictures_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tried = two_legs(), []
    monkeypatch.setattr(gaits, "likely_cycles", lambda motion: [2.0, 4.0, 5.0, 9.0])
    views = filmed(model, 2.0)
    search = gaits.GaitSearch(steps=1)
    gaits.search_cycles(
        model, views, CanonicalConfig(), 0, lambda step, total: tried.append(total), search
    )
    assert set(tried) == {2}, "36 pictures are too few for five cycles"


def test_what_is_shown_no_better_by_a_gait_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    model = two_legs()
    monkeypatch.setattr(gaits, "likely_cycles", lambda motion: [2.0, 3.0])
    still = filmed(model, 0.0)
    assert gaits.search_cycles(model, still, CanonicalConfig(), 0, lambda step, total: None) == 0
