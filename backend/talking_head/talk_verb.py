"""The verb `talk`: what it can be told."""

from dataclasses import dataclass
from typing import Literal

from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class TalkOptions:
    """What the verb can be told."""

    motion: str = option(
        "", "motion.npz, as `speech` leaves it (empty: the motion of the footage itself)"
    )
    background: Literal["footage", "plain", "transparent"] = option(
        "footage",
        "what is behind the person: the footage, to and fro; one colour; or nothing, as pictures "
        "with alpha in `frames` beside the video",
    )
    picture: str = option("", "a picture to put behind the person instead")
    size: int = option(0, "longer side of a picture without footage, in pixels (0: 512)", 0, 4096)
    camera: str = option(
        "",
        "transforms.json with one camera a frame, in Blender's axes and metres around the head's "
        "origin; without footage behind",
    )
    yaw: float = option(
        0.0, "degrees to the person's left from which the head is seen, without footage", -180, 180
    )
    pitch: float = option(0.0, "degrees from above", -80, 80)
    turn: float = option(0.0, "a turntable: degrees a second by which the yaw goes on", -360, 360)
    head_motion: bool = option(True, "the head turns as the motion says, without footage")
    invented: float = option(
        1.0, "how much is shown of what the footage never showed, without it", 0, 1
    )


VERB = Verb(
    name="talk",
    title="Render Talking Head",
    options=TalkOptions,
    help="render a Gaussian head that speaks, as a video with sound that is marked as synthetic",
    description=(
        "--input is the folder that `face` has left, --motion what `speech` has made of a sound. "
        "--output receives talk.mp4."
    ),
    example=(
        "python -m backend talk --input talk-face --motion line-speech/motion.npz --output "
        "line-video"
    ),
    run="talking_head.talk_job",
    computes=True,
)
