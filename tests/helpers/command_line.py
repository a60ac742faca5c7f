"""The command line: as a user starts it, and in the tests' own process, which spares the two
seconds that a process takes to import the packages.
"""

import io
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from helpers.places import ROOT

from backend import __main__ as command_line
from backend.protocol import Event, Failure, SplatsmithError
from backend.runtime.cancel import CancelToken
from backend.runtime.reporter import TerminalReporter


@dataclass
class Recorder:
    """Keeps the events of a job, and what a terminal would show of them."""

    events: list[Event] = field(default_factory=list)
    out: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self._terminal = TerminalReporter(self.out)

    def send(self, event: Event) -> None:
        self.events.append(event)
        self._terminal.send(event)


def backend(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m backend …` to its end; tests of it are marked `process`."""
    command = [sys.executable, "-m", "backend", *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=1500,  # only what hangs: a busy machine takes its time
        env={**os.environ, **environment},
    )


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """Starts it with pipes, as Blender does."""
    command = [sys.executable, "-m", "backend", *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What `backend` returns, without a process: the same parser, job and sentences."""
    status, recorder = _run(*arguments)
    return subprocess.CompletedProcess(
        [str(a) for a in arguments], status, "", recorder.out.getvalue()
    )


def refusal(*arguments: str | Path) -> Failure:
    """The one sentence that bad input gets, without a process."""
    status, recorder = _run(*arguments)
    failures = [event for event in recorder.events if isinstance(event, Failure)]
    assert status == 1, recorder.out.getvalue()
    assert len(failures) == 1 and recorder.events[-1] is failures[0]
    assert failures[0].code != SplatsmithError.code, f"not foreseen: {failures[0].what}"
    return failures[0]


def _run(*arguments: str | Path) -> tuple[int, Recorder]:
    recorder = Recorder()
    parsed = command_line.make_parser().parse_args([str(a) for a in arguments])
    return command_line.run(parsed, recorder, CancelToken()), recorder
