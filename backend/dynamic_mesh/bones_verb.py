"""The verb `bones`: what it can be told."""

from dataclasses import dataclass

from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class BonesOptions:
    """What the verb can be told."""

    bones: int = option(40, "how many bones may carry the mesh", 1, 1000)


VERB = Verb(
    name="bones",
    title="Find Bones",
    options=BonesOptions,
    help="find bones and weights for a mesh sequence that has none",
    description=(
        "--input is a mesh.npz. --output receives mesh.npz with bones, which game engines play: "
        "tiny, and close to what was there."
    ),
    example="python -m backend bones --input cloth/mesh.npz --bones 60 --output cloth-bones",
    run="dynamic_mesh.bones_job",
)
