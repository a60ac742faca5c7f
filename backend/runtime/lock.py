"""One process a job folder: the operating system's lock, so a killed process leaves none behind.
The file says who holds it, for people; what it says counts for nothing.
"""

import contextlib
import errno
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from ..protocol import BusyError

log = logging.getLogger(__name__)
# What a system says where somebody else has the lock. Anything else says that there are no locks:
# some network drives have none.
TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)

if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 2**20, os.SEEK_SET)  # behind what is written: that others may read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_taken(descriptor: int) -> bool:
    """Takes the lock, or says that another process has it."""
    try:
        _lock(descriptor)
    except OSError as error:
        if error.errno in TAKEN:
            return True
        log.info("this disk knows no locks: %s", error)
    return False


def _stays_taken(descriptor: int) -> bool:
    """Tries for a moment: Blender's panel looks whether a folder is held by taking its lock for an
    instant.
    """
    for _ in range(10):
        if not _is_taken(descriptor):
            return False
        time.sleep(0.03)
    return _is_taken(descriptor)


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Holds the lock file at `path`; raises BusyError where another process does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if _stays_taken(descriptor):
            raise BusyError(
                f"Another job is running in {path.parent}{_who(path)}.",
                "Wait for it, stop it, or choose another folder.",
            )
        with contextlib.suppress(OSError):  # a full disk is told of where it matters
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"process {os.getpid()}".encode())
        yield
    finally:
        os.close(descriptor)


def _who(path: Path) -> str:
    """Like ", process 123", or nothing where the file does not tell."""
    try:
        text = path.read_bytes()[:100].decode("ascii", "replace")
    except OSError:
        return ""
    return f", {text}" if re.fullmatch(r"process \d{1,10}", text) else ""


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock file at `path`; looking never makes the file."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))  # a pipe may lie there
    except OSError:
        return False
    try:
        return _is_taken(descriptor)
    finally:
        os.close(descriptor)
