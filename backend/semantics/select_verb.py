"""The verb `select`: what it can be told."""

from dataclasses import dataclass

from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class SelectOptions:
    """What the verb can be told."""

    prompt: str = option(
        "",
        "what to select: synonyms by comma, several things by semicolon, what is not meant after ' "
        "-'",
    )
    objects: str = option("", "or the objects by their numbers in objects.json, by comma")
    threshold: float = option(
        0.5,
        "how well a splat has to fit the words; from 0.5 on no common noun fits "
        "better, and the fit is better than chance",
        0,
        1,
    )
    rest: bool = option(False, "keep everything but the selection")
    clean: bool = option(
        False,
        "the largest connected part of every object, without floaters and haze; splats that reach "
        "into other objects are cut",
    )
    each: bool = option(
        False, "every object as a PLY of its own, in objects/: those that are named, or all"
    )
    fill: bool = option(
        False, "with --rest: continue the surfaces behind what is left out across the hole"
    )
    capture: str = option(
        "", "for --fill: the capture, whose cameras tell what was hidden (transforms.json)"
    )
    plain: bool = option(True, "leave out everything that a standard 3DGS PLY does not have")
    model: str = option("", "the CLIP model (empty: the one that the splats were segmented with)")


VERB = Verb(
    name="select",
    title="Select Objects",
    options=SelectOptions,
    help="take objects out of segmented splats, or leave them out",
    description=(
        "--input is the folder that `segment` left. --output receives splats.ply, and "
        "selection.json with every object's score;\n"
        "with --each a PLY for every object in objects/ beside them."
    ),
    example=(
        "python -m backend select --input walk-objects --prompt 'chair, stool; lamp' --output "
        "walk-chairs"
    ),
    run="semantics.select_job",
    computes=True,
)
