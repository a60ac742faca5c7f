"""When pictures were taken, and how many there are a second."""

import numpy as np
import pytest

from backend.formats.footage_times import frame_rate, seconds_of


def test_seconds_count_from_the_earliest_picture() -> None:
    found = seconds_of([3.5, 2.0, 4.0])
    assert found is not None
    np.testing.assert_allclose(found, [1.5, 0.0, 2.0])
    assert seconds_of([1.0, None]) is None
    assert seconds_of([None, None]) is None
    assert seconds_of([]) is None


def test_shares_of_a_clip_become_seconds() -> None:
    """As D-NeRF writes them: 101 pictures from 0 to 1."""
    found = seconds_of(list(np.linspace(0, 1, 101)))
    assert found is not None and found[-1] == pytest.approx(100 / 24)
    filmed = seconds_of(list(np.linspace(0, 1, 121)), told=120.0)
    assert filmed is not None and filmed[-1] == 1.0, "a fast camera that tells its rate"
    short = seconds_of([0.0, 0.5, 1.0])
    assert short is not None and short[-1] == 1.0


@pytest.mark.parametrize("rate", [24.0, 24000 / 1001, 25.0, 30000 / 1001, 30.0, 50.0, 60.0])
def test_a_gap_does_not_change_the_rate(rate: float) -> None:
    numbers = np.array([0, 1, 2, 5, 6, 90, 91, 97])
    assert frame_rate(numbers / rate, rate) == rate
    assert frame_rate(numbers / rate) == pytest.approx(rate)


@pytest.mark.parametrize("rate", [0.5, 7.0, 10.0, 29.97, 200.0])
def test_even_steps_are_the_rate(rate: float) -> None:
    assert frame_rate(np.arange(20) / rate) == pytest.approx(rate)


def test_times_without_a_grid_have_their_usual_step() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.03, 0.05, 50))
    assert 1 / 0.05 < frame_rate(times) < 1 / 0.03
    assert frame_rate(np.zeros(3)) == 0.0
    assert frame_rate(np.array([0.0])) == 0.0


def test_rates_that_can_not_be_are_not_believed() -> None:
    seconds = np.arange(5) / 24
    for told in (-1.0, 0.0, 1e9, float("inf"), float("nan")):
        assert frame_rate(seconds, told) == pytest.approx(24.0)
