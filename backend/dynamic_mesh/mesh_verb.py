"""The verb `mesh`: what it can be told, and its presets."""

from dataclasses import dataclass
from typing import Literal

from ..media.holdout import holdout_option
from ..protocol import Preset
from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class MeshPreset:
    """How large everything is, and how many steps there are."""

    side: int  # longer side of the object in the pictures, pixels
    texture: int  # side in pixels
    faces: int
    steps: int  # of the tracked fit
    nodes: int
    template_steps: int
    template_gaussians: int
    template_resolution: int  # cells along the box
    free_steps: int
    free_steps_cuda: int
    free_gaussians: int
    free_cells: int  # along the box
    free_blur: float  # of the Poisson field, in cells


PRESETS: dict[Preset, MeshPreset] = {
    "fast": MeshPreset(
        side=160, texture=256, faces=3000, steps=2000, nodes=80,
        template_steps=1000, template_gaussians=6000, template_resolution=80,
        free_steps=700, free_steps_cuda=700, free_gaussians=4000, free_cells=48, free_blur=0.8,
    ),
    "balanced": MeshPreset(
        side=200, texture=512, faces=5000, steps=6000, nodes=80,
        template_steps=1500, template_gaussians=6000, template_resolution=80,
        free_steps=1400, free_steps_cuda=1400, free_gaussians=6000, free_cells=64, free_blur=1.0,
    ),
    "best": MeshPreset(
        side=320, texture=1024, faces=12_000, steps=15_000, nodes=120,
        template_steps=3000, template_gaussians=12_000, template_resolution=112,
        free_steps=4000, free_steps_cuda=25_000, free_gaussians=12_000, free_cells=96,
        free_blur=1.2,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MeshOptions:
    """What the verb can be told. 0 means Auto: what the preset says."""

    mode: Literal["tracked", "free"] = option(
        "tracked",
        "tracked: one mesh that moves; free: a new mesh in every frame, as DG-Mesh was published, "
        "for things that part and merge",
    )
    masks: str = option(
        "",
        "folder of masks named like the pictures, for all or a few of them: white is the object; "
        "or splats of it, a PLY (empty: "
        "transparency, or what moves by itself)",
    )
    fps: float = option(
        0.0,
        "pictures a second, for captures that do not tell their pictures' time (0: as the capture "
        "says)",
        0,
        1000,
    )
    faces: int = option(0, "most triangles; tracked mode", 0, 200_000, auto={"": "faces"})
    steps: int = option(
        0,
        "steps of the fit",
        0,
        1_000_000,
        auto={"": "steps", "free mode": "free_steps", "free mode on CUDA": "free_steps_cuda"},
    )
    side: int = option(
        0, "longer side of the object in the pictures in pixels", 0, 4096, auto={"": "side"}
    )
    texture: int = option(
        0, "side of the texture in pixels; tracked mode", 0, 4096, auto={"": "texture"}
    )
    holdout: int = holdout_option()


VERB = Verb(
    name="mesh",
    title="Reconstruct Mesh",
    options=MeshOptions,
    help="reconstruct a moving object as one animated mesh whose vertices keep their identity",
    description=(
        "--input is a capture whose pictures have a time, as `cameras` leaves it of a video, or "
        "D-NeRF's transforms_train.json.\n"
        "--output receives mesh.npz (places, nodes, weights) and texture.png, or with --mode free "
        "mesh_frames.npz (a mesh a frame,\n"
        "tied by ids); object.png, what was taken for the object; and heldout.png (photo beside "
        "render)."
    ),
    example="python -m backend mesh --input walk-capture --masks walk-masks --output walk-mesh",
    run="dynamic_mesh.mesh_job",
    computes=True,
    presets=PRESETS,
    estimates={
        "fast": "a minute or two",
        "balanced": "about 5 minutes",
        "best": "15 to 30 minutes",
    },
)
