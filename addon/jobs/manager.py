"""The queue of jobs of this Blender. One runs at a time; a timer pumps it, or `wait` does in
background mode.

No modal operator owns a job: opening another file must not end it.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...backend import protocol
from ...backend.protocol import Request
from ...backend.runtime import atomic, links
from ...backend.runtime.folder import JobFolder
from ...backend.verbs import VERBS
from . import durations, endings, folders, ownership
from .process import JobProcess, backend_command
from .record import JobRecord, Status


class JobManager:
    """Owns the records. `on_end` is called once for every job that ended, from the thread that
    pumps.
    """

    def __init__(self) -> None:
        self.jobs: list[JobRecord] = []
        self.on_end: Callable[[JobRecord], None] = lambda job: None
        self.on_news: Callable[[], None] = lambda: None
        self.is_online: Callable[[], bool] = lambda: False  # asked whenever a job starts

    def submit(self, job: JobRecord) -> JobRecord:
        """Adds the job to the queue, and starts it where nothing else runs. Finished ones fold."""
        for old in self.jobs:
            old.unfolded = False
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
        known = durations.last(job.request.verb, job.request.preset)
        job.usual = known.stages if known else {}
        try:
            job.process = JobProcess(self._command(job), job.folder / "log.txt", job.cwd)
        except OSError as error:
            self._end(
                job,
                "failed",
                f"The compute environment could not be started: {error.strerror}.",
                "Set it up again in step 0.",
            )
        self.on_news()

    def _command(self, job: JobRecord) -> list[str]:
        """Whether it may go online is decided now, not when it was put into the queue."""
        fetches = VERBS[job.request.verb].fetches(job.request.options)
        return [*job.command, "--online"] if fetches and self.is_online() else job.command

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
            is_resumable = JobFolder.for_job(job.folder).has_checkpoint
            crash = endings.of_crash(job.process.status, job.process.last_words(), is_resumable)
            job.code = crash.code
            self._end(job, "crashed", crash.what, crash.advice)

    def _end(self, job: JobRecord, status: Status, error: str = "", advice: str = "") -> None:
        job.status, job.error, job.advice, job.process = status, error, advice, None
        if status == "done":
            durations.learn(job.request, job.result)
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
            folders.dismiss(job.folder)

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
    """A job for the backend, in a new folder or in the one it was started in before. From here on
    it is this user's own. InputError where that folder would lead elsewhere.
    """
    if folder is None:
        folder = folders.new_folder(request.verb, request.title)
        atomic.write_bytes(folder / "request.json", request.to_json().encode())
    links.refuse(folder)
    ownership.sign(folder, request)
    command, cwd = backend_command(python, root, request.verb, folder)
    return JobRecord(
        request=request, folder=folder, command=command, cwd=cwd, file_token=file_token
    )
