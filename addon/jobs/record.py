"""A job and what is known of it: the panels draw from this alone."""

import itertools
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...backend import protocol
from ...backend.protocol import Event, Request
from ...backend.runtime.folder import JobFolder
from .flags import in_window
from .process import JobProcess
from .whole import StageNow, seconds_left, share_of

Status = Literal["waiting", "running", "done", "failed", "crashed", "cancelled"]
SILENCE = 60.0  # seconds without news after which the strip says so
MOST_WARNINGS = 50  # that are kept; the log has all
_numbers = itertools.count(1)


@dataclass(kw_only=True)
class JobRecord:
    """A job and what is known of it; the panels draw from this alone."""

    request: Request[Any]
    folder: Path
    command: list[str]
    cwd: Path
    file_token: int  # which opened file it belongs to
    number: int = field(default_factory=lambda: next(_numbers))
    status: Status = "waiting"
    stage: str = ""
    stage_index: int = 0
    stage_count: int = 0
    step: int = 0
    total: int = 0
    eta: float = -1.0
    metrics: dict[str, float] = field(default_factory=dict)
    device: str = ""
    warnings: list[str] = field(default_factory=list)
    preview: str = ""
    summary: str = ""
    code: str = ""  # of the error (protocol.py)
    error: str = ""
    advice: str = ""
    imported: bool = False
    held_back: str = ""  # why a result is not brought in but by a click
    line: str = ""  # what came of it in the scene, or where it lies
    film: str = ""  # the video that it left, once its result was brought in
    unfolded: bool = False
    usual: dict[str, float] = field(default_factory=dict)  # seconds of its stages the last time
    reached: float = 0.0  # the most of `share` so far: a bar never goes back
    stage_started: float = field(default_factory=time.monotonic)
    cancelling: bool = False
    started: float = field(default_factory=time.monotonic)
    last_news: float = field(default_factory=time.monotonic)
    process: JobProcess | None = None

    @property
    def factor(self) -> float:
        """Progress of the stage, 0 to 1."""
        return min(1.0, self.step / self.total) if self.total else 0.0

    @property
    def _now(self) -> StageNow:
        return StageNow(
            name=self.stage,
            index=self.stage_index,
            count=self.stage_count,
            step=self.step,
            total=self.total,
            eta=self.eta,
            elapsed=time.monotonic() - self.stage_started,
        )

    @property
    def share(self) -> float:
        """Progress of the whole job, 0 to 1."""
        return max(self.reached, share_of(self._now, self.usual))

    @property
    def left(self) -> float:
        """Seconds that the whole job still takes, negative while unknown."""
        return seconds_left(self._now, self.usual)

    @property
    def active(self) -> bool:
        """It waits or runs."""
        return self.status in ("waiting", "running")

    @property
    def name(self) -> str:
        """What is done, and to what: its line in the lists."""
        kind, title = self.request.verb.title(), self.request.title
        return title if self.request.verb == "setup" and title else f"{kind}: {title}"

    @property
    def folded(self) -> bool:
        """One line says it all: nothing is left to do, and nobody asked for more."""
        return self.status == "done" and not (self.advice or self.held_back or self.unfolded)

    @property
    def result(self) -> Path:
        """The folder that holds what was made."""
        return self.folder / "result"

    @property
    def resumable(self) -> bool:
        """It ended early and left a checkpoint."""
        return (
            self.status in ("crashed", "cancelled", "failed")
            and JobFolder.for_job(self.folder).has_checkpoint
        )

    @property
    def silent(self) -> bool:
        """It runs, but nothing was heard of it for long."""
        return self.status == "running" and time.monotonic() - self.last_news > SILENCE

    def take(self, event: Event) -> None:
        """Learns from an event."""
        self.last_news, self.reached = time.monotonic(), self.share
        if isinstance(event, protocol.Hello):
            self.device = event.device
        elif isinstance(event, protocol.Stage):
            self.stage, self.stage_index, self.stage_count = event.name, event.index, event.count
            self.step = self.total = 0
            self.eta, self.stage_started = -1.0, self.last_news
        elif isinstance(event, protocol.Progress):
            self.step, self.total, self.eta, self.metrics = (
                event.step,
                event.total,
                event.eta,
                event.metrics,
            )
        elif isinstance(event, protocol.Preview):
            self.preview = event.path
        elif isinstance(event, protocol.Warn):
            self.warnings = [*self.warnings[1 - MOST_WARNINGS :], in_window(event.text)]
        elif isinstance(event, protocol.Result):
            self.summary, self.metrics = event.summary, event.metrics
        elif isinstance(event, protocol.Failure):
            self.code = event.code
            self.error, self.advice = in_window(event.what), in_window(event.advice)
