"""What every verb can be told, with help and bounds: part of the boundary, and read through
protocol.py. Standard library only.
"""

from dataclasses import dataclass, field
from typing import Any, Literal


def option(default: Any, text: str, low: float | None = None, high: float | None = None) -> Any:
    """A dataclass field that carries its help and its bounds; the command line and the checks read
    them.
    """
    return field(default=default, metadata={"help": text, "low": low, "high": high})


@dataclass(frozen=True)
class CamerasOptions:
    """Options of the verb `cameras`. 0 means: as the preset says."""

    frames: int = option(0, "pictures to use at most (0: 60 fast, 120 balanced, 240 best)", 0, 5000)
    max_side: int = option(
        0,
        "longer side of the pictures in pixels (0: 1024 fast, 1600 balanced, 2400 best)",
        0,
        16384,
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
        "", "for FlowMap: a pretrained flow network (RAFT's interface), a TorchScript file"
    )
    depth_model: str = option(
        "", "for FlowMap: a pretrained depth network (MiDaS's interface), a TorchScript file"
    )
    track_model: str = option(
        "", "for FlowMap: a pretrained point tracker (CoTracker's interface), a TorchScript file"
    )
    depth: bool = option(True, "dense depth of every picture, and a dense point cloud")


@dataclass(frozen=True)
class SplatsOptions:
    """Options of the verb `splats`. 0 means: as the preset says."""

    steps: int = option(0, "training steps (0: 2500 fast, 7000 balanced, 20000 best)", 0, 1_000_000)
    max_splats: int = option(
        0, "most Gaussians (0: 30000 fast, 80000 balanced, 200000 best)", 0, 20_000_000
    )
    max_pixels: int = option(
        0,
        "most pixels of a training picture (0: 70000 fast, 130000 balanced, 400000 best)",
        0,
        100_000_000,
    )
    holdout: int = option(8, "every n-th picture is held out to measure quality (0: none)", 0, 1000)
    sh_degree: int = option(3, "degree of the view-dependent colour", 0, 3)
    refine_cameras: bool = option(False, "correct the cameras a little while training")
    exposure: bool = option(
        False, "allow each picture its own exposure and white balance while training"
    )
    antialiased: bool = option(False, "train with the anti-aliasing filter of Mip-Splatting")


@dataclass(frozen=True)
class RenderOptions:
    """Options of the verb `render`."""

    capture: str = option(
        "", "folder whose cameras are rendered (transforms.json); pictures are not needed"
    )
    background: str = option(
        "transparent", "transparent, white, black, or three numbers 0..1 like 0.2,0.2,0.2"
    )
    scale: float = option(1.0, "size of the pictures as a factor", 0.01, 8)
    antialiased: bool = option(
        False, "the anti-aliasing filter of Mip-Splatting; for splats trained with it"
    )
    video: float = option(0.0, "also write video.mp4 at so many frames a second (0: none)", 0, 240)


@dataclass(frozen=True)
class SegmentOptions:
    """Options of the verb `segment`. 0 means: as the preset says."""

    capture: str = option(
        "", "the capture that the splats were trained on (transforms.json and its pictures)"
    )
    model: str = option(
        "",
        "a CLIP model: a folder in open_clip's layout, ARCHITECTURE=FILE, or ARCHITECTURE/TAG "
        "(empty: no words)",
    )
    regions: str = option(
        "",
        "folder of label pictures named like the capture's, as SAM writes them (empty: by shape "
        "and colour)",
    )
    sam: str = option("", "file of a SAM or MobileSAM, which then finds the regions")
    views: int = option(0, "pictures to look at (0: 20 fast, 30 balanced, 60 best)", 0, 1000)
    side: int = option(
        0, "longer side of these pictures in pixels (0: 320 fast, 480 balanced and best)", 0, 4096
    )


@dataclass(frozen=True)
class SelectOptions:
    """Options of the verb `select`."""

    prompt: str = option(
        "",
        "what to select: synonyms by comma, several things by semicolon, what is not meant after ' "
        "-'",
    )
    objects: str = option("", "or the objects by their numbers in objects.json, by comma")
    threshold: float = option(0.5, "how well a splat has to fit the words", 0, 1)
    rest: bool = option(False, "keep everything but the selection")
    plain: bool = option(True, "leave out everything that a standard 3DGS PLY does not have")
    model: str = option("", "the CLIP model (empty: the one that the splats were segmented with)")


@dataclass(frozen=True)
class ModelOptions:
    """Options of the verb `model`."""

    name: Literal["ViT-B-32", "ViT-B-16"] = option(
        "ViT-B-32", "which CLIP model: the quick one, or the finer one for graphics cards"
    )
    agree: bool = option(False, "yes to the download and its licence, which are named without this")


@dataclass(frozen=True)
class SetupOptions:
    """Options of the verb `setup`."""

    packages: Literal["cpu", "cuda"] = option("cpu", "which list of packages to install")
    wheels: str = option("", "a folder of wheels to install from, without internet")


@dataclass(frozen=True)
class SpeechOptions:
    """Options of the verb `speech`."""

    fps: float = option(24.0, "frames a second of the scene that the keys are for", 1, 1000)
    speaker: str = option(
        "", "what `face` learned of a speaker (speaker.safetensors); empty: a universal style"
    )
    transcript: str = option(
        "", "what is said, or a text file with it: lips then close exactly (empty: by ear)"
    )
    sound_model: str = option(
        "",
        "your own wav2vec-like network, a TorchScript file: the one that the speaker was taught "
        "with",
    )
    language: str = option(
        "en-us", "language of the transcript: en-us, de, fr, es, it, pl, ja, … (espeak-ng's codes)"
    )
    intensity: float = option(1.0, "how much the face moves", 0, 3)
    jaw: float = option(1.0, "how far the jaw opens", 0, 3)
    closure: float = option(
        1.0, "how firmly lips close on p, b, m and touch the teeth on f, v", 0, 5
    )
    smoothing: float = option(0.0, "seconds over which motion is smoothed", 0, 1)
    lead: float = option(
        0.0, "milliseconds that the face is ahead of its sound; negative: behind", -1000, 1000
    )
    blinks: float = option(15.0, "blinks a minute", 0, 120)
    sway: float = option(1.0, "how much the head moves with the speech", 0, 5)
    tolerance: float = option(0.01, "how far a curve may be off where keys are left out", 0, 0.2)


@dataclass(frozen=True)
class HeadOptions:
    """Options of the verb `head`."""

    variety: float = option(
        0.0, "how far from the mean face, in standard deviations; the seed says which way", 0, 3
    )


@dataclass(frozen=True)
class FaceOptions:
    """Options of the verb `face`."""

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
    start: float = option(0.0, "where in the video to begin, seconds", 0)
    end: float = option(0.0, "where in the video to stop, seconds (0: its end)", 0)
    teach: bool = option(True, "also learn how this person speaks: speaker.safetensors")
    sound_model: str = option(
        "",
        "your own wav2vec-like network, a TorchScript file (1, samples) -> (1, moments, channels)",
    )
    gaussians: int = option(
        -1,
        "Gaussians of a photoreal head (-1: 10000 fast, 20000 balanced, 50000 best; 0: none)",
        -1,
        500_000,
    )
    smoothing: float = option(0.0, "seconds over which motion is smoothed", 0, 1)
    tolerance: float = option(0.01, "how far a curve may be off where keys are left out", 0, 0.2)


@dataclass(frozen=True)
class TalkOptions:
    """Options of the verb `talk`."""

    motion: str = option(
        "", "motion.npz, as `speech` leaves it (empty: the motion of the footage itself)"
    )
    background: Literal["footage", "plain"] = option(
        "footage", "what is behind the head: the footage, to and fro, or one colour"
    )
    size: int = option(0, "longer side of a plain picture in pixels (0: 512)", 0, 4096)


@dataclass(frozen=True)
class MeshOptions:
    """Options of the verb `mesh`. 0 means: as the preset says."""

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
    faces: int = option(
        0, "most triangles (0: 3000 fast, 5000 balanced, 12000 best); tracked mode", 0, 200_000
    )
    steps: int = option(
        0,
        "steps of the fit (0: 2000 fast, 6000 balanced, 15000 best; free mode 700, 1400, 4000)",
        0,
        1_000_000,
    )
    side: int = option(
        0,
        "longer side of the object in the pictures in pixels (0: 160 fast, 200 balanced, 320 best)",
        0,
        4096,
    )
    texture: int = option(
        0,
        "side of the texture in pixels (0: 256 fast, 512 balanced, 1024 best); tracked mode",
        0,
        4096,
    )
    holdout: int = option(8, "every n-th picture is held out to measure quality (0: none)", 0, 1000)


@dataclass(frozen=True)
class BonesOptions:
    """Options of the verb `bones`."""

    bones: int = option(40, "how many bones may carry the mesh", 1, 1000)


@dataclass(frozen=True)
class RegisterOptions:
    """Options of the verb `register`."""

    faces: int = option(10_000, "most triangles of the mesh that follows the others", 100, 500_000)


Options = (
    CamerasOptions
    | SplatsOptions
    | RenderOptions
    | SegmentOptions
    | SelectOptions
    | SpeechOptions
    | HeadOptions
    | FaceOptions
    | TalkOptions
    | MeshOptions
    | BonesOptions
    | RegisterOptions
    | ModelOptions
    | SetupOptions
)
OPTIONS: dict[str, type[Options]] = {
    "cameras": CamerasOptions,
    "splats": SplatsOptions,
    "render": RenderOptions,
    "segment": SegmentOptions,
    "select": SelectOptions,
    "speech": SpeechOptions,
    "head": HeadOptions,
    "face": FaceOptions,
    "talk": TalkOptions,
    "mesh": MeshOptions,
    "bones": BonesOptions,
    "register": RegisterOptions,
    "model": ModelOptions,
    "setup": SetupOptions,
}
