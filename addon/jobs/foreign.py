"""What a job would do that someone else has left: said before it is run."""

import dataclasses
from pathlib import Path
from typing import Any

from ...backend.protocol import Request
from ...backend.verbs import VERBS

HEAD = "You have not started this job: it came with the files, or was moved or changed."
MOST = 300  # letters of a value that are shown


def deeds(folder: Path, request: Request[Any]) -> list[str]:
    """Lines for people: what is run, read, written and downloaded."""
    verb = VERBS[request.verb]
    lines = [
        f"It would run {verb.title}: {verb.help}",
        f"Reads: {_short(request.input)}",
        f"Writes: {_short(folder / 'result')}",
    ]
    if request.verb in ("model", "setup"):
        lines.append(f"Writes: {_short(request.input)}")
    for option in dataclasses.fields(request.options):
        value = getattr(request.options, option.name)
        if isinstance(value, str) and value and value != option.default:
            lines.append(f"{option.name.replace('_', ' ').capitalize()}: {_short(value)}")
    fetched = verb.fetches(request.options)
    lines.append(f"Downloads {fetched}" if fetched else "Downloads nothing")
    if (folder / "checkpoint").is_dir():
        lines.append("Goes on from a checkpoint that someone else has made")
    return lines


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= MOST else f"{text[:MOST]}…"
