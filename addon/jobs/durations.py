"""How long jobs took on this machine, learnt from the manifests of those that were done: for the
bar of the job that runs, and for what the panels say before one is started.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...backend.protocol import Request
from ...backend.runtime import atomic
from ..compute import state

log = logging.getLogger(__name__)
NAME = "durations.json"  # in the extension's user folder


@dataclass(frozen=True)
class Duration:
    """Of the last job of a kind: wall seconds, whole and of each stage in its order."""

    seconds: float
    stages: dict[str, float]


_known: dict[str, Duration] | None = None


def forget() -> None:
    """Read the file again next time."""
    global _known
    _known = None


def last(verb: str, preset: str) -> Duration | None:
    """None where no such job was done yet. Reads the file once: panels ask at every redraw."""
    return _all().get(f"{verb} {preset}")


def learn(request: Request[Any], result: Path) -> None:
    """Remembers a job that was done; one that was resumed tells too little of the whole."""
    try:
        timings = json.loads((result / "manifest.json").read_text(encoding="utf-8"))["timings"]
        duration = _as_duration({**timings, "seconds": timings["wall_seconds"]})
        if timings.get("resumed") or duration is None:
            return
        known = _all()
        known[f"{request.verb} {request.preset}"] = duration
        records = {name: asdict(each) for name, each in known.items()}
        atomic.write_json(state.folder() / NAME, records)
    except (OSError, ValueError, KeyError, TypeError) as error:  # an estimate is worth no failure
        log.info("how long %s took is not remembered: %s", request.verb, error)


def _all() -> dict[str, Duration]:
    global _known
    if _known is None:
        _known = _read(state.folder() / NAME)
    return _known


def _read(path: Path) -> dict[str, Duration]:
    """What of the file can be used; nothing where it is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    records = {name: _as_duration(each) for name, each in data.items()} if _is_map(data) else {}
    return {name: each for name, each in records.items() if each is not None}


def _as_duration(record: Any) -> Duration | None:
    """None for anything but positive numbers under names."""
    if not _is_map(record) or not _is_map(record.get("stages")):
        return None
    seconds, stages = record.get("seconds"), record["stages"]
    if not _is_time(seconds) or not all(_is_time(value) for value in stages.values()):
        return None
    return Duration(float(seconds), {name: float(value) for name, value in stages.items()})


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_time(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < 1e8
