"""Whether a job may go on from the checkpoint in its folder: only with the same input, settings,
device and version as those that the checkpoint was begun with. `checkpoint.json` beside it says so.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..protocol import VERSION, CheckpointError, Request
from ..verb import Verb
from . import atomic, fingerprint
from .folder import JobFolder
from .keeping import FORMAT

NOTE = "checkpoint.json"
WHY = {  # what became different -> the end of the folder's name, and the sentence
    "version": ("of-another-version", "The checkpoint was written by another version."),
    "settings": ("of-other-settings", "The settings have changed since the checkpoint."),
    "input": ("of-another-input", "The input has changed since the checkpoint."),
    "named": ("of-another-input", "Files that the input names have changed since the checkpoint."),
    "damage": ("damaged", "The checkpoint can't be gone on from."),
}


@dataclass(frozen=True)
class Continuation:
    """Whether the job goes on from its checkpoint; `told` says why not, if there was one."""

    resumed: bool
    told: str = ""


def identity(
    verb: Verb[Any], folder: JobFolder, request: Request[Any], device: str
) -> dict[str, str]:
    """What a checkpoint belongs to: version, settings with the preset's numbers, input."""
    row = repr(verb.presets.get(request.preset))
    settings = (request.verb, request.input, asdict(request.options), request.preset, request.seed)
    read = fingerprint.read_by(request) if verb.reads_input else []
    return {
        "version": f"{VERSION}, format {FORMAT}",
        "settings": json.dumps((*settings, device, row)),
        "input": fingerprint.of_paths(read, (folder.root, folder.output)),
    }


def begin(folder: JobFolder, now: dict[str, str]) -> Continuation:
    """Looks at what is there; afterwards a checkpoint in the folder is this job's."""
    before = _read(folder)
    if folder.has_checkpoint:
        if before is None:
            reason = "version"
        else:
            reason = next((key for key in now if before.get(key) != now[key]), "")
        if not reason:
            return Continuation(True)
        told = set_aside(folder, reason)
    else:
        told = ""
        shutil.rmtree(folder.checkpoint, ignore_errors=True)
    atomic.write_json(folder.root / NOTE, now)
    return Continuation(False, told)


def set_aside(folder: JobFolder, reason: str) -> str:
    """The checkpoint gets a name that says why it is not used, and takes the place of one that was
    set aside before; a sentence about it.
    """
    end, sentence = WHY[reason]
    place = folder.root / f"{folder.checkpoint.name}-{end}"
    for old in set_asides(folder):
        shutil.rmtree(old)
    with contextlib.suppress(FileNotFoundError):
        os.replace(folder.root / NOTE, folder.checkpoint / NOTE)
    os.replace(folder.checkpoint, place)
    atomic.sync_folder(folder.root)
    return f"{sentence} The job starts anew; what it had reached is kept as {place.name}."


def set_asides(folder: JobFolder) -> list[Path]:
    """At most one, unless someone put more there."""
    names = {f"{folder.checkpoint.name}-{end}" for end, _ in WHY.values()}
    return [path for name in sorted(names) if (path := folder.root / name).is_dir()]


def require_named(folder: JobFolder, request: Request[Any], paths: Iterable[Path]) -> None:
    """Of the files that an input names, those that lie outside of what the request names. Raises
    CheckpointError where they are not those that the checkpoint was begun with.
    """
    roots = [path.resolve() for path in fingerprint.read_by(request)]
    named = sorted(
        path
        for path in {path.resolve() for path in paths}
        if path.exists() and not any(path.is_relative_to(root) for root in roots)
    )
    mark, note = fingerprint.of_paths(named) if named else "", _read(folder) or {}
    if note.setdefault("named", mark) != mark:
        raise CheckpointError(WHY["named"][1], "Start the job anew.")
    atomic.write_json(folder.root / NOTE, note)


def _read(folder: JobFolder) -> dict[str, Any] | None:
    try:
        data = json.loads((folder.root / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
