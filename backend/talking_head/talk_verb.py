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
    background: Literal["footage", "plain"] = option(
        "footage", "what is behind the head: the footage, to and fro, or one colour"
    )
    size: int = option(0, "longer side of a plain picture in pixels (0: 512)", 0, 4096)


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
