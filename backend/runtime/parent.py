"""A worker and whoever started it: the group that dies as one, and the watchdog that sees to it."""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

log = logging.getLogger(__name__)
# Seconds from the parent's death to the worker's: time to write a checkpoint. The worker leaves by
# itself after the first, the watchdog ends it after the second.
GRACE, LAST_GRACE = 2.5, 3.5
WATCHDOG = Path(__file__).with_name("watchdog.py")
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_watchdogs: list["subprocess.Popen[bytes]"] = []  # never waited for: each outlives this process


def end_with_parent(grace: float = LAST_GRACE) -> None:
    """From now on this process and all that it starts are gone `grace` seconds after its parent,
    or after the other end of its standard input, whatever this process is busy with.
    """
    command = [sys.executable, "-I", "-S", str(WATCHDOG), str(os.getpid()), str(os.getppid())]
    whom = "group" if _leads_its_own() else "alone"
    try:
        watchdog = subprocess.Popen(
            [*command, str(grace), whom],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=NO_WINDOW,
        )
    except OSError as error:  # no process to be had: the listener on standard input is left
        log.warning("no watchdog could be started: %s", error)
        return
    _watchdogs.append(watchdog)


def _leads_its_own() -> bool:
    """Whether this process now heads a group that holds nobody but what it starts.

    The head of a group that a shell has made may have others of a pipeline in it, and a process
    that leaves its group may not read the terminal that it was started from.
    """
    if sys.platform == "win32":
        return True
    if os.getpgrp() == os.getpid():
        return os.getsid(0) == os.getpid()
    try:
        if os.isatty(0):
            return False
        os.setpgid(0, 0)
    except OSError:
        return False
    return True


def die_with_parent() -> None:
    """For helpers that keep nothing: Linux kills this process when the thread that started it
    ends; elsewhere its closed pipe ends it.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG
