"""One target, fuzzed: inputs that reach lines of code which none reached before are kept, and
changed further.
"""

import contextlib
import os
import random
import resource
import signal
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from .findings import Finding, finding_of, is_fine
from .mutate import mutate
from .target import Target

SLOW = 10.0  # CPU seconds for one input
MEMORY = 2 * 2**30  # bytes beyond what the process has when it begins
KEPT = 500  # inputs at most


class TooSlow(BaseException):
    """An input has taken more than SLOW seconds; no reader's own `except` may stop it."""


@dataclass
class Outcome:
    """`lines`: how many of the project's were reached."""

    runs: int = 0
    refused: int = 0
    lines: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)


class Coverage:
    """Lines of the backend that were run."""

    def __init__(self) -> None:
        self.seen: set[tuple[Any, int]] = set()

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "call":
            return self if "/backend/" in frame.f_code.co_filename else None
        if event == "line":
            self.seen.add((frame.f_code, frame.f_lineno))
        return self


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow


@contextlib.contextmanager
def limits(memory: bool) -> Iterator[None]:
    """CPU time for each input, and memory for all."""
    before = signal.signal(signal.SIGPROF, _stop)
    had = resource.getrlimit(resource.RLIMIT_AS)
    if memory:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, had[1]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        resource.setrlimit(resource.RLIMIT_AS, had)


def used() -> float:
    """CPU seconds of this process and of those that readers have started."""
    return sum(os.times()[:4])


def attempt(target: Target, path: Path, data: bytes) -> Finding | bool:
    """What went wrong; or whether the reader took it."""
    path.write_bytes(data)
    signal.setitimer(signal.ITIMER_PROF, SLOW)
    try:
        target.read(path)
    except (Exception, TooSlow) as error:
        signal.setitimer(signal.ITIMER_PROF, 0)
        return False if is_fine(error) else finding_of(target.name, error, data)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return True


def fuzz(
    target: Target,
    folder: Path,
    seeds: list[bytes],
    *,
    seconds: float,
    seed: int,
    most: int = sys.maxsize,
    traced: bool = True,
) -> Outcome:
    """For so many CPU seconds, or so many inputs: all that is random comes from `seed`."""
    rng, outcome, coverage = random.Random(f"{target.name} {seed}"), Outcome(), Coverage()
    pool = [target.seed(folder), *seeds]
    todo, end = list(pool), used() + seconds
    with limits(memory=not target.sanitized):
        while outcome.runs < most and (todo or used() < end):
            data = todo.pop() if todo else mutate(rng.choice(pool), pool, rng)
            lines = len(coverage.seen)
            if traced:
                sys.settrace(coverage)
            result = attempt(target, folder / target.file, data)
            sys.settrace(None)
            outcome.runs += 1
            if isinstance(result, Finding):
                outcome.findings.setdefault(result.place, result)
            elif len(coverage.seen) > lines and len(pool) < KEPT:
                pool.append(data)
            outcome.refused += result is False
    outcome.lines = len(coverage.seen)
    return outcome
