"""Kills at random moments of a job, over and over: no checkpoint may be lost, nobody may be left,
and what is resumed to the end equals an unbroken run.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from helpers.places import ROOT
from helpers.workers import make_job

from backend import protocol
from backend.protocol import InputError
from backend.runtime import checkpoint

from .outcome import Outcome
from .parents import Parent, start_parent, worker_command
from .processes import BAR, descendants, end_all, seconds_to_end

Victim = Literal["parent", "worker", "both"]
STATE = Path("checkpoint") / "state.safetensors"
STEPS = 600  # of a training of some seconds


def small_training(folder: Path) -> Path:
    """A job folder, made anew; the other verbs' drills hand in functions like this one."""
    folder.mkdir(parents=True, exist_ok=True)
    return make_job(folder, STEPS)


def drill(
    folder: Path,
    count: int,
    victim: Victim = "parent",
    make: Callable[[Path], Path] = small_training,
    result: str = "splats.ply",
    seed: int = 0,
    root: Path = ROOT,
    bar: float = BAR,
) -> Outcome:
    """Kills `count` times, resuming in between, and runs the last job to its end.

    bar: seconds after a kill in which everybody must be gone; the machine's own business counts.
    """
    outcome = Outcome(fault="F1, F2, F22", tried=f"kill -9 of {victim} at random moments")
    chance = random.Random(seed)
    expected = _finished(make(folder / "unbroken"), result, root)
    job = make(folder / "broken")
    while outcome.times < count:
        if (job / "result" / "manifest.json").is_file():
            _compare(outcome, job, result, expected)
            job = make(folder / "broken")
        _kill_once(outcome, job, victim, chance.uniform(0.0, 0.5), root, bar)
    _finished(job, result, root)
    _compare(outcome, job, result, expected)
    return outcome


def _kill_once(
    outcome: Outcome, job: Path, victim: Victim, wait: float, root: Path, bar: float
) -> None:
    parent = start_parent(worker_command(job), root=root)
    reached = _work_for(parent, wait)
    if reached is None:  # it was faster than the blow
        parent.kill()
        return
    before = step_of(job)
    everyone = [parent.worker, *descendants(parent.worker)]
    if victim in ("worker", "both"):
        os.kill(parent.worker, signal.SIGKILL)
    if victim in ("parent", "both"):
        parent.kill()
    seconds = seconds_to_end(everyone, limit=bar + 10)
    end_all(everyone)
    parent.kill()
    outcome.times += 1
    outcome.slowest = max(outcome.slowest, seconds)
    if seconds > bar:
        outcome.failures.append(f"alive after {bar:.0f} s")
    least = reached if victim == "parent" else before
    if (job / "result" / "manifest.json").is_file() or not least:
        return
    after = step_of(job)
    if after is None or after < least:
        outcome.failures.append(f"step {least} was reached, the checkpoint holds {after}")


def _work_for(parent: Parent, seconds: float) -> int | None:
    """The step that training has come to so long after it began; None where the job was over."""
    end, reached = None, None
    for event in parent.events():
        if isinstance(event, protocol.LAST_EVENTS):
            return None
        if isinstance(event, protocol.Progress) and "loss" in event.metrics:
            reached, end = event.step, end or time.monotonic() + seconds
            if time.monotonic() >= end:
                return reached
    return None


def step_of(job: Path) -> int | None:
    """The step that the job's checkpoint holds; None where there is none that can be read."""
    try:
        return int(checkpoint.load(job / STATE)[1]["step"])
    except (InputError, KeyError):
        return None


def _finished(job: Path, result: str, root: Path) -> bytes:
    if not (job / "result" / "manifest.json").is_file():
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        with subprocess.Popen(
            worker_command(job),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=root,
            env=environment,
        ) as process:
            process.wait()
    return (job / "result" / result).read_bytes()


def _compare(outcome: Outcome, job: Path, result: str, expected: bytes) -> None:
    if (job / "result" / result).read_bytes() != expected:
        outcome.failures.append("the resumed result differs from the unbroken one")
