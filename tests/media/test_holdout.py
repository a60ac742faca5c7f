"""Which pictures are held out: the same ones for every verb."""

import pytest

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
