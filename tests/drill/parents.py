"""Processes that start a worker as Blender does, with threads as Blender has them; to be killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.places import ROOT

from backend import protocol

THREADS = 24  # of a Blender on a machine of eight cores
# The system tells a child of the death of each thread that became its parent: idle ones are enough.
PROGRAM = """
import subprocess, sys, threading, time
count, *command = sys.argv[1:]
def start(into):
    into.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
workers = []
if count == "thread":
    starter = threading.Thread(target=start, args=(workers,))
    starter.start(); starter.join()
else:
    for _ in range(int(count)):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    start(workers)
print(workers[0].pid, flush=True)
for line in workers[0].stdout:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
workers[0].wait()
"""


@dataclass(frozen=True)
class Parent:
    """A running parent and the number of its worker, whose lines it passes on."""

    process: "subprocess.Popen[bytes]"
    worker: int

    def events(self) -> Iterator[protocol.Event]:
        """What the worker says, until it or the parent ends."""
        assert self.process.stdout
        for line in self.process.stdout:
            event = protocol.decode(line)
            if event is not None:
                yield event

    def wait_for(self, kind: type[Any], step: int = 0) -> protocol.Event | None:
        """The first event of the kind, of progress in training the first from `step` on; None
        where the worker ended before.
        """
        for event in self.events():
            if isinstance(event, kind):
                is_early = isinstance(event, protocol.Progress) and (
                    "loss" not in event.metrics or event.step < step
                )
                if not is_early:
                    return event
        return None

    def kill(self) -> None:
        """As the system does it that has no memory left; may be called again."""
        self.process.kill()
        self.process.wait()


def worker_command(job: Path) -> list[str]:
    """As the add-on starts it (addon/jobs/process.py)."""
    verb = json.loads((job / "request.json").read_text())["verb"]
    flags = ["-s", "-X", "utf8", "-m", "backend"]
    return [sys.executable, *flags, verb, "--events", "--job", str(job)]


def start_parent(command: Sequence[str], threads: int | str = THREADS, root: Path = ROOT) -> Parent:
    """threads: how many wait in it while it runs; "thread" starts the worker from one that ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(threads), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout
    return Parent(process, int(process.stdout.readline()))
