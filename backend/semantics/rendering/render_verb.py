"""The verb `render`: what it can be told."""

from dataclasses import dataclass

from ...verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class RenderOptions:
    """What the verb can be told."""

    capture: str = option(
        "", "folder whose cameras are rendered (transforms.json); pictures are not needed"
    )
    background: str = option(
        "transparent", "transparent, white, black, or three numbers 0..1 like 0.2,0.2,0.2"
    )
    scale: float = option(1.0, "size of the pictures as a factor", 0.01, 8)
    antialiased: bool = option(
        False,
        "the anti-aliasing filter of Mip-Splatting; files of ours that were trained with it say so "
        "themselves",
    )
    objects: bool = option(False, "every object in its colour")
    heat: str = option(
        "", "words: how well the splats fit them, from blue to red (write them as for select)"
    )
    heat_of: str = option(
        "",
        "or the property of the PLY that holds how well they fit, 0 to 1 (fit, as Blender "
        "writes it)",
    )
    labels: bool = option(
        False,
        "also label pictures of 16 bits (labels/, 0: no object, else its number + 1) and a mask "
        "for every object (masks/)",
    )
    model: str = option(
        "", "for --heat: the CLIP model (empty: the one that the splats were segmented with)"
    )
    video: float = option(0.0, "also write video.mp4 at so many frames a second (0: none)", 0, 240)


VERB = Verb(
    name="render",
    title="Render Splats",
    options=RenderOptions,
    help="render splats through the cameras of a capture",
    description=(
        "--input is a 3DGS PLY file, or the folder that `segment` left. --output receives one PNG "
        "a camera, in the capture's\norder, and video.mp4, labels/ and masks/ if asked."
    ),
    example=(
        "python -m backend render --input walk-splats/splats.ply --capture walk-capture --output "
        "frames"
    ),
    run="semantics.rendering.render_job",
    computes=True,
)
