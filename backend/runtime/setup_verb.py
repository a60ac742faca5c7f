"""The verb `setup`: what it can be told."""

from dataclasses import dataclass
from typing import Literal

from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class SetupOptions:
    """What the verb can be told."""

    packages: Literal["cpu", "cuda"] = option("cpu", "which list of packages to install")
    wheels: str = option("", "a folder of wheels to install from, without internet")


def _fetches(options: SetupOptions) -> str:
    return "" if options.wheels else "the compute packages from the Python package index"


VERB = Verb(
    name="setup",
    title="Set Up Computing",
    options=SetupOptions,
    help="make a Python environment with everything that the other verbs need",
    description=(
        "--input is the folder to make it in; run this with the Python (3.11 to 3.13) that it "
        "should be made from.\n"
        "--output receives the record of it. Blender's Set Up button does the same."
    ),
    example="python -m backend setup --input ~/splatsmith-env --output ~/splatsmith-env-record",
    run="runtime.environment",
    reads_input=False,
    fetches=_fetches,
)
