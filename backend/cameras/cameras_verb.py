"""The verb `cameras`: what it can be told, and its presets."""

from dataclasses import dataclass
from typing import Literal

from ..protocol import Preset
from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class CamerasPreset:
    """How much of the footage is looked at, and how closely."""

    frames: int
    max_side: int  # pixels
    features: int  # of a picture, for COLMAP's matcher
    depth_side: int  # pixels
    depth_neighbors: int  # pictures that a depth map is measured against
    depth_points: int  # of the dense cloud, at most


PRESETS: dict[Preset, CamerasPreset] = {
    "fast": CamerasPreset(
        frames=60,
        max_side=1024,
        features=2048,
        depth_side=256,
        depth_neighbors=4,
        depth_points=60_000,
    ),
    "balanced": CamerasPreset(
        frames=120,
        max_side=1600,
        features=4096,
        depth_side=320,
        depth_neighbors=4,
        depth_points=150_000,
    ),
    "best": CamerasPreset(
        frames=240,
        max_side=2400,
        features=8192,
        depth_side=480,
        depth_neighbors=6,
        depth_points=400_000,
    ),
}


@dataclass(frozen=True, kw_only=True)
class CamerasOptions:
    """What the verb can be told. 0 means Auto: what the preset says."""

    frames: int = option(0, "pictures to use at most", 0, 5000, auto={"": "frames"})
    max_side: int = option(
        0, "longer side of the pictures in pixels", 0, 16384, auto={"": "max_side"}
    )
    start: float = option(0.0, "where in the video to begin, seconds", 0)
    end: float = option(0.0, "where in the video to stop, seconds (0: its end)", 0)
    focal_mm: float = option(
        0.0,
        "focal length for a 36 mm wide sensor, if you know it (0: from EXIF, or solved)",
        0,
        10_000,
    )
    poses: str = option(
        "",
        "cameras of the footage's frames, already solved: a JSON file as Blender's side writes it",
    )
    lock_focal: bool = option(
        False, "keep the focal length that is given, whatever the pictures say"
    )
    masks: str = option(
        "", "folder of masks named like the pictures: black is left out (moving things, the sky)"
    )
    solver: Literal["auto", "incremental", "global", "straight", "flowmap"] = option(
        "auto",
        "auto lets several agree; or COLMAP's incremental or global mapper, straight paths, or "
        "FlowMap, alone",
    )
    flow_model: str = option(
        "", "for FlowMap: a pretrained flow network (RAFT's interface), as .onnx"
    )
    depth_model: str = option(
        "",
        "for FlowMap: a network of relative depth (Depth Anything, MiDaS), as .onnx, or its folder",
    )
    track_model: str = option(
        "", "for FlowMap: a pretrained point tracker (CoTracker's interface), as .onnx"
    )
    depth: bool = option(True, "dense depth of every picture, and a dense point cloud")


VERB = Verb(
    name="cameras",
    title="Solve Cameras",
    options=CamerasOptions,
    help="find the cameras of a video or of photos, or read someone else's solve",
    description=(
        "--input is a video file, a folder of photos, a COLMAP folder, a transforms.json "
        "(nerfstudio, instant-ngp) or a\n"
        "folder that holds one. --output receives a capture: transforms.json, images/, "
        "points3D.ply, sparse/0."
    ),
    example="python -m backend cameras --input walk.mp4 --output walk-capture --preset fast",
    run="cameras.cameras_job",
    presets=PRESETS,
    estimates={"fast": "under a minute", "balanced": "1 to 3 minutes", "best": "3 to 10 minutes"},
)
