"""SIGKILL for a worker of its own at any moment of its work, over and over: what it had saved must
be gone on from, everybody it started must be gone, and the end must be that of an unbroken run.
"""

import contextlib
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.places import ROOT

from backend import protocol
from backend.protocol import InputError, Request
from backend.runtime import checkpoint, measure
from backend.runtime.folder import JobFolder

from .processes import BAR, descendants, end_all, seconds_to_end
from .stage_kills import differing

SAID = "said.jsonl"
# A worker that keeps what it can as soon as it can: the jobs are short.
EAGERLY = """
import sys
from backend.__main__ import main, tune_process
tune_process()
from backend.media import video_parts
from backend.runtime import kept_stage
kept_stage.SECONDS = kept_stage.LEAST = 0.0
video_parts.LENGTH = 4
sys.exit(main())
"""
RUNS = 3  # for each kill that is wanted: where a job is so short that it ends before the blow


@dataclass
class Signaled:
    """What came of one verb. `lost` checkpoints, one line for each; `twice` are CPU seconds of work
    that was done again, a kill.
    """

    kills: int = 0
    resumed: int = 0  # kills that had left something to go on from
    slowest: float = 0.0  # seconds from a kill to the end of all that the worker had started
    lost: list[str] = field(default_factory=list)
    orphans: int = 0
    differing: set[str] = field(default_factory=set)
    twice: float = 0.0

    @property
    def failures(self) -> list[str]:
        """A line for each."""
        orphans = [f"{self.orphans} left alive"] if self.orphans else []
        return [*self.lost, *orphans, *(f"{name} differs" for name in sorted(self.differing))]


@dataclass
class _Run:
    """One worker, to its end or killed so many seconds after it said its line of that number:
    seconds alone would be others on a busy machine.
    """

    request: Request[Any]
    root: Path
    blow: tuple[int, float] | None = None
    warned: list[str] = field(default_factory=list)
    lines: list[float] = field(default_factory=list)  # when each was said
    was_killed: bool = False
    had_saved: bool = False
    alive: float = 0.0

    def moment(self, chance: random.Random) -> tuple[int, float]:
        """Any moment between its first stage and its last word."""
        at = chance.uniform(self.lines[1], self.lines[-1])
        line = max(i for i, time_of in enumerate(self.lines) if time_of <= at)
        return line + 1, at - self.lines[line]

    def go(self) -> "_Run":
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "request.json").write_text(self.request.to_json(), encoding="utf-8")
        verb, said = self.request.verb, self.root / SAID
        command = [sys.executable, "-c", EAGERLY, verb, "--events", "--job", str(self.root)]
        with (
            open(said, "wb") as file,
            subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,  # open: a worker whose parent is gone ends by itself
                stdout=file,
                stderr=subprocess.DEVNULL,
            ) as process,
        ):
            self._watch(process, said)
        warnings = [e for e in _events(said) if isinstance(e, protocol.Warn)]
        self.warned = [event.text for event in warnings if event.code == "CHECKPOINT"]
        return self

    def _watch(self, process: "subprocess.Popen[bytes]", said: Path) -> None:
        while process.poll() is None and (self.blow is None or len(self.lines) < self.blow[0]):
            new = said.read_bytes().count(b"\n") - len(self.lines)
            self.lines += [time.monotonic()] * new
            time.sleep(0.005)
        if self.blow is None or process.returncode is not None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self.blow[1])
            return
        self.was_killed = True
        everyone = descendants(process.pid)
        self.had_saved = JobFolder.for_job(self.root).has_checkpoint
        process.kill()
        process.wait()
        self.alive = seconds_to_end(everyone, limit=BAR + 5)
        end_all(everyone)


def _events(said: Path) -> Iterator[protocol.Event]:
    for line in said.read_bytes().splitlines():
        if (event := protocol.decode(line)) is not None:
            yield event


def drill(request: Request[Any], folder: Path, kills: int, seed: int = 0) -> Signaled:
    """Runs the request once unbroken, and then with so many kills, or as many as it is long
    enough for.
    """
    chance, whole, killed = random.Random(seed), folder / "whole", folder / "killed"
    begun = measure.cpu_seconds()
    unbroken = _Run(request, whole).go()
    cost, begun, ended = measure.cpu_seconds() - begun, measure.cpu_seconds(), 0
    found, runs = Signaled(), 0
    if not (whole / "result" / "manifest.json").is_file():
        found.lost.append("the unbroken run failed")
        return found
    while (found.kills < kills and runs < RUNS * kills) or killed.is_dir():
        goes_on = found.kills < kills and runs < RUNS * kills
        run = _Run(request, killed, unbroken.moment(chance) if goes_on else None).go()
        runs += 1
        found.lost += [f"set aside: {text}" for text in run.warned]
        if run.was_killed:
            _count(found, run)
            continue
        found.differing |= set(differing(whole / "result", killed / "result"))
        ended += 1
        shutil.rmtree(killed)
    found.twice = (measure.cpu_seconds() - begun - ended * cost) / max(found.kills, 1)
    return found


def _count(found: Signaled, run: _Run) -> None:
    job = JobFolder.for_job(run.root)
    is_done = job.manifest.is_file()
    found.kills, found.slowest = found.kills + 1, max(found.slowest, run.alive)
    found.orphans += run.alive > BAR
    found.resumed += job.has_checkpoint
    if run.had_saved and not job.has_checkpoint and not is_done:
        found.lost.append("what was saved is gone")
    for path in sorted(job.checkpoint.rglob("*.safetensors")):
        if not path.name.startswith("."):
            try:
                checkpoint.load(path)
            except InputError as error:
                found.lost.append(f"{path.name}: {error.what}")
