"""Whether computing can start, in one line; remembered on disk, so that panels never wait for a
check.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ...backend.protocol import VERSION, SetupError
from ...backend.runtime import own_environment

UNFINISHED = (own_environment.BEGUN, own_environment.MADE)
# Of a finished environment on Linux (download, disk); shown before consent.
SIZES = {"cpu": (395, 1510), "cuda": (3365, 7660)}


@dataclass(frozen=True)
class ComputeState:
    """`line` is for the panel; `python` runs the backend when `ready`."""

    ready: bool
    line: str
    python: str = ""


@dataclass(frozen=True)
class Place:
    """Where the extension lies, and what the user chose; handed in when the add-on is loaded."""

    package: str  # the extension's own module name
    root: Path  # holds backend/ and wheels/
    chosen_python: Callable[[], str]  # from the preferences; empty for the private environment


_place = Place("", Path(), str)
_cached: ComputeState | None = None


def configure(place: Place) -> None:
    """To be called before anything else here."""
    global _place
    _place = place
    forget()


def folder() -> Path:
    """The extension's own user folder: uninstalling removes it, with the environment in it."""
    return Path(bpy.utils.extension_path_user(_place.package, path="compute", create=True))


def environment() -> Path:
    """The private environment's folder, whether it is there or not."""
    return folder() / "environment"


def environment_python() -> Path:
    """The private environment's interpreter, whether it is there or not."""
    return environment() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def forget(_self: object = None, _context: object = None) -> None:
    """Look again next time."""
    global _cached
    _cached = None


def _stamp(python: Path) -> str:
    try:
        # another version may want other packages
        return f"{VERSION}:{python}:{python.stat().st_mtime_ns}"
    except OSError:
        return ""


def _remembered(python: Path) -> str:
    """The line of the last successful check of this very interpreter; empty without one."""
    try:
        record = json.loads((folder() / "checked.json").read_text(encoding="utf-8"))
        return str(record["line"]) if record["stamp"] == _stamp(python) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def current() -> ComputeState:
    """What the panels show."""
    global _cached
    if _cached is None:
        _cached = _look()
    return _cached


def _look() -> ComputeState:
    own = _place.chosen_python()
    python = Path(bpy.path.abspath(own)) if own else environment_python()
    if not python.exists():
        return ComputeState(False, "Python interpreter not found" if own else "not set up")
    if not own and own_environment.stage_of(environment()) in UNFINISHED:
        return ComputeState(False, "set-up unfinished")
    line = _remembered(python)
    return ComputeState(bool(line), line or "not checked yet", str(python))


def check(python: Path) -> dict[str, Any]:
    """Runs `doctor` with the interpreter; remembers success. Raises SetupError with what is
    missing.
    """
    forget()
    environment_variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    command = [str(python), "-E", "-s", "-X", "utf8", "-m", "backend", "doctor", "--json"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=_place.root,
            timeout=180,
            stdin=subprocess.DEVNULL,
            env=environment_variables,
        )
        report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        raise SetupError(
            f"{python} does not run the backend.",
            "Choose a Python 3.11 or newer that has the compute packages.",
        ) from error
    if not report["ready"]:
        raise SetupError(
            f"{python.name} lacks {', '.join(report['missing'])}.",
            "Install what is missing, or use Set Up.",
        )
    remember(python, report)
    return report


def remember(python: Path, report: dict[str, Any]) -> None:
    """The interpreter was found good: the panels say so from now on."""
    forget()
    (folder() / "checked.json").write_text(
        json.dumps({"stamp": _stamp(python), "line": report["line"]}), encoding="utf-8"
    )


def remember_result(folder: Path) -> str:
    """The same, from the result of a set-up; its summary. Raises OSError, ValueError, KeyError."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    remember(Path(manifest["python"]), manifest["doctor"])
    return str(manifest["summary"])


def remove() -> str:
    """Deletes the private environment and what is remembered of it; a line about it. What is not
    of an environment stays, and of a link the link alone goes.
    """
    forget()
    place, job = environment(), folder() / "job"
    (folder() / "checked.json").unlink(missing_ok=True)
    for path in (place, job):
        if path.is_symlink():
            path.unlink()
    if job.is_dir():
        shutil.rmtree(job)
    if not place.is_dir():
        return "The compute environment was removed"
    own_environment.adopt(place)
    if own_environment.remove(place):
        return "The compute environment was removed"
    return f"The compute environment was removed; other files stay in {place}"


def require() -> str:
    """The interpreter for a job; SetupError that names the button where there is none."""
    state = current()
    if not state.ready:
        raise SetupError(
            f"Computing is {state.line}.",
            "Press Set Up (or Check) in Splatsmith's panel 0, Compute.",
        )
    return state.python
