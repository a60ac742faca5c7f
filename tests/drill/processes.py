"""Who lives, who is whose child, and how long it takes somebody to be gone."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

BAR = 5.0  # seconds after which no orphan may live


def lives(pid: int) -> bool:
    """Whether the process runs; one that only waits for somebody to ask for its status does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # gone meanwhile; or no /proc here
        return sys.platform != "linux"


def descendants(pid: int) -> list[int]:
    """Children and theirs, as far as /proc tells."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
    known, fresh = set[int](), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - known
        known |= fresh
    return sorted(known)


def seconds_to_end(pids: list[int], limit: float = 30.0) -> float:
    """How long it takes until none of them lives; `limit` and more where one does not end."""
    begun = time.monotonic()
    while time.monotonic() - begun < limit and any(map(lives, pids)):
        time.sleep(0.005)
    return time.monotonic() - begun


def end_all(pids: list[int]) -> None:
    """So that a drill that failed leaves nothing behind."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
