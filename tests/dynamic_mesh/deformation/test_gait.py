"""Motion that repeats: told from motion that does not, and carried as one cycle."""

import itertools
import math
from typing import Any

import pytest
import torch

from backend.dynamic_mesh.deformation.gait import GaitConfig, likely_cycles
from backend.dynamic_mesh.deformation.motion import HARMONICS, SLOW, NodeMotion, speeds

NODES = 12


def following(ways: torch.Tensor, frequencies: int = 26) -> NodeMotion:
    """Ordinary waves that follow ways (T, N, 3) as closely as they can."""
    motion = NodeMotion.still(NODES, frequencies)
    rows = motion.rows(tuple(torch.linspace(0, 1, len(ways)).tolist())).double()
    solved = torch.linalg.lstsq(rows, ways.flatten(1).double()).solution
    motion.translations.data = solved.view(frequencies, NODES, 3).transpose(0, 1).float()
    return motion


def legs(cycles: float, drift: float = 0.0, noise: float = 0.0) -> torch.Tensor:
    """(T, N, 3) nodes that swing in two phases, quicker forwards than backwards."""
    times = torch.linspace(0, 1, 97)[:, None]
    phase = torch.where(torch.arange(NODES) % 2 == 0, 0.0, math.pi)
    angle = 2 * math.pi * cycles * times + phase
    swing = 0.1 * angle.sin() + 0.03 * (2 * angle).cos()
    lift = 0.05 * angle.cos().clamp_min(0)
    ways = torch.stack([swing + drift * times**2, 0.02 * times.expand_as(swing), lift], 2)
    generator = torch.Generator().manual_seed(0)
    return ways + noise * torch.randn(ways.shape, generator=generator)


@pytest.mark.parametrize("cycles", [2.3, 3.4, 5.0])
def test_a_gait_is_heard_in_what_waves_made_of_it_and_others_are_tried(cycles: float) -> None:
    heard, *row = likely_cycles(following(legs(cycles, drift=0.1, noise=0.01)))
    assert heard == pytest.approx(cycles, rel=0.05)
    config = GaitConfig()
    assert row[0] == config.least and row[-1] == pytest.approx(config.most)
    assert max(later - before for before, later in itertools.pairwise(row)) < 0.3


def test_what_only_drifts_is_not_asked_for_a_gait() -> None:
    assert likely_cycles(following(legs(0.0, drift=0.4))) == []
    assert likely_cycles(NodeMotion.still(NODES, 20)) == []
    once = following(
        0.1 * torch.sin(2 * math.pi * torch.linspace(0, 1, 97))[:, None, None].expand(-1, NODES, 3)
    )
    assert likely_cycles(once) == [], "as it comes and goes once"


def test_a_gait_repeats_whatever_it_learns() -> None:
    motion = NodeMotion.still(NODES, SLOW + 2 * HARMONICS, cycles=4.0)
    motion.translations.data[:, SLOW:] = torch.randn(NODES, 2 * HARMONICS, 3)
    for time in (0.03, 0.2, 0.61):
        now, later = motion.at(time), motion.at(time + 0.25)
        assert torch.allclose(now.translations, later.translations, atol=1e-4)
        assert not torch.allclose(now.translations, motion.at(time + 0.12).translations, atol=0.1)


def test_how_often_it_repeats_is_learned_from_what_is_seen() -> None:
    wanted, times = legs(3.4), torch.linspace(0, 1, 97)
    motion = NodeMotion.still(NODES, SLOW + 2 * HARMONICS, cycles=3.2)
    leaves: list[dict[str, Any]] = [
        {"params": [motion.translations], "lr": 5e-3},
        {"params": [motion.cycles]},
    ]
    optimizer = torch.optim.Adam(leaves, lr=2e-3)
    for _ in range(400):
        optimizer.zero_grad()
        ways = torch.einsum("tk,nkc->tnc", motion.rows(tuple(times.tolist())), motion.translations)
        (ways - wanted).abs().mean().backward()
        optimizer.step()
    assert float(motion.cycles.detach()) == pytest.approx(3.4, abs=0.03)


def test_the_speed_of_a_gait_counts_all_its_cycles() -> None:
    slow, quick = (NodeMotion.still(NODES, SLOW + 2 * HARMONICS, cycles=c) for c in (2.0, 8.0))
    for motion in (slow, quick):
        motion.translations.data[:, SLOW] = 1.0
    ratio = float(speeds(quick)[0].detach() / speeds(slow)[0].detach())
    assert ratio == pytest.approx(4, rel=0.05)
