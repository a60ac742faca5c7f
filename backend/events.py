"""What a job tells while it runs: events, one JSON object a line. Standard library only.

Read through protocol.py. A stream that ends without `result`, `error` or `cancelled` is a crash.
"""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_origin

MAX_LINE = 64 * 1024


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
    """One line, newline included. Metrics that JSON can't carry are left out."""
    data = {"type": event.type, **dataclasses.asdict(event)}
    if data.get("metrics"):
        data["metrics"] = {k: v for k, v in data["metrics"].items() if math.isfinite(v)}
    return json.dumps(data, ensure_ascii=True).encode() + b"\n"


def _fits(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(
            isinstance(k, str) and _fits(v, float) for k, v in value.items()
        )
    return type(value) is kind


def decode(line: bytes) -> Event | None:
    """The event of a line; None for anything else, however it looks: a bad line must not stop the
    reader.
    """
    if len(line) > MAX_LINE:
        return None
    try:
        data = json.loads(line)
        event: Event = EVENTS[data.pop("type")](**data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return (
        event
        if all(_fits(getattr(event, f.name), f.type) for f in dataclasses.fields(event))
        else None
    )
