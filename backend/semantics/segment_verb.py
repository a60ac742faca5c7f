"""The verb `segment`: what it can be told, and its presets."""

from dataclasses import dataclass

from ..protocol import Preset
from ..verb import Verb, option


@dataclass(frozen=True, kw_only=True)
class SegmentPreset:
    """How many pictures are looked at, and how large they are."""

    views: int  # photographs and, where there are fewer, drawings between them
    side: int  # pixels


PRESETS: dict[Preset, SegmentPreset] = {
    "fast": SegmentPreset(views=20, side=320),
    "balanced": SegmentPreset(views=30, side=480),
    "best": SegmentPreset(views=60, side=480),
}


@dataclass(frozen=True, kw_only=True)
class SegmentOptions:
    """What the verb can be told. 0 means Auto: what the preset says."""

    capture: str = option(
        "", "the capture that the splats were trained on (transforms.json and its pictures)"
    )
    model: str = option(
        "",
        "a CLIP model: a folder in open_clip's layout or with two ONNX encoders, "
        "ARCHITECTURE=FILE, or ARCHITECTURE/TAG (empty: no words)",
    )
    regions: str = option(
        "",
        "folder of label pictures named like the capture's, as SAM writes them (empty: by shape "
        "and colour)",
    )
    sam: str = option(
        "",
        "folder with encoder and decoder of a SAM, such as MobileSAM, as .onnx: finds the regions",
    )
    segmenter: str = option(
        "",
        "a network of semantic segmentation, such as DeepLabV3, as .onnx, or its folder: finds the "
        "regions",
    )
    views: int = option(0, "pictures to look at ", 0, 1000, auto={"": "views"})
    side: int = option(0, "longer side of these pictures in pixels ", 0, 4096, auto={"": "side"})


VERB = Verb(
    name="segment",
    title="Find Objects",
    options=SegmentOptions,
    help="find the objects in trained splats",
    description=(
        "--input is a 3DGS PLY file. --output receives splats.ply with an object_id for every "
        "splat, objects.json, and\n"
        "semantics.npz, which holds what a CLIP model saw in each object if one is given "
        "(--model)."
    ),
    example=(
        "python -m backend segment --input walk-splats/splats.ply --capture walk-capture --output "
        "walk-objects"
    ),
    run="semantics.segment_job",
    computes=True,
    presets=PRESETS,
)
