"""What a job tells while it runs: events, one JSON object a line. Standard library only.

Read through protocol.py. A stream that ends without `result`, `error` or `cancelled` is a crash.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_origin

PROTOCOL = 1  # of the lines and of request.json
MAX_LINE = 64 * 1024
LONGEST_TEXT = 1500  # characters of each text of a line that is too long as a whole
LARGEST = 2**53  # beyond it, and in NaN, counts and seconds mean nothing


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
EVENTS: dict[str, type[Any]] = {
    c.type: c for c in (Hello, Stage, Progress, Preview, Warn, Result, Failure, Cancelled)
}
LAST_EVENTS = (Result, Failure, Cancelled)


def encode(event: Event) -> bytes:
    """One line, newline included. Metrics that the reader would not take are left out, and texts
    are cut where the line would be too long for it: the last event of a job must arrive.
    """
    data = {"type": event.type, **dataclasses.asdict(event)}
    if data.get("metrics"):
        data["metrics"] = {k: v for k, v in data["metrics"].items() if _fits(v, float)}
    line = json.dumps(data, ensure_ascii=True).encode() + b"\n"
    if len(line) > MAX_LINE:
        short = {k: _shortened(v) if isinstance(v, str) else v for k, v in data.items()}
        line = json.dumps(short, ensure_ascii=True).encode() + b"\n"
    return line


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _fits(value: Any, kind: Any) -> bool:
    """Whether it is of the kind, and such that no reader stumbles over it: JSON has whole numbers
    of any length, NaN, and texts with zeros in them.
    """
    if kind is float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and -LARGEST <= value <= LARGEST
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(
            isinstance(k, str) and _fits(v, float) for k, v in value.items()
        )
    if kind is int:
        return type(value) is int and -LARGEST <= value <= LARGEST
    if kind is str:
        return type(value) is str and _is_plain(value)
    return type(value) is kind


def _is_plain(text: str) -> bool:
    """Without zeros, and without halves of characters, which neither files nor Blender can name;
    bytes of a path that is no UTF-8 are not among them.
    """
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def decode(line: bytes) -> Event | None:
    """The event of a line; None for anything else, however it looks: a bad line must not stop the
    reader. Of another version's hello, its version alone is read.
    """
    if len(line) > MAX_LINE:
        return None
    try:
        data = json.loads(line)
        kind = EVENTS[data.pop("type")]
        if kind is Hello and data["protocol"] != PROTOCOL and _fits(data["protocol"], int):
            return Hello(data["protocol"], 0, "", "")
        event: Event = kind(**data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return (
        event
        if all(_fits(getattr(event, f.name), f.type) for f in dataclasses.fields(event))
        else None
    )
