"""Pictures that are held out of a reconstruction, to measure it by: one rule for every verb."""

from typing import TYPE_CHECKING, Any

from ..protocol import InputError
from ..verb import option

if TYPE_CHECKING:  # the verbs' records read this file, and load no package
    from ..geometry.arrays import Doubles


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


def beyond(places: "Doubles", share: float = 0.2) -> list[int]:
    """Indices of the cameras at one end of where pictures were taken: the one farthest from their
    middle (N, 3), and those nearest to it, `share` of all. Held out together, they tell what
    every n-th picture can't: how right a scene is where the path did not lead.
    """
    import numpy as np

    count = round(share * len(places))
    outermost = places[int(np.linalg.norm(places - places.mean(0), axis=1).argmax())]
    nearest = np.linalg.norm(places - outermost, axis=1).argsort(kind="stable")
    return sorted(nearest[:count].tolist())
