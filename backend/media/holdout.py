"""Pictures that are held out of a reconstruction, to measure it by: one rule for every verb.
Standard library only, for verbs say so before their work is loaded.
"""

from typing import Any

from ..protocol import InputError
from ..verb import option


def holdout_option() -> Any:
    """The option `holdout` of a verb."""
    return option(8, "every n-th picture is held out to measure quality (0: none)", 0, 1000)


def check_holdout(every: int) -> None:
    """Raises InputError for 1, which would leave nothing to learn from."""
    if every == 1:
        raise InputError(
            "With so many pictures held out nothing is left to learn from.",
            "Hold out fewer (--holdout 8), or none (0).",
        )


def held_out(count: int, every: int) -> list[int]:
    """Indices of the pictures, in the order of time, that nothing may be learnt from.

    One of each group of `every`, its middle one, and never the first or the last: beyond the ends
    of a clip or a camera's path nothing can be known. (3DGS and its kin take the first of each
    eight; that makes one picture in a set an extrapolation.)

    Args:
        count: pictures that there are.
        every: 0 holds out none; fewer pictures than this, none either.

    Raises:
        InputError: as check_holdout.
    """
    check_holdout(every)
    if not every or count < every:
        return []
    return [i for i in range(1, count - 1) if i % every == every // 2]
