"""Where a job's news goes: events on a pipe for Blender, a progress line for a terminal, nowhere
for tests.
"""

import contextlib
import os
import sys
import time
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from .. import protocol
from ..protocol import Event


class Reporter(Protocol):
    """Takes the events of one job."""

    def send(self, event: Event) -> None:
        """Must not raise: a reader that went away is no reason to fail."""
        ...


class PipeReporter:
    """Lines of JSON on a descriptor of its own; standard output then goes where standard error
    goes.

    Libraries print what they like, from C too, and must not corrupt the stream.
    """

    def __init__(self) -> None:
        sys.stdout.flush()
        self._descriptor = os.dup(1)
        os.set_inheritable(self._descriptor, False)
        os.dup2(2, 1)
        self._last_progress = 0.0

    def send(self, event: Event) -> None:
        """Tells the event."""
        if isinstance(event, protocol.Progress):
            now = time.monotonic()
            if now - self._last_progress < 0.05 and event.step != event.total:
                return  # twenty a second are enough for anyone
            self._last_progress = now
        data = protocol.encode(event)
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            return  # the parent is gone; the listener on standard input ends this process


@dataclass
class TerminalReporter:
    """A line that rewrites itself on a terminal; one line a stage elsewhere."""

    out: TextIO = field(default_factory=lambda: sys.stderr)
    _stage: str = ""
    _line_open: bool = False
    _shown: float = 0.0

    def send(self, event: Event) -> None:
        """Tells the event; a terminal that was closed hears nothing, and the job goes on."""
        with contextlib.suppress(OSError):
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if isinstance(event, protocol.Hello):
            self._print(f"Splatsmith {event.version} on {event.device}")
        elif isinstance(event, protocol.Stage):
            self._stage = f"[{event.index}/{event.count}] {event.name}"
            self._print(self._stage, keep_open=self.out.isatty())
        elif isinstance(event, protocol.Progress):
            self._progress(event)
        elif isinstance(event, protocol.Warn):
            self._print(f"Note: {event.text}")
        elif isinstance(event, protocol.Result):
            self._print(event.summary)
        elif isinstance(event, protocol.Failure):
            self._print(f"Error: {event.what}{' ' + event.advice if event.advice else ''}")
        elif isinstance(event, protocol.Cancelled):
            self._print(
                "Cancelled."
                + (" Run the same command to go on from there." if event.resumable else "")
            )

    def _progress(self, event: protocol.Progress) -> None:
        now = time.monotonic()
        if not self.out.isatty() or (now - self._shown < 0.1 and event.step != event.total):
            return
        self._shown = now
        share = event.step / event.total if event.total else 0.0
        bar = "█" * round(share * 20) + "░" * (20 - round(share * 20))
        numbers = "  ".join(f"{name} {value:.4g}" for name, value in event.metrics.items())
        left = f"  {format_seconds(event.eta)} left" if event.eta >= 0 else ""
        self._print(f"{self._stage} {bar} {share:4.0%}{left}  {numbers}", keep_open=True)

    def _print(self, text: str, keep_open: bool = False) -> None:
        if self.out.isatty():
            self.out.write(f"\r\x1b[2K{text}" if keep_open or self._line_open else text)
        else:
            self.out.write(text)
        if not keep_open:
            self.out.write("\n")
        self._line_open = keep_open
        self.out.flush()


def format_seconds(seconds: float) -> str:
    """42 s, 3 m 12 s, 1 h 05 m."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} m {whole % 60:02d} s"
        if whole < 3600
        else f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    )
