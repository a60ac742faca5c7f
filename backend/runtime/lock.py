"""One process a job folder. The lock is the operating system's, so a killed process leaves none behind."""

import contextlib
import os
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


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Holds the lock file at `path`; raises BusyError where another process does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            raise BusyError(f"Another job is running in {path.parent}.", "Wait for it, stop it, or choose another folder.") from error
        yield
    finally:
        os.close(descriptor)
