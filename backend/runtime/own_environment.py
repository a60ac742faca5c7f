"""Which folder is a compute environment of ours, and what of it may be removed. Standard library
only.

Ours is a folder whose file MARKER begins with our own line; its second line says how far it is. A
folder that merely has a pyvenv.cfg, or a file that looks like ours, is someone else's and is
refused. Only what making an environment leaves is ever removed; all else in the folder stays.
"""

import os
import shutil
from pathlib import Path

from ..protocol import SetupError
from . import atomic

MARKER = "splatsmith-environment.txt"
LINE = "Made by Splatsmith; its Set Up and Remove may delete this environment."
BEGUN, MADE, READY = "begun", "packages", "ready"
ENTRIES = (  # what venv, pip and uv leave in an environment, on any system
    *("bin", "include", "lib", "lib64", "share", "etc", "man", "pyvenv.cfg", ".gitignore"),
    *("Scripts", "Include", "Lib", ".lock", "CACHEDIR.TAG"),
)


def stage_of(environment: Path) -> str:
    """BEGUN, MADE or READY; empty where the folder is not ours, or is a link."""
    marker = environment / MARKER
    if _is_link(environment) or marker.is_symlink() or not marker.is_file():
        return ""
    try:
        with open(marker, encoding="utf-8") as file:
            lines = file.read(1000).splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    ours = len(lines) == 2 and lines[0] == LINE and lines[1] in (BEGUN, MADE, READY)
    return lines[1] if ours else ""


def claim(environment: Path) -> str:
    """Makes the folder ours where it is new or empty; how far it is. SetupError where it holds
    what is not ours.
    """
    stage = stage_of(environment)
    if stage:
        return stage
    if os.path.lexists(environment) and (
        _is_link(environment) or not environment.is_dir() or any(environment.iterdir())
    ):
        raise SetupError(
            f"{environment} is not an environment that Splatsmith has made, and was left alone.",
            "Choose an empty or a new folder for the environment.",
        )
    environment.mkdir(parents=True, exist_ok=True)
    mark(environment, BEGUN)
    return BEGUN


def mark(environment: Path, stage: str) -> None:
    """Writes down how far it is."""
    atomic.write_bytes(environment / MARKER, f"{LINE}\n{stage}\n".encode())


def adopt(environment: Path) -> None:
    """Takes an environment of an older version, which had no marker, for ours: where the folder
    that it lies in is ours alone, as the extension's is.
    """
    if (environment / "pyvenv.cfg").is_file() and not _is_link(environment):
        mark(environment, stage_of(environment) or READY)


def clear(environment: Path) -> None:
    """Removes the environment's own files, and goes on to be ours. SetupError where it is not."""
    if not stage_of(environment):
        raise SetupError(
            f"{environment} is not an environment that Splatsmith has made, and was left alone.",
            "Remove it yourself if you no longer need it.",
        )
    mark(environment, BEGUN)
    for name in ENTRIES:
        path = environment / name
        if path.is_dir() and not _is_link(path):
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def remove(environment: Path) -> bool:
    """The same, and the folder too where nothing else is in it; whether it is gone."""
    clear(environment)
    (environment / MARKER).unlink()
    if any(environment.iterdir()):
        return False
    environment.rmdir()
    return True


def _is_link(path: Path) -> bool:
    """A junction of Windows too."""
    place = os.path.join(os.path.realpath(path.parent), path.name)
    return os.path.normcase(os.path.realpath(path)) != os.path.normcase(place)
