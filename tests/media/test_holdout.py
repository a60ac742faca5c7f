"""Which pictures are held out: the same ones for every verb."""

import numpy as np
import pytest

from backend.media.beyond import beyond
from backend.media.holdout import held_out
from backend.protocol import InputError
from backend.verbs import VERBS


def test_the_middle_of_every_group_and_never_an_end() -> None:
    assert held_out(20, 8) == [4, 12]
    assert held_out(6, 3) == [1, 4]
    assert held_out(5, 2) == [1, 3]


def test_none_where_none_are_wanted_or_there_are_too_few() -> None:
    assert held_out(20, 0) == []
    assert held_out(5, 8) == []
    assert held_out(2, 2) == []


def test_everything_held_out_is_refused() -> None:
    with pytest.raises(InputError, match="nothing is left"):
        held_out(20, 1)


def test_the_option_says_the_same_everywhere() -> None:
    texts = {VERBS[name].option_help("holdout") for name in ("splats", "mesh")}
    assert len(texts) == 1


def test_beyond_is_one_end_of_the_path() -> None:
    path = np.stack([np.linspace(0, 10, 20) ** 1.2, np.zeros(20), np.zeros(20)], 1)
    assert beyond(path) == [16, 17, 18, 19]
    shuffled = np.random.default_rng(0).permutation(20)
    assert {int(shuffled[i]) for i in beyond(path[shuffled])} == {16, 17, 18, 19}
    assert beyond(path, 0.5) == list(range(10, 20)) and beyond(path[:2]) == []


def test_beyond_is_an_arc_of_a_ring_and_a_cap_of_a_ball() -> None:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    found = ring[beyond(ring)]
    assert len(found) == 8 and np.linalg.norm(found.mean(0)) > 0.9
