"""The verb `render`: what it can be told."""

from dataclasses import dataclass

from ..verb import Verb, option


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
    video: float = option(0.0, "also write video.mp4 at so many frames a second (0: none)", 0, 240)


VERB = Verb(
    name="render",
    title="Render Splats",
    options=RenderOptions,
    help="render splats through the cameras of a capture",
    description=(
        "--input is a 3DGS PLY file. --output receives one PNG a camera, in the capture's order, "
        "and video.mp4 if asked."
    ),
    example=(
        "python -m backend render --input walk-splats/splats.ply --capture walk-capture --output "
        "frames"
    ),
    run="splats.render_job",
    computes=True,
)
