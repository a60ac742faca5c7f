"""The verb `head`: what it can be told."""

from dataclasses import dataclass

from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class HeadOptions:
    """What the verb can be told."""

    variety: float = option(
        0.0, "how far from the mean face, in standard deviations; the seed says which way", 0, 3
    )


VERB = Verb(
    name="head",
    title="Add Head",
    options=HeadOptions,
    help="make a head with ARKit's 52 shapes, to animate",
    description=(
        "--input is `small` for the project's own, the folder FaceXModel of ICT-FaceKit, or a "
        "file of FLAME.\n"
        "--output receives head.npz, which Blender's side reads, and head.png."
    ),
    example="python -m backend head --input small --output my-head",
    run="talking_head.head_job",
)
