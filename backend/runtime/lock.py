"""One process a job folder: the operating system's lock, so a killed process leaves none behind."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ..protocol import BusyError

if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _patiently(descriptor: int) -> None:
    """Tries for a moment: Blender's panel looks whether a folder is held by taking its lock for an
    instant.
    """
    for _ in range(10):
        with contextlib.suppress(OSError):
            return _lock(descriptor)
        time.sleep(0.03)
    _lock(descriptor)


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Holds the lock file at `path`; raises BusyError where another process does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _patiently(descriptor)
        except OSError as error:
            raise BusyError(
                f"Another job is running in {path.parent}.",
                "Wait for it, stop it, or choose another folder.",
            ) from error
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock file at `path`; looking never makes the file."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))  # a pipe may lie there
    except OSError:
        return False
    try:
        _lock(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
