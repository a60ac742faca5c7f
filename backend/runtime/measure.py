"""What a job cost: wall and CPU seconds with those of ended children, and peak memory."""

import os
import time


def cpu_seconds() -> float:
    """Of this process and its children that have ended."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system


def peak_megabytes() -> float:
    """Largest resident memory so far, of this process or a child of it; 0 where the system does not
    tell.
    """
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return (
        max(
            resource.getrusage(who).ru_maxrss
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        * unit
        / 2**20
    )


class Stopwatch:
    """Wall and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), cpu_seconds()

    def wall(self) -> float:
        """Seconds by the clock since the start."""
        return time.monotonic() - self._wall

    def cpu(self) -> float:
        """CPU seconds since the start, children included."""
        return cpu_seconds() - self._cpu


class Eta:
    """Time left from the pace so far, smoothed so that it does not jump."""

    def __init__(self, start_step: int = 0) -> None:
        self._time, self._step, self._pace = time.monotonic(), start_step, 0.0
        self._begun = False

    def update(self, step: int, total: int) -> float:
        """Seconds left at `step` of `total`; negative while unknown."""
        now = time.monotonic()
        if not self._begun and step > self._step + 1:  # what was kept of a stopped job took no time
            self._time, self._step = now, step
        self._begun = True
        if step > self._step and now - self._time >= 0.5:
            pace = (now - self._time) / (step - self._step)
            self._pace = pace if self._pace == 0 else 0.7 * self._pace + 0.3 * pace
            self._time, self._step = now, step
        return self._pace * (total - step) if self._pace else -1.0
