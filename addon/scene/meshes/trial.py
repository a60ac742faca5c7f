"""Mesh files from outside, first read in a process of its own: Blender's importers die of some
damaged files, and would take the artist's unsaved work along.
"""

import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import bpy

from ....backend.protocol import InputError
from . import outside_import

log = logging.getLogger(__name__)

START = 180.0  # seconds by the clock until the other Blender is there: the machine may be busy
PATIENCE = 60.0  # for a file or a frame; of CPU it has less (outside_import.py)
TOO_LONG = getattr(signal, "SIGXCPU", 0)  # ended it
BYTES_A_SECOND = 500_000  # for every so many, a second more


def check(paths: Sequence[Path]) -> None:
    """InputError that names the file of which the other process died, or which it did not get
    through. Where none can be started, nothing is said.
    """
    if not paths:
        return
    with tempfile.TemporaryDirectory(prefix="splatsmith-trial-") as home:
        try:
            process = _start(home)
        except OSError:
            return
        try:
            _follow(process, paths)
        finally:
            process.kill()
            process.communicate()


def command() -> list[str]:
    """What starts this file's neighbour in another Blender; as a module, in another Python."""
    script = str(Path(outside_import.__file__).resolve())
    if bpy.app.binary_path:
        options = ["--background", "--factory-startup", "--python-exit-code", "9"]
        return [bpy.app.binary_path, *options, "--python", script]
    return [sys.executable, script]


def _start(home: str) -> "subprocess.Popen[str]":
    variables = {**os.environ, "BLENDER_USER_RESOURCES": home}  # none of the user's own scripts
    if not bpy.app.binary_path:
        module = Path(bpy.utils.resource_path("LOCAL")).parent  # what holds its scripts and data
        variables["PYTHONPATH"] = str(module.parent)
    return subprocess.Popen(
        command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
        env=variables,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _follow(process: "subprocess.Popen[str]", paths: Sequence[Path]) -> None:
    """Reads its lines until it ends."""
    with contextlib.suppress(OSError):  # it is dead already
        assert process.stdin
        process.stdin.write(json.dumps([str(path.resolve()) for path in paths]) + "\n")
        process.stdin.flush()
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_pass_on, args=(process, lines), daemon=True).start()
    at, patience = -1, START
    while True:
        try:
            line = lines.get(timeout=patience)
        except queue.Empty:
            raise _bad(paths[max(at, 0)], "takes too long to read") from None
        if line is None:
            break
        if line.startswith(outside_import.BEGUN):
            at = int(line.split()[-1])
            patience = PATIENCE + paths[at].stat().st_size / BYTES_A_SECOND
    status = process.wait(PATIENCE)
    if at >= 0 and status == -TOO_LONG:
        raise _bad(paths[at], "takes too long to read")
    if at < 0:
        log.warning("mesh files were not tried first: another Blender ended with %s", status)
    if at >= 0 and status:
        raise _bad(paths[at], "is damaged: Blender would stop working")


def _pass_on(process: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> None:
    assert process.stdout
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def _bad(path: Path, why: str) -> InputError:
    return InputError(f"{path.name} {why}.", "Remove it, or export it again.")
