"""Job folders on disk: where new ones go, and which old ones are unfinished."""

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ...backend.protocol import InputError
from ...backend.verbs import VERBS, read_request
from .. import preferences

if os.name == "nt":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


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


def read_state(folder: Path) -> dict[str, Any]:
    """state.json, or an empty record."""
    try:
        data = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def log_tail(folder: Path, lines: int = 12) -> str:
    """The end of the job's log."""
    try:
        with open(folder / "log.txt", "rb") as file:
            file.seek(max(0, file.seek(0, 2) - 8192))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""


@dataclass(frozen=True)
class Unfinished:
    """A job that was started and has no result; `resumable`: it left a checkpoint."""

    folder: Path
    title: str
    verb: str
    resumable: bool


def _is_held(folder: Path) -> bool:
    """A living process works there: it holds the lock that backend/runtime/lock.py takes."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR)
    except OSError:
        return False
    try:
        _try_lock(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


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


def find_unfinished(limit: int = 20) -> list[Unfinished]:
    """Newest first. Folders that a living process holds are not among them."""
    root = results_folder()
    found: list[Unfinished] = []
    if not root.is_dir():
        return found
    for folder in sorted(
        (p for p in root.iterdir() if (p / "request.json").is_file()), reverse=True
    )[:200]:
        resumable = (folder / "checkpoint").is_dir()
        status = read_state(folder).get("status", "")
        if (
            (folder / "result" / "manifest.json").is_file()
            or status not in UNFINISHED
            or not (resumable or status == "running")
        ):
            continue
        if (folder / "dismissed").exists() or _is_held(folder):
            continue
        try:
            request = read_request((folder / "request.json").read_text(encoding="utf-8"))
        except (InputError, OSError):
            continue
        found.append(
            Unfinished(folder, request.title or VERBS[request.verb].title, request.verb, resumable)
        )
        if len(found) >= limit:
            break
    return found
