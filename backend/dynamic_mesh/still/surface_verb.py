"""The verb `surface`: what it can be told, and its presets."""

from dataclasses import dataclass
from typing import Literal

from ...protocol import Preset
from ...verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class SurfacePreset:
    """How fine everything is."""

    detail: int  # cells along the longest side
    faces: int
    texture: int  # side in pixels
    views: int
    side: int  # of a view's longer side, pixels


PRESETS: dict[Preset, SurfacePreset] = {
    "fast": SurfacePreset(detail=128, faces=10_000, texture=512, views=32, side=400),
    "balanced": SurfacePreset(detail=224, faces=30_000, texture=1024, views=60, side=640),
    "best": SurfacePreset(detail=352, faces=100_000, texture=2048, views=100, side=960),
}


@dataclass(frozen=True, kw_only=True)
class SurfaceOptions:
    """What the verb can be told. 0 means Auto: what the preset says."""

    capture: str = option(
        "",
        "folder of the capture that the splats were trained on: its cameras look at them "
        "(empty: cameras all around, which is right for one object)",
    )
    closed: bool = option(
        False, "close it: what no camera has seen to be empty is taken to be solid"
    )
    paint: Literal["splats", "photos"] = option(
        "splats", "what the texture is painted from: the splats, or the capture's pictures"
    )
    detail: int = option(0, "cells along the longest side", 0, 1024, auto={"": "detail"})
    faces: int = option(0, "most triangles", 0, 2_000_000, auto={"": "faces"})
    texture: int = option(0, "side of the texture in pixels", 0, 8192, auto={"": "texture"})
    views: int = option(0, "most cameras that look at the splats", 0, 1000, auto={"": "views"})


VERB = Verb(
    name="surface",
    title="Splats to Mesh",
    options=SurfaceOptions,
    help="turn splats into a textured mesh that stands still",
    description=(
        "--input is a splat file, or a folder with splats.ply: of one object, or of a scene. "
        "Splats that are marked as surroundings are left out.\n"
        "--output receives mesh.obj with mesh.mtl and texture.png, mesh.npz (the same for "
        "Blender), and preview.png (splats beside mesh)."
    ),
    example="python -m backend surface --input fox.ply --capture walk-capture --output fox-mesh",
    run="dynamic_mesh.still.surface_job",
    computes=True,
    presets=PRESETS,
    estimates={
        "fast": "under a minute",
        "balanced": "a few minutes",
        "best": "10 to 20 minutes",
    },
)
