"""Pictures that are held out of a reconstruction, to measure it by: one rule for every verb."""

from typing import Any

from ..verb import option


def holdout_option() -> Any:
    """The option `holdout` of a verb."""
    return option(8, "every n-th picture is held out to measure quality (0: none)", 0, 1000)
