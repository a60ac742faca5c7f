"""Kills a job again and again, goes on with it, and holds what comes of it against an unbroken run.

In this process: a kill is an exception that no handler knows, raised at one of the moments at which
the job says something or has just saved something; after it nothing more is written. Real ones are
in signal_kills.py.
"""

import contextlib
import json
import random
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend import protocol
from backend.protocol import Request
from backend.runtime import checkpoint, kept_stage, measure
from backend.runtime.cancel import CancelToken
from backend.runtime.folder import JobFolder
from backend.runtime.job import run_job
from backend.verbs import find_verb

TIMED = ("cpu_seconds",)  # what differs between any two runs, beside the manifest's timings
EAGER = {"SECONDS": 0.0, "LEAST": 0.0}  # of kept_stage: everything is saved at once


class Killed(BaseException):
    """Nobody catches it."""


@dataclass
class KillingReporter:
    """Counts the moments of a job, and ends it at one of them."""

    kill_at: int = -1
    moments: int = 0
    dead: bool = False
    failure: str = ""
    lines: list[str] = field(default_factory=list)
    main: int = field(default_factory=threading.get_ident)

    def send(self, event: Any) -> None:
        if isinstance(event, protocol.Failure):
            self.failure = f"{event.what} {event.advice}"
        self.lines.append(str(event))
        self.tick()

    def tick(self) -> None:
        if threading.get_ident() != self.main:
            return
        if self.dead or self.moments == self.kill_at:
            self.dead = True
            raise Killed
        self.moments += 1


@dataclass(frozen=True)
class Drill:
    """What came of one verb: `lost` are CPU seconds of work that was done twice, a kill."""

    verb: str
    kills: int
    resumed: int
    differing: tuple[str, ...]
    seconds: float
    lost: float
    largest: int  # bytes of the checkpoint, the most that was seen


@contextlib.contextmanager
def _saving_until_dead(reporter: KillingReporter) -> Iterator[None]:
    """Every saving is a moment, too; a dead process saves nothing more."""
    before = checkpoint.save

    def save(*given: Any) -> None:
        if not reporter.dead:
            before(*given)
            reporter.tick()

    checkpoint.save = save  # type: ignore[assignment]
    try:
        yield
    finally:
        checkpoint.save = before


def run_here(request: Request[Any], root: Path, kill_at: int = -1) -> tuple[KillingReporter, float]:
    """What the job said, and its CPU seconds; to the end, or until it is killed."""
    reporter, begun = KillingReporter(kill_at), measure.cpu_seconds()
    folder = JobFolder.for_job(root)
    root.mkdir(parents=True, exist_ok=True)
    with _saving_until_dead(reporter), contextlib.suppress(Killed):
        run_job(find_verb(request.verb), request, folder, reporter, CancelToken())  # type: ignore[arg-type]
    assert not reporter.failure, reporter.failure
    return reporter, measure.cpu_seconds() - begun


def differing(one: Path, other: Path) -> tuple[str, ...]:
    """Names of the files of two results that are not the same, byte for byte."""
    names = {
        p.relative_to(root).as_posix()
        for root in (one, other)
        for p in root.rglob("*")
        if p.is_file()
    }
    return tuple(n for n in sorted(names) if _bytes(one / n) != _bytes(other / n))


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        return b"there is none"
    if path.suffix != ".json":
        return path.read_bytes()
    return json.dumps(_timeless(json.loads(path.read_text(encoding="utf-8")))).encode()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in (*TIMED, "timings")}
    return [_timeless(v) for v in value] if isinstance(value, list) else value


def drill(request: Request[Any], folder: Path, kills: int, seed: int = 0) -> Drill:
    """Runs the request once unbroken, and once with so many kills."""
    before = {name: getattr(kept_stage, name) for name in EAGER}
    for name, value in EAGER.items():
        setattr(kept_stage, name, value)
    try:
        return _drill(request, folder, kills, random.Random(seed))
    finally:
        for name, value in before.items():
            setattr(kept_stage, name, value)


def _drill(request: Request[Any], folder: Path, kills: int, chance: random.Random) -> Drill:
    find_verb(request.verb).load()  # imports are not work
    whole, seconds = run_here(request, folder / "whole")
    state = _Kills(request, folder, chance, whole.moments)
    while state.kills < kills:
        state.kill()
    if state.kills_of_this:
        state.finish()
    return Drill(
        verb=request.verb,
        kills=state.kills,
        resumed=state.resumed,
        differing=tuple(sorted(state.differing)),
        seconds=seconds,
        lost=(state.spent - state.ended * seconds) / max(state.kills, 1),
        largest=state.largest,
    )


@dataclass
class _Kills:
    """Runs of one job that are killed, one after the other; a job that got to its end is begun
    anew.
    """

    request: Request[Any]
    folder: Path
    chance: random.Random
    moments: int
    kills: int = 0
    kills_of_this: int = 0
    ended: int = 0
    resumed: int = 0
    spent: float = 0.0
    largest: int = 0
    differing: set[str] = field(default_factory=set)

    def kill(self) -> None:
        """One run, which is killed if it does not end before that."""
        at = self.chance.randrange(self.moments)
        reporter, cost = run_here(self.request, self.folder / "killed", at)
        self.spent += cost
        if not reporter.dead:
            self.compare()
            return
        self.kills, self.kills_of_this = self.kills + 1, self.kills_of_this + 1
        job = JobFolder.for_job(self.folder / "killed")
        self.resumed += job.has_checkpoint
        files = [p for p in job.checkpoint.rglob("*") if p.is_file()]
        self.largest = max(self.largest, sum(p.stat().st_size for p in files))

    def finish(self) -> None:
        """The run that nobody stops."""
        self.spent += run_here(self.request, self.folder / "killed")[1]
        self.compare()

    def compare(self) -> None:
        """Holds what has come of it against the unbroken run."""
        one, other = (self.folder / name / "result" for name in ("whole", "killed"))
        self.differing |= set(differing(one, other))
        self.ended, self.kills_of_this = self.ended + 1, 0
        shutil.rmtree(self.folder / "killed")


def clean(folder: Path) -> None:
    """Removes what a drill has left."""
    shutil.rmtree(folder, ignore_errors=True)
