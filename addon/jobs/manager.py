"""The queue of jobs of this Blender. One runs at a time; a timer pumps it, or `wait` does in
background mode.

No modal operator owns a job: opening another file must not end it.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...backend import protocol
from ...backend.protocol import Event, Request
from . import folders
from .flags import in_window
from .process import JobProcess

Status = Literal["waiting", "running", "done", "failed", "crashed", "cancelled"]
SILENCE = 60.0  # seconds without news after which the strip says so
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
    error: str = ""
    advice: str = ""
    imported: bool = False
    film: str = ""  # the video that it left, once its result was brought in
    unfolded: bool = False
    cancelling: bool = False
    started: float = field(default_factory=time.monotonic)
    last_news: float = field(default_factory=time.monotonic)
    process: JobProcess | None = None

    @property
    def factor(self) -> float:
        """Progress of the stage, 0 to 1."""
        return min(1.0, self.step / self.total) if self.total else 0.0

    @property
    def active(self) -> bool:
        """It waits or runs."""
        return self.status in ("waiting", "running")

    @property
    def folded(self) -> bool:
        """One line says it all: nothing is left to do, and nobody asked for more."""
        return self.status == "done" and not self.advice and not self.unfolded

    @property
    def result(self) -> Path:
        """The folder that holds what was made."""
        return self.folder / "result"

    @property
    def resumable(self) -> bool:
        """It ended early and left a checkpoint."""
        return (
            self.status in ("crashed", "cancelled", "failed")
            and (self.folder / "checkpoint").is_dir()
        )

    @property
    def silent(self) -> bool:
        """It runs, but nothing was heard of it for long."""
        return self.status == "running" and time.monotonic() - self.last_news > SILENCE

    def take(self, event: Event) -> None:
        """Learns from an event."""
        self.last_news = time.monotonic()
        if isinstance(event, protocol.Hello):
            self.device = event.device
        elif isinstance(event, protocol.Stage):
            self.stage, self.stage_index, self.stage_count = event.name, event.index, event.count
            self.step = self.total = 0
            self.eta = -1.0
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
            self.warnings.append(in_window(event.text))
        elif isinstance(event, protocol.Result):
            self.summary, self.metrics = event.summary, event.metrics
        elif isinstance(event, protocol.Failure):
            self.error, self.advice = in_window(event.what), in_window(event.advice)


class JobManager:
    """Owns the records. `on_end` is called once for every job that ended, from the thread that
    pumps.
    """

    def __init__(self) -> None:
        self.jobs: list[JobRecord] = []
        self.on_end: Callable[[JobRecord], None] = lambda job: None
        self.on_news: Callable[[], None] = lambda: None

    def submit(self, job: JobRecord) -> JobRecord:
        """Adds the job to the queue, and starts it where nothing else runs."""
        self.jobs.append(job)
        self.pump()
        return job

    def find(self, number: int) -> JobRecord | None:
        """The job of that number, if it is on the list."""
        return next((job for job in self.jobs if job.number == number), None)

    @property
    def running(self) -> JobRecord | None:
        """The one job that runs."""
        return next((job for job in self.jobs if job.status == "running"), None)

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        return any(job.active for job in self.jobs)

    @property
    def finished(self) -> list[JobRecord]:
        """Done, and nothing of it waits to be brought in."""
        return [job for job in self.jobs if job.status == "done" and job.imported]

    def pump(self) -> None:
        """Reads news, notices ends and crashes, starts what waits. Takes milliseconds."""
        job = self.running
        if job is not None:
            self._read(job)
        if self.running is None:
            waiting = next((job for job in self.jobs if job.status == "waiting"), None)
            if waiting is not None:
                self._start(waiting)

    def _start(self, job: JobRecord) -> None:
        job.status, job.started, job.last_news = "running", time.monotonic(), time.monotonic()
        try:
            job.process = JobProcess(job.command, job.folder / "log.txt", job.cwd)
        except OSError as error:
            self._end(
                job,
                "failed",
                f"The compute environment could not be started: {error.strerror}.",
                "Set it up again in step 0.",
            )
        self.on_news()

    def _read(self, job: JobRecord) -> None:
        assert job.process is not None
        events = job.process.poll()
        for event in events:
            job.take(event)
        if job.process.ended:
            self._judge(job)
        if events or not job.active:
            self.on_news()

    def _judge(self, job: JobRecord) -> None:
        assert job.process is not None
        final = job.process.final
        if isinstance(final, protocol.Result):
            self._end(job, "done")
        elif isinstance(final, protocol.Cancelled) or (final is None and job.cancelling):
            self._end(job, "cancelled")
        elif isinstance(final, protocol.Failure):
            self._end(job, "failed", job.error, job.advice)
        else:
            advice = (
                "Press Resume to go on from where it was."
                if (job.folder / "checkpoint").is_dir()
                else "Press Resume to start it again."
            )
            self._end(
                job,
                "crashed",
                f"The compute process stopped unexpectedly (status {job.process.status}).",
                advice,
            )

    def _end(self, job: JobRecord, status: Status, error: str = "", advice: str = "") -> None:
        job.status, job.error, job.advice, job.process = status, error, advice, None
        self.on_end(job)

    def cancel(self, job: JobRecord) -> None:
        """Asks a running job to stop; takes a waiting one out of the queue."""
        job.cancelling = True
        if job.process is not None:
            job.process.cancel()
        elif job.status == "waiting":
            self._end(job, "cancelled")

    def wait(self, job: JobRecord, tell: Callable[[JobRecord], None]) -> None:
        """Pumps until the job has ended: for Blender without a window."""
        while job.active:
            self.pump()
            tell(job)
            time.sleep(0.02)

    def dismiss(self, job: JobRecord) -> None:
        """Takes an ended job off the list; its folder stays, but is not offered again."""
        if not job.active:
            self.jobs.remove(job)
            if job.folder.is_dir():
                (job.folder / "dismissed").touch()

    def stop_all(self) -> None:
        """Ends every child. Their folders can be resumed later."""
        for job in self.jobs:
            if job.process is not None:
                job.process.stop()
                job.status, job.process = "crashed", None
        self.jobs = [job for job in self.jobs if not job.active]


manager = JobManager()


def make_record(
    request: Request[Any], python: str, root: Path, file_token: int, folder: Path | None = None
) -> JobRecord:
    """A job for the backend, in a new folder or in the one it was started in before."""
    from .process import backend_command

    if folder is None:
        folder = folders.new_folder(request.verb, request.title)
        (folder / "request.json").write_text(request.to_json(), encoding="utf-8")
    command, cwd = backend_command(python, root, request.verb, folder)
    return JobRecord(
        request=request, folder=folder, command=command, cwd=cwd, file_token=file_token
    )
