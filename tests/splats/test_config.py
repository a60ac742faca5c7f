"""What presets and options make of a training."""

import re
from dataclasses import astuple, fields

import pytest

from backend.protocol import InputError
from backend.splats.config import DensifyConfig, LearningRates, TrainConfig, make_config
from backend.splats.splats_verb import PRESETS, VERB, SplatsOptions

PLAIN = TrainConfig(steps=1, max_splats=2, max_pixels=3)


@pytest.mark.parametrize("name", ["steps", "max_splats", "max_pixels"])
def test_presets_are_what_the_help_says(name: str) -> None:
    help_text = VERB.option_help(name)
    said = {
        preset: int(number)
        for number, preset in re.findall(r"(\d+) (fast|balanced|best)", help_text)
    }
    assert said == {preset: getattr(config, name) for preset, config in PRESETS.items()}


def test_the_options_come_on_top() -> None:
    options = SplatsOptions(
        steps=11,
        max_splats=120,
        max_pixels=13,
        holdout=0,
        sh_degree=2,
        refine_cameras=True,
        exposure=True,
        antialiased=True,
    )
    config = make_config("best", options)
    for field in fields(options):
        assert getattr(config, field.name) == getattr(options, field.name)
    row, config = PRESETS["best"], make_config("best", SplatsOptions())
    for field in fields(row):  # nothing said: as the preset says
        assert getattr(config, field.name) == getattr(row, field.name)


def test_limits_that_leave_nothing_to_train() -> None:
    for few in (1, 99):
        with pytest.raises(InputError, match=f"--max-splats {few} is too few"):
            make_config("fast", SplatsOptions(max_splats=few))
    assert make_config("fast", SplatsOptions(max_splats=100)).max_splats == 100
    with pytest.raises(InputError, match="nothing is left"):
        make_config("fast", SplatsOptions(holdout=1))
    assert make_config("fast", SplatsOptions(holdout=2)).holdout == 2


def test_what_was_published_is_as_published() -> None:
    """Kerbl et al. 2023 with their code's defaults; Kheradmand et al. 2024 likewise."""
    rates, densify = LearningRates(), DensifyConfig()
    assert (rates.means, rates.means_final) == (1.6e-4, 1.6e-6)
    assert (rates.quats, rates.log_scales, rates.opacity_logits) == (0.001, 0.005, 0.05)
    assert (rates.sh0, rates.sh_rest) == (0.0025, 0.000125), (
        "the rest learns twenty times as slowly"
    )
    assert (densify.dead_opacity, densify.noise) == (0.005, 500_000)
    assert (densify.opacity_weight, densify.scale_weight) == (0.01, 0.01)
    assert PLAIN.ssim_weight == 0.2


def test_moments_of_a_training_are_in_their_order() -> None:
    densify = DensifyConfig()
    assert 0 < densify.start < densify.full < densify.stop < 1, (
        "it grows first, and settles at the end"
    )
    assert 1 < densify.max_growth < 2
    shares = PLAIN.sh_shares
    assert len(shares) == 3 and 0 < shares[0] < shares[1] < shares[2] < 0.5
    assert shares[0] < PLAIN.coarse_share < 0.5, (
        "colours join while pictures are coarse, and there is time for the fine ones"
    )
    assert 0 < PLAIN.initial_opacity < 0.5
    assert all(0 < rate <= 0.05 for rate in astuple(LearningRates()))
    assert LearningRates().cameras < LearningRates().means, "a scene moves before its cameras do"


def test_corrections_are_asked_for() -> None:
    assert not any((PLAIN.refine_cameras, PLAIN.exposure, PLAIN.antialiased))
    assert (PLAIN.holdout, PLAIN.sh_degree) == (8, 3), "as the field compares"
