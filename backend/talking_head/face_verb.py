"""The verb `face`: what it can be told, and its presets."""

from dataclasses import dataclass
from typing import Literal

from ..protocol import Preset
from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class FacePreset:
    """How long speaking is learnt, and how much work a Gaussian head gets."""

    speech_steps: int
    gaussians: int
    side: int  # longer side of the head in the pictures, pixels
    frames: int
    head_steps: int


PRESETS: dict[Preset, FacePreset] = {
    "fast": FacePreset(speech_steps=600, gaussians=10_000, side=256, frames=80, head_steps=500),
    "balanced": FacePreset(
        speech_steps=800, gaussians=20_000, side=320, frames=150, head_steps=1500
    ),
    "best": FacePreset(speech_steps=4000, gaussians=50_000, side=512, frames=400, head_steps=5000),
}


@dataclass(frozen=True, kw_only=True)
class FaceOptions:
    """What the verb can be told."""

    tracker: str = option("", "folder with mediapipe's three networks")
    agree: bool = option(
        False, "yes to fetching these, where that folder lacks them: 36 MB, Apache-2.0"
    )
    rig: str = option(
        "",
        "folder of ICT-FaceKit, FaceXModel, or a file of FLAME (empty: the project's own small "
        "head, which follows less closely)",
    )
    fps: float = option(
        0.0, "frames a second of the scene that the keys are for (0: the video's)", 0, 1000
    )
    more: str = option(
        "",
        "more videos of the same person, from any recording: paths of videos or folders, one a "
        "line or with | between",
    )
    trust_clips: bool = option(
        False, "pool the videos even where a face does not seem to be the first one's"
    )
    start: float = option(0.0, "where in the (first) video to begin, seconds", 0)
    end: float = option(0.0, "where in the (first) video to stop, seconds (0: its end)", 0)
    teach: bool = option(True, "also learn how this person speaks: speaker.safetensors")
    sound_model: str = option(
        "",
        "your own wav2vec-like network, as .onnx: (1, samples) -> (1, moments, channels)",
    )
    channel: Literal["mix", "left", "right"] = option(
        "mix", "which channel of a stereo sound this person speaks on"
    )
    assume_speech: bool = option(False, "learn from the sound even where no speech is heard in it")
    voice_model: str = option(
        "",
        "a network that tells speech from other sounds (Silero VAD's interface), as .onnx; empty: "
        "a measured rule",
    )
    gaussians: int = option(
        -1, "Gaussians of a photoreal head; 0: none", -1, 500_000, auto={"": "gaussians"}
    )
    matting: str = option(
        "",
        "a network that tells people from the background, as .onnx, to cut the person out by; "
        "empty: by the fitted head, colours and what stands still",
    )
    smoothing: float = option(0.0, "seconds over which motion is smoothed", 0, 1)
    tolerance: float = option(
        0.06,
        "how far a curve may be off at most where keys are left out; less, where three keys a "
        "second are enough for it",
        0,
        0.2,
    )


def _fetches(options: FaceOptions) -> str:
    tracker = "the face tracker (36 MB, Apache-2.0) from the Python package index"
    return f"{tracker}, where its folder lacks it" if options.agree else ""


VERB = Verb(
    name="face",
    title="Capture Face",
    options=FaceOptions,
    help="read the motion of a face from a video, and learn how its owner speaks",
    description=(
        "--input is a video of one person who has agreed to it, or a folder of several; --more "
        "names others. One head and one\n"
        "speaker are learned from all of them. --output receives motion.npz and live_link.csv as "
        "`speech` does (of the\n"
        "first video; the others' in folders of their own),\n"
        "head.npz (this person's head, to animate), speaker.safetensors, which `speech --speaker` "
        "takes, and gaussian_head.npz, the\n"
        "person as Gaussians on that head, which `talk` renders and Blender shows."
    ),
    example=(
        "python -m backend face --input talk.mp4 --tracker ~/mediapipe --rig ~/FaceXModel "
        "--output talk-face"
    ),
    run="talking_head.face_job",
    fetches=_fetches,
    computes=True,
    presets=PRESETS,
)
