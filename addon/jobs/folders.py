"""Job folders on disk: where new ones go, and which old ones are unfinished."""

import contextlib
import itertools
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ...backend.protocol import InputError, Request
from ...backend.runtime import lock
from ...backend.runtime.folder import JobFolder
from ...backend.verbs import VERBS, read_request
from .. import preferences
from . import ownership

MOST_BYTES = 1 << 20  # of a request or a state: a folder from elsewhere may hold anything
MOST_LOOKED = 200  # folders, the newest
UNFINISHED = ("running", "cancelled", "failed")


def results_folder() -> Path:
    """Where jobs go: the preferences' folder, else beside the .blend, else in the user's home."""
    chosen = preferences.get().results
    if chosen:
        return Path(bpy.path.abspath(chosen))
    if bpy.data.filepath:
        return Path(bpy.data.filepath).parent / "splatsmith_jobs"
    return Path.home() / "Splatsmith"


def new_folder(verb: str, title: str) -> Path:
    """An empty folder for a new job; its name says when and what."""
    name = re.sub(r"[^\w-]+", "_", title)[:40].strip("_") or "job"
    base = results_folder() / f"{time.strftime('%Y%m%d-%H%M%S')}_{verb}_{name}"
    for number in range(1000):
        folder = base if number == 0 else base.with_name(f"{base.name}_{number + 1}")
        try:
            folder.mkdir(parents=True, exist_ok=False)
            return folder
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(
                f"The results folder can't be written to: {error.strerror}.",
                "Choose another in the add-on's preferences.",
            ) from error
    raise InputError("The results folder is full of jobs of this second.", "Try again.")


def read_own_request(folder: Path) -> tuple[Request[Any], bool]:
    """The request that lies in a job's folder, and whether this user has made it. InputError where
    there is none that can be used.
    """
    try:
        text = _beginning(folder / "request.json", MOST_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("The job's folder is gone.", "Start the job anew.") from error
    if len(text) > MOST_BYTES:
        raise InputError("The job's request is damaged.", "Start the job anew.")
    request = read_request(text)
    return request, ownership.is_own(folder, request)


def _beginning(path: Path, most: int) -> bytes:
    """So many bytes of a file. OSError for what is none: a pipe would be waited for."""
    if not path.is_file():
        raise FileNotFoundError(path)
    with open(path, "rb") as file:
        return file.read(most)


def read_state(folder: Path) -> dict[str, Any]:
    """state.json, or an empty record."""
    try:
        data = json.loads(_beginning(folder / "state.json", MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def log_tail(folder: Path, lines: int = 12) -> str:
    """The end of the job's log."""
    if not (folder / "log.txt").is_file():
        return ""
    try:
        with open(folder / "log.txt", "rb") as file:
            file.seek(max(0, file.seek(0, 2) - 8192))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A job that was started and has no result; `resumable`: it left a checkpoint."""

    folder: Path
    title: str
    verb: str
    resumable: bool
    own: bool  # this user has started it


_remembered: tuple[float, list[Unfinished]] = (-1e9, [])


def unfinished() -> list[Unfinished]:
    """`find_unfinished`, looked up at most every three seconds: panels ask at every redraw."""
    global _remembered
    if time.monotonic() - _remembered[0] > 3.0:
        _remembered = (time.monotonic(), find_unfinished())
    return _remembered[1]


def forget_unfinished() -> None:
    """Look again at the next redraw."""
    global _remembered
    _remembered = (-1e9, [])


def dismiss(folder: Path) -> None:
    """Not offered again; the folder stays. A link of that name is not followed."""
    if folder.is_dir():
        with contextlib.suppress(FileExistsError), open(folder / "dismissed", "xb"):
            pass


def find_unfinished(limit: int = 20) -> list[Unfinished]:
    """Newest first. Folders that a living process holds are not among them."""
    root = results_folder()
    if not root.is_dir():
        return []
    newest = sorted(root.iterdir(), reverse=True)
    started = itertools.islice((p for p in newest if (p / "request.json").is_file()), MOST_LOOKED)
    records = (_unfinished_in(folder) for folder in started)
    return list(itertools.islice((record for record in records if record is not None), limit))


def _unfinished_in(folder: Path) -> Unfinished | None:
    """None where the job there is finished, held, dismissed, or left nothing to go on from."""
    resumable = JobFolder.for_job(folder).has_checkpoint
    status = read_state(folder).get("status", "")
    if (folder / "result" / "manifest.json").is_file() or status not in UNFINISHED:
        return None
    if not (resumable or status == "running") or (folder / "dismissed").exists():
        return None
    if lock.is_held(folder / "lock"):
        return None
    try:
        request, own = read_own_request(folder)
    except InputError:
        return None
    title = request.title or VERBS[request.verb].title
    return Unfinished(folder=folder, title=title, verb=request.verb, resumable=resumable, own=own)
