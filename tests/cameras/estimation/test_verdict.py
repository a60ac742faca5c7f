"""The verdict: every doubt on its own is heard, and a solve without any is called solved."""

from dataclasses import replace
from typing import Any

import pytest

from backend.cameras.estimation.verdict import SolveEvidence, VerdictConfig, in_words, judge

GOOD = SolveEvidence(
    placed=1.0,
    inliers=0.95,
    held_out_px=0.25,
    focal_sigma=0.004,
    drift_sigma=0.001,
    field_of_view=58.0,
    second_opinion="FlowMap",
    apart=0.001,
    focal_apart=0.004,
    mirror=3.0,
    expected_focal=1.0,
)


def test_no_doubt_is_solved() -> None:
    verdict = judge(GOOD, "moving", VerdictConfig())
    assert (verdict.level, verdict.reasons, in_words(verdict)) == ("solved", (), "solved")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"placed": 0.7}, "70%"),
        ({"inliers": 0.5}, "own way"),
        ({"held_out_px": 1.2}, "rigid"),
        ({"focal_sigma": 0.1}, "focal length is known to 10%"),
        ({"drift_sigma": 0.03}, "positions"),
        ({"mirror": 1.02}, "swapped"),
        ({"field_of_view": 170.0}, "implausible"),
        ({"field_of_view": 1.0}, "implausible"),
        ({"expected_focal": 1.4}, "expected"),
        ({"second_opinion": ""}, "confirm"),
        ({"apart": 0.05}, "elsewhere"),
        ({"focal_apart": 0.2}, "another focal length"),
    ],
)
def test_each_doubt_makes_it_weak_and_is_named_with_advice(change: dict, word: str) -> None:
    verdict = judge(replace(GOOD, **change), "moving", VerdictConfig())
    assert verdict.level == "weak"
    assert word in verdict.reasons[0] and verdict.advice[0]
    assert word in in_words(verdict)


@pytest.mark.parametrize(
    "change",
    [
        {"inliers": 0.1},
        {"held_out_px": 9.0},
        {"held_out_px": float("nan")},
        {"focal_sigma": float("inf")},
        {"focal_sigma": float("nan")},
    ],
)
def test_what_explains_nothing_has_failed(change: dict) -> None:
    assert judge(replace(GOOD, **change), "moving", VerdictConfig()).level == "failed"


def test_turning_cameras_need_no_parallax_and_say_so() -> None:
    verdict = judge(
        replace(GOOD, second_opinion="", apart=float("inf"), drift_sigma=0.0),
        "turning",
        VerdictConfig(),
    )
    assert verdict.level == "solved" and "no depth" in in_words(verdict)


def test_photos_that_only_colmap_can_solve_may_stand_alone() -> None:
    photos = replace(GOOD, second_opinion="COLMAP global", apart=0.08, confirmable=False)
    assert judge(photos, "moving", VerdictConfig()).level == "solved"
    assert judge(replace(photos, confirmable=True), "moving", VerdictConfig()).level == "weak"
    doubts: tuple[dict[str, Any], ...] = (
        {"inliers": 0.8},
        {"held_out_px": 0.5},
        {"focal_sigma": 0.02},
        {"drift_sigma": 0.004},
    )
    for doubt in doubts:
        assert judge(replace(photos, **doubt), "moving", VerdictConfig()).level == "weak"


def test_who_explains_the_pictures_far_worse_is_outvoted_by_a_firm_solve_only() -> None:
    elsewhere, config = replace(GOOD, apart=0.05, cross_check_error=1.8), VerdictConfig()
    assert judge(elsewhere, "moving", config).level == "solved"
    changes: tuple[dict[str, Any], ...] = (
        {"cross_check_error": 1.2},
        {"focal_sigma": 0.035},
        {"drift_sigma": 0.006},
        {"inliers": 0.8},
        {"mirror": 1.1},
        {"held_out_px": 0.5},
    )
    for change in changes:
        assert judge(replace(elsewhere, **change), "moving", config).level == "weak", change


def test_json_has_no_infinities() -> None:
    text = judge(
        replace(GOOD, mirror=float("inf"), focal_sigma=float("nan")), "moving", VerdictConfig()
    ).as_json()
    assert text["evidence"]["mirror"] is None and text["evidence"]["focal_sigma"] is None
