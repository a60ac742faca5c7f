"""The boundary between Blender and the compute process: requests, options, events, errors.

Standard library only: the add-on imports this file inside Blender. A job is one child process and one folder:

    request.json   what was asked for (Request)
    state.json     how it stands (JobState), written atomically
    log.txt        everything that any library printed
    checkpoint/    enough to go on after a kill
    result/        the files of a finished job; result/manifest.json is written last, and only then is there a result

The child speaks JSON, one object a line, on its standard output (Event); it takes one message on its standard input,
{"type": "cancel"}, and ends when that pipe closes, because then its parent is gone. A stream that ends without
`result`, `error` or `cancelled` is a crash.
"""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args, get_origin

PROTOCOL = 1
VERSION = "0.1.0"
MAX_LINE = 64 * 1024

Preset = Literal["fast", "balanced", "best"]
Device = Literal["auto", "cpu", "cuda"]


# ---------------------------------------------------------------------------------------------------- errors
class SplatsmithError(Exception):
    """Something a person can understand: `what` happened, and what to do about it (`advice`)."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.what, self.advice = what, advice


class InputError(SplatsmithError):
    """What was handed in can't be used: a file, a folder, a value."""

    code = "INPUT"


class SolveError(SplatsmithError):
    """The footage was read, but no cameras could be found from it."""

    code = "SOLVE"


class SetupError(SplatsmithError):
    """A package, a device or the compute environment is missing or broken."""

    code = "SETUP"


class OutOfMemory(SplatsmithError):
    """Main or video memory ran out."""

    code = "MEMORY"


class DiskError(SplatsmithError):
    """A file could not be written."""

    code = "DISK"


class BusyError(SplatsmithError):
    """Another process works in this folder."""

    code = "BUSY"


class JobCancelled(SplatsmithError):
    """The user stopped the job. What it had reached is kept."""

    code = "CANCELLED"


class CrashError(SplatsmithError):
    """The compute process ended without a word."""

    code = "CRASH"


# ---------------------------------------------------------------------------------------------------- options
def option(default: Any, text: str, low: float | None = None, high: float | None = None) -> Any:
    """A dataclass field that carries its help and its bounds; the command line and the checks read them."""
    return field(default=default, metadata={"help": text, "low": low, "high": high})


@dataclass(frozen=True)
class CamerasOptions:
    """Options of the verb `cameras`. 0 means: as the preset says."""

    frames: int = option(0, "pictures to use at most (0: 60 fast, 120 balanced, 240 best)", 0, 5000)
    max_side: int = option(0, "longer side of the pictures in pixels (0: 1024 fast, 1600 balanced, 2400 best)", 0, 16384)
    start: float = option(0.0, "where in the video to begin, seconds", 0)
    end: float = option(0.0, "where in the video to stop, seconds (0: its end)", 0)
    focal_mm: float = option(0.0, "focal length for a 36 mm wide sensor, if you know it (0: from EXIF, or solved)", 0, 10_000)
    poses: str = option("", "cameras of the footage's frames, already solved: a JSON file as Blender's side writes it")
    lock_focal: bool = option(False, "keep the focal length that is given, whatever the pictures say")
    masks: str = option("", "folder of masks named like the pictures: black is left out (moving things, the sky)")
    solver: Literal["auto", "incremental", "global", "straight", "flowmap"] = option(
        "auto", "auto lets several agree; or COLMAP's incremental or global mapper, straight paths, or FlowMap, alone"
    )
    flow_model: str = option("", "for FlowMap: a pretrained flow network (RAFT's interface), a TorchScript file")
    depth_model: str = option("", "for FlowMap: a pretrained depth network (MiDaS's interface), a TorchScript file")
    track_model: str = option("", "for FlowMap: a pretrained point tracker (CoTracker's interface), a TorchScript file")
    depth: bool = option(True, "dense depth of every picture, and a dense point cloud")


@dataclass(frozen=True)
class SplatsOptions:
    """Options of the verb `splats`. 0 means: as the preset says."""

    steps: int = option(0, "training steps (0: 2500 fast, 7000 balanced, 20000 best)", 0, 1_000_000)
    max_splats: int = option(0, "most Gaussians (0: 30000 fast, 80000 balanced, 200000 best)", 0, 20_000_000)
    max_pixels: int = option(0, "most pixels of a training picture (0: 70000 fast, 130000 balanced, 400000 best)", 0, 100_000_000)
    holdout: int = option(8, "every n-th picture is held out to measure quality (0: none)", 0, 1000)
    sh_degree: int = option(3, "degree of the view-dependent colour", 0, 3)
    refine_cameras: bool = option(False, "correct the cameras a little while training")
    exposure: bool = option(False, "allow each picture its own exposure and white balance while training")
    antialiased: bool = option(False, "train with the anti-aliasing filter of Mip-Splatting")


@dataclass(frozen=True)
class RenderOptions:
    """Options of the verb `render`."""

    capture: str = option("", "folder whose cameras are rendered (transforms.json); pictures are not needed")
    background: str = option("transparent", "transparent, white, black, or three numbers 0..1 like 0.2,0.2,0.2")
    scale: float = option(1.0, "size of the pictures as a factor", 0.01, 8)
    antialiased: bool = option(False, "the anti-aliasing filter of Mip-Splatting; for splats trained with it")
    video: float = option(0.0, "also write video.mp4 at so many frames a second (0: none)", 0, 240)


@dataclass(frozen=True)
class SegmentOptions:
    """Options of the verb `segment`. 0 means: as the preset says."""

    capture: str = option("", "the capture that the splats were trained on (transforms.json and its pictures)")
    model: str = option("", "a CLIP model: a folder in open_clip's layout, ARCHITECTURE=FILE, or ARCHITECTURE/TAG (empty: no words)")
    regions: str = option("", "folder of label pictures named like the capture's, as SAM writes them (empty: by shape and colour)")
    sam: str = option("", "file of a SAM or MobileSAM, which then finds the regions")
    views: int = option(0, "pictures to look at (0: 20 fast, 30 balanced, 60 best)", 0, 1000)
    side: int = option(0, "longer side of these pictures in pixels (0: 320 fast, 480 balanced and best)", 0, 4096)


@dataclass(frozen=True)
class SelectOptions:
    """Options of the verb `select`."""

    prompt: str = option("", "what to select: synonyms by comma, several things by semicolon, what is not meant after ' -'")
    objects: str = option("", "or the objects by their numbers in objects.json, by comma")
    threshold: float = option(0.5, "how well a splat has to fit the words", 0, 1)
    rest: bool = option(False, "keep everything but the selection")
    plain: bool = option(True, "leave out everything that a standard 3DGS PLY does not have")
    model: str = option("", "the CLIP model (empty: the one that the splats were segmented with)")


@dataclass(frozen=True)
class ModelOptions:
    """Options of the verb `model`."""

    name: Literal["ViT-B-32", "ViT-B-16"] = option("ViT-B-32", "which CLIP model: the quick one, or the finer one for graphics cards")
    agree: bool = option(False, "yes to the download and its licence, which are named without this")


@dataclass(frozen=True)
class SetupOptions:
    """Options of the verb `setup`."""

    packages: Literal["cpu", "cuda"] = option("cpu", "which list of packages to install")
    wheels: str = option("", "a folder of wheels to install from, without internet")


Options = CamerasOptions | SplatsOptions | RenderOptions | SegmentOptions | SelectOptions | ModelOptions | SetupOptions
OPTIONS: dict[str, type[Options]] = {
    "cameras": CamerasOptions,
    "splats": SplatsOptions,
    "render": RenderOptions,
    "segment": SegmentOptions,
    "select": SelectOptions,
    "model": ModelOptions,
    "setup": SetupOptions,
}


def _check_value(name: str, value: Any, kind: Any, low: float | None, high: float | None) -> Any:
    """The value in the type that the field wants, or an InputError that names the field."""
    flag = f"--{name.replace('_', '-')}"
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InputError(f"{flag} must be one of {', '.join(map(str, get_args(kind)))}, not {value!r}.")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise InputError(f"{flag} must be of type {kind.__name__}, not {value!r}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{flag} must be a finite number.")
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"at least {low:g}" if high is None else f"between {low or 0:g} and {high:g}"
        raise InputError(f"{flag} must be {bounds}, not {value}.")
    return value


def make_options(verb: str, values: dict[str, Any]) -> Options:
    """The verb's option set from plain values, every one checked."""
    if not isinstance(verb, str) or verb not in OPTIONS:
        raise InputError(f"There is no verb {verb!r}.", f"One of: {', '.join(OPTIONS)}.")
    fields = {f.name: f for f in dataclasses.fields(OPTIONS[verb])}
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise InputError(f"The verb {verb} has no option {unknown[0]!r}.", f"Its options: {', '.join(fields)}.")
    checked = {n: _check_value(n, v, fields[n].type, fields[n].metadata["low"], fields[n].metadata["high"]) for n, v in values.items()}
    return OPTIONS[verb](**checked)


# ---------------------------------------------------------------------------------------------------- request
@dataclass(frozen=True)
class Request:
    """One job: a verb, what it reads, and how. `title` and `context` are the caller's own and come back untouched."""

    verb: str
    input: str
    options: Options
    preset: Preset = "balanced"
    device: Device = "auto"
    seed: int = 0
    title: str = ""
    context: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"protocol": PROTOCOL, **dataclasses.asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Request":
        """Raises InputError for anything that is not a request of this protocol."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise InputError("request.json is not JSON.", "Start the job anew.") from error
        if not isinstance(data, dict) or data.pop("protocol", None) != PROTOCOL:
            raise InputError("The request was written by another version of Splatsmith.", "Start the job anew.")
        known = {f.name for f in dataclasses.fields(cls)}
        if not {"verb", "input", "options"} <= set(data) <= known or not isinstance(data["options"], dict):
            raise InputError("request.json lacks a field or has one too many.", "Start the job anew.")
        data["options"] = make_options(data["verb"], data["options"])
        return cls(**data).checked()

    def checked(self) -> "Request":
        """Itself, after a look at the fields that every verb shares."""
        _check_value("preset", self.preset, Preset, None, None)
        _check_value("device", self.device, Device, None, None)
        _check_value("seed", self.seed, int, 0, 2**31 - 1)
        if not isinstance(self.input, str) or not self.input or "\0" in self.input:
            raise InputError("No input was given.", "Name a file or a folder.")
        return self


JobStatus = Literal["running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class JobState:
    """What state.json holds. `running` in a folder that nobody holds the lock of means: it was killed."""

    status: JobStatus
    stage: str = ""
    step: int = 0
    total: int = 0
    pid: int = 0
    error: str = ""
    advice: str = ""


# ---------------------------------------------------------------------------------------------------- events
@dataclass(frozen=True)
class Hello:
    """First line of every stream."""

    type: ClassVar[str] = "hello"
    protocol: int
    pid: int
    version: str
    device: str


@dataclass(frozen=True)
class Stage:
    """A part of the work begins: number `index` (from 1) of `count`."""

    type: ClassVar[str] = "stage"
    name: str
    index: int
    count: int


@dataclass(frozen=True)
class Progress:
    """Within the stage. `eta` in seconds, negative while unknown; total 0 while unknown."""

    type: ClassVar[str] = "progress"
    step: int
    total: int
    eta: float = -1.0
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """A picture worth showing; the file is complete."""

    type: ClassVar[str] = "preview"
    path: str


@dataclass(frozen=True)
class Warn:
    """Something the user should know, while the job goes on."""

    type: ClassVar[str] = "warning"
    code: str
    text: str


@dataclass(frozen=True)
class Result:
    """The job is done; `summary` is one line for people."""

    type: ClassVar[str] = "result"
    manifest: str
    summary: str
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """The job ended with an error."""

    type: ClassVar[str] = "error"
    code: str
    what: str
    advice: str = ""


@dataclass(frozen=True)
class Cancelled:
    """The job ended because it was asked to. `resumable`: a checkpoint is there."""

    type: ClassVar[str] = "cancelled"
    resumable: bool = False


Event = Hello | Stage | Progress | Preview | Warn | Result | Failure | Cancelled
EVENTS: dict[str, type[Any]] = {c.type: c for c in (Hello, Stage, Progress, Preview, Warn, Result, Failure, Cancelled)}
LAST_EVENTS = (Result, Failure, Cancelled)


def encode(event: Event) -> bytes:
    """One line, newline included. Metrics that JSON can't carry are left out."""
    data = {"type": event.type, **dataclasses.asdict(event)}
    if data.get("metrics"):
        data["metrics"] = {k: v for k, v in data["metrics"].items() if math.isfinite(v)}
    return json.dumps(data, ensure_ascii=True).encode() + b"\n"


def _fits(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(isinstance(k, str) and _fits(v, float) for k, v in value.items())
    return type(value) is kind


def decode(line: bytes) -> Event | None:
    """The event of a line; None for anything else, however it looks: a bad line must not stop the reader."""
    if len(line) > MAX_LINE:
        return None
    try:
        data = json.loads(line)
        event: Event = EVENTS[data.pop("type")](**data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return event if all(_fits(getattr(event, f.name), f.type) for f in dataclasses.fields(event)) else None
