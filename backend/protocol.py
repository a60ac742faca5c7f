"""The boundary between Blender and the compute process: requests, options, events, errors.

Standard library only: the add-on imports this file inside Blender. A job is one child process and
one folder:

    request.json   what was asked for (Request)
    state.json     how it stands (JobState), written atomically
    log.txt        everything that any library printed
    checkpoint/    enough to go on after a kill; checkpoint.json beside it says to what it belongs
    result/        the files of a finished job; result/manifest.json is written last, and only then
                   is there a result

The child speaks JSON, one object a line, on its standard output (Event); it takes two messages on
its standard input, {"type": "hello", "protocol": 1} and {"type": "cancel"}, and ends when that pipe
closes, because then its parent is gone. Each side refuses another version's hello. A stream that
ends without `result`, `error` or `cancelled` is a crash.
"""

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

from .events import (
    EVENTS as EVENTS,
    LAST_EVENTS as LAST_EVENTS,
    MAX_LINE as MAX_LINE,
    PROTOCOL as PROTOCOL,
    Cancelled as Cancelled,
    Event as Event,
    Failure as Failure,
    Hello as Hello,
    Preview as Preview,
    Progress as Progress,
    Result as Result,
    Stage as Stage,
    Warn as Warn,
    decode as decode,
    encode as encode,
)

VERSION = "0.1.0"
LONGEST_SENTENCE = 600  # letters of an error

Preset = Literal["fast", "balanced", "best"]
Device = Literal["auto", "cpu", "cuda"]
OptionsT = TypeVar("OptionsT")


# ---- errors
def _in_one_line(text: str) -> str:
    """Names of files stand in sentences, and may hold anything: ends of lines, half a letter, what
    turns the direction of writing, a thousand words.
    """
    plain = "".join(c if c.isprintable() else "?" for c in text[: 2 * LONGEST_SENTENCE])
    return plain if len(plain) <= LONGEST_SENTENCE else f"{plain[:LONGEST_SENTENCE]}…"


class SplatsmithError(Exception):
    """Something a person can understand: `what` happened, and what to do about it (`advice`)."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, what: str, advice: str = "") -> None:
        self.what, self.advice = _in_one_line(what), _in_one_line(advice)
        super().__init__(self.what)


class InputError(SplatsmithError):
    """What was handed in can't be used: a file, a folder, a value."""

    code = "INPUT"


class CheckpointError(InputError):
    """What a job had reached can't be gone on from. It sets that aside and starts anew."""


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


# ---- options
def _check_value(name: str, value: Any, kind: Any, low: float | None, high: float | None) -> Any:
    """The value in the type that the field wants, or an InputError that names the field."""
    flag = f"--{name.replace('_', '-')}"
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InputError(
                f"{flag} must be one of {', '.join(map(str, get_args(kind)))}, not {value!r}."
            )
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


def check_options(verb: str, kind: type[OptionsT], values: dict[str, Any]) -> OptionsT:
    """The verb's option set from plain values, every one checked. Raises InputError."""
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise InputError(
            f"The verb {verb} has no option {unknown[0]!r}.", f"Its options: {', '.join(fields)}."
        )
    checked = {}
    for name, value in values.items():
        low, high = (fields[name].metadata[bound] for bound in ("low", "high"))
        checked[name] = _check_value(name, value, fields[name].type, low, high)
    return kind(**checked)


# ---- request
@dataclass(frozen=True, kw_only=True)
class Request(Generic[OptionsT]):
    """One job: a verb, what it reads, and how. `title` and `context` are the caller's own and come
    back untouched.
    """

    verb: str
    input: str
    options: OptionsT
    preset: Preset = "balanced"
    device: Device = "auto"
    seed: int = 0
    title: str = ""
    context: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """As request.json holds it."""
        return json.dumps({"protocol": PROTOCOL, **dataclasses.asdict(self)}, indent=1)

    @classmethod
    def from_json(
        cls, text: str, make_options: Callable[[str, dict[str, Any]], OptionsT]
    ) -> "Request[OptionsT]":
        """Raises InputError for anything that is not a request of this protocol.

        make_options: the option set of a verb, by its name and plain values (verbs.py).
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError("request.json is not JSON.", "Start the job anew.") from error
        if not isinstance(data, dict) or data.pop("protocol", None) != PROTOCOL:
            raise InputError(
                "The request was written by another version of Splatsmith.", "Start the job anew."
            )
        known = {f.name for f in dataclasses.fields(cls)}
        if not {"verb", "input", "options"} <= set(data) <= known or not isinstance(
            data["options"], dict
        ):
            raise InputError(
                "request.json lacks a field or has one too many.", "Start the job anew."
            )
        data["options"] = make_options(data["verb"], data["options"])
        return cls(**data).checked()

    def checked(self) -> "Request[OptionsT]":
        """Itself, after a look at the fields that every verb shares."""
        _check_value("preset", self.preset, Preset, None, None)
        _check_value("device", self.device, Device, None, None)
        _check_value("seed", self.seed, int, 0, 2**31 - 1)
        _check_value("title", self.title, str, None, None)
        _check_value("context", self.context, dict, None, None)
        if not isinstance(self.input, str) or not self.input or "\0" in self.input:
            raise InputError("No input was given.", "Name a file or a folder.")
        return self


JobStatus = Literal["running", "done", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class JobState:
    """What state.json holds. `running` in a folder that nobody holds the lock of means: it was
    killed.
    """

    status: JobStatus
    stage: str = ""
    step: int = 0
    total: int = 0
    pid: int = 0
    error: str = ""
    advice: str = ""
