"""The verb `shapes`: what it can be told."""

from dataclasses import dataclass

from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class ShapesOptions:
    """What the verb can be told."""

    rig: str = option(
        "",
        "whose shapes: the folder of ICT-FaceKit, FaceXModel (empty: the project's own small head)",
    )
    only_landmarks: bool = option(False, "only say where the landmarks of the face lie")


VERB = Verb(
    name="shapes",
    title="Add ARKit Shapes",
    options=ShapesOptions,
    help="give the head of any character ARKit's 52 shapes",
    description=(
        "--input is a character.npz, which Blender's side writes: meshes, and landmarks where an "
        "artist has marked some. --output\n"
        "receives shape_keys.npz, and shapes.png to look at."
    ),
    example="python -m backend shapes --input character.npz --output character-shapes",
    run="talking_head.shapes_job",
)
