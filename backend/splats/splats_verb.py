"""The verb `splats`: what it can be told, and its presets."""

from dataclasses import dataclass
from typing import Literal

from ..media.holdout import holdout_option
from ..protocol import Preset
from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class SplatsPreset:
    """How long is trained, how many Gaussians, on pictures how large."""

    steps: int
    max_splats: int
    max_pixels: int


PRESETS: dict[Preset, SplatsPreset] = {
    "fast": SplatsPreset(steps=2500, max_splats=30_000, max_pixels=70_000),
    "balanced": SplatsPreset(steps=7000, max_splats=80_000, max_pixels=130_000),
    "best": SplatsPreset(steps=20_000, max_splats=200_000, max_pixels=400_000),
}


@dataclass(frozen=True, kw_only=True)
class SplatsOptions:
    """What the verb can be told. 0 means Auto: what the preset says."""

    steps: int = option(0, "training steps ", 0, 1_000_000, auto={"": "steps"})
    max_splats: int = option(0, "most Gaussians ", 0, 20_000_000, auto={"": "max_splats"})
    max_pixels: int = option(
        0, "most pixels of a training picture ", 0, 100_000_000, auto={"": "max_pixels"}
    )
    holdout: int = holdout_option()
    beyond: bool = option(
        False,
        "hold out a fifth of the pictures too, all at one end of the path, to measure how right "
        "splats are beyond the cameras",
    )
    sh_degree: int = option(3, "degree of the view-dependent colour", 0, 3)
    refine_cameras: bool = option(False, "correct the cameras a little while training")
    exposure: bool = option(
        False,
        "allow each picture its own exposure and white balance while training; done unasked where "
        "the brightness of the same places differs from picture to picture",
    )
    blend: Literal["srgb", "linear"] = option(
        "srgb",
        "the light in which splats are laid over each other: srgb as every splat viewer does it, "
        "linear as Blender 5.3 does in EEVEE and Cycles; linear trains antialiased too",
    )
    antialiased: bool = option(False, "train with the anti-aliasing filter of Mip-Splatting")


VERB = Verb(
    name="splats",
    title="Train Splats",
    options=SplatsOptions,
    help="train Gaussian splats on a capture",
    description=(
        "--input is a capture: a folder with transforms.json and images/, as the verb `cameras` "
        "leaves it.\n"
        "--output receives splats.ply, heldout.png (photo beside render) and curve.json. A run "
        "that was stopped goes on\n"
        "from its checkpoint when the same command is given again."
    ),
    example="python -m backend splats --input walk-capture --output walk-splats --preset balanced",
    run="splats.splats_job",
    computes=True,
    presets=PRESETS,
    estimates={
        "fast": "about a minute",
        "balanced": "about 5 minutes",
        "best": "about an hour, minutes on CUDA",
    },
)
