"""Runs one job from its request to its result, and turns whatever goes wrong into one clear
sentence.
"""

import contextlib
import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic

from .. import protocol
from ..protocol import CheckpointError, JobState, OptionsT, Request, SplatsmithError
from ..verb import Verb
from . import disk, fingerprint, keeping, kept_work
from .cancel import CancelToken
from .device import choose_device
from .explain import explain
from .folder import JobFolder
from .measure import Eta, Stopwatch, peak_megabytes
from .reporter import Reporter
from .versions import installed_versions

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Job(Generic[OptionsT]):
    """What a verb works with: the request, where to write, whom to tell, when to stop."""

    request: Request[OptionsT]
    folder: JobFolder
    reporter: Reporter
    cancel: CancelToken
    device: str = "cpu"
    resumed: bool = False
    watch: Stopwatch = field(default_factory=Stopwatch)
    stages: dict[str, float] = field(default_factory=dict)  # wall seconds of each
    needed: float = 0.0  # bytes that its files take, as far as it can tell
    told_stages: list[tuple[str, int, int]] = field(default_factory=list)
    told_warnings: list[tuple[str, str]] = field(default_factory=list)
    _previews_failed: bool = False
    _eta: Eta = field(default_factory=Eta)
    _stage: str = ""
    _stage_start: float = 0.0

    @property
    def options(self) -> OptionsT:
        """What the verb was told."""
        return self.request.options

    def stage(self, name: str, index: int, count: int, first_step: int = 0) -> None:
        """A part of the work begins."""
        self.cancel.check()
        self._end_stage()
        self._stage, self._stage_start, self._eta = name, time.monotonic(), Eta(first_step)
        self.told_stages.append((name, index, count))
        self.folder.note_state(JobState(status="running", stage=name, pid=os.getpid()))
        self.reporter.send(protocol.Stage(name, index, count))

    def progress(self, step: int, total: int, **metrics: float) -> None:
        """Tells how far the stage is, and stops here if the user wants that."""
        self.cancel.check()
        self.reporter.send(protocol.Progress(step, total, self._eta.update(step, total), metrics))

    def warn(self, code: str, text: str) -> None:
        """Tells something that the user should know, while the job goes on."""
        self.told_warnings.append((code, text))
        log.warning("%s: %s", code, text)
        self.reporter.send(protocol.Warn(code, text))

    def preview(self, path: Path) -> None:
        """Shows a picture that is complete."""
        self.reporter.send(protocol.Preview(str(path)))

    @contextlib.contextmanager
    def drawing(self) -> Iterator[None]:
        """Around the writing of a preview: that the disk does not take it is told once, and the
        work goes on.
        """
        try:
            yield
        except OSError as error:
            if not self._previews_failed:
                self.warn("PREVIEW", f"Previews can't be written: {error.strerror or error}.")
            self._previews_failed = True

    def needs(self, likely: float, least: float = 0.0) -> None:
        """Tells how many bytes the job's files will take. Raises DiskError where not even the
        `least` of it is free; warns where the likely size is not.
        """
        self.needed = max(likely, least)
        if told := disk.shortage(self.folder.root, likely, least):
            self.warn("DISK", told)

    def reads(self, paths: Iterable[Path]) -> None:
        """Tells of files that the input names, which may lie outside its folder. Raises
        CheckpointError where the job goes on from a checkpoint and they have changed since.
        """
        kept_work.require_named(self.folder, self.request, paths)

    def _end_stage(self) -> None:
        if self._stage:
            self.stages[self._stage] = round(
                self.stages.get(self._stage, 0.0) + time.monotonic() - self._stage_start, 2
            )


@dataclass(frozen=True)
class Outcome:
    """What a verb returns: one line for people, figures, and what else belongs in the manifest."""

    summary: str
    metrics: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


def _manifest(job: Job[Any], outcome: Outcome) -> dict[str, Any]:
    job._end_stage()
    return {
        "verb": job.request.verb,
        "summary": outcome.summary,
        "metrics": outcome.metrics,
        "settings": {
            **asdict(job.options),
            "preset": job.request.preset,
            "device": job.device,
        },
        "input": job.request.input,
        "seed": job.request.seed,
        "versions": installed_versions(),
        "timings": {
            "wall_seconds": round(job.watch.wall(), 2),
            "cpu_seconds": round(job.watch.cpu(), 2),
            "peak_megabytes": round(peak_megabytes()),
            "stages": job.stages,
            "resumed": job.resumed,
        },
        **outcome.details,
    }


def run_job(
    verb: Verb[OptionsT],
    request: Request[OptionsT],
    folder: JobFolder,
    reporter: Reporter,
    cancel: CancelToken,
) -> int:
    """Runs the request in its folder. Returns the exit status: 0 done or cancelled, 1 an error that
    was told.
    """
    try:
        with folder.held():
            folder.require_no_other_than(request.verb)
            return _run_held(verb, request, folder, reporter, cancel)
    except (SplatsmithError, OSError) as error:  # before the folder was ours: no state to write
        known = explain(error)
        reporter.send(protocol.Failure(known.code, known.what, known.advice))
        return 1


def _run_held(
    verb: Verb[OptionsT],
    request: Request[OptionsT],
    folder: JobFolder,
    reporter: Reporter,
    cancel: CancelToken,
) -> int:
    handler = logging.FileHandler(folder.log, encoding="utf-8", delay=True)
    logger = logging.getLogger(__name__.split(".")[0])
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    job: Job[OptionsT] | None = None
    try:
        job = _begin(verb, request, folder, reporter, cancel)
        outcome = _work(verb, job)
        cancel.check()
        _commit(job, outcome)
        return 0
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the job's boundary: everything becomes a sentence, and the log has the rest
        return _report(error, folder, reporter, cancel, job.needed if job else 0.0)
    finally:
        logger.removeHandler(handler)
        handler.close()


def _begin(
    verb: Verb[OptionsT],
    request: Request[OptionsT],
    folder: JobFolder,
    reporter: Reporter,
    cancel: CancelToken,
) -> Job[OptionsT]:
    folder.begin(request)
    folder.write_state(JobState(status="running", pid=os.getpid()))
    cancel.check()  # what comes now loads packages, for seconds
    device, sentence = choose_device(request.device if verb.computes else "cpu")
    reporter.send(protocol.Hello(protocol.PROTOCOL, os.getpid(), protocol.VERSION, sentence))
    going_on = kept_work.begin(folder, kept_work.identity(verb, folder, request, device))
    job = Job(
        request=request,
        folder=folder,
        reporter=reporter,
        cancel=cancel,
        device=device,
        resumed=going_on.resumed,
    )
    if going_on.told:
        job.warn("CHECKPOINT", going_on.told)
    return job


def _work(verb: Verb[OptionsT], job: Job[OptionsT]) -> Outcome:
    """The verb's work; once more from the start where it can't go on from its checkpoint."""
    kept = keeping.Keeping(lambda text: job.warn("CHECKPOINT", text))
    with keeping.kept_by(kept):
        try:
            job.cancel.check()
            return verb.load()(job)  # type: ignore[no-any-return]
        except Exception as error:
            if not job.resumed or not _is_the_checkpoints(error, kept.saved):
                raise
            log.warning("the checkpoint can't be gone on from", exc_info=error)
            cause = str(error)
        job.cancel.check()
        _start_anew(verb, job, cause)
        return verb.load()(job)  # type: ignore[no-any-return]


def _start_anew(verb: Verb[OptionsT], job: Job[OptionsT], cause: str) -> None:
    is_changed = cause == kept_work.WHY["named"][1]
    told = kept_work.set_aside(job.folder, "named" if is_changed else "damage")
    job.warn("CHECKPOINT", told if is_changed else f"{cause} {told}")
    job.folder.begin(job.request)
    kept_work.begin(job.folder, kept_work.identity(verb, job.folder, job.request, job.device))
    job.resumed = False
    job.stages.clear()


def _is_the_checkpoints(error: Exception, saved: int) -> bool:
    """Whether starting anew may help: it says so, or has no words before anything new was saved."""
    if isinstance(error, (SplatsmithError, OSError, MemoryError)):
        return isinstance(error, CheckpointError)
    return not saved and type(explain(error)) is SplatsmithError


def _commit(job: Job[Any], outcome: Outcome) -> None:
    """From here on there is a result, whatever else can't be written."""
    manifest = _manifest(job, outcome)
    for code, text in job.folder.commit(manifest, fingerprint.read_by(job.request)).told():
        job.warn(code, text)
    job.folder.note_state(JobState(status="done"))
    job.reporter.send(protocol.Result(str(job.folder.manifest), outcome.summary, outcome.metrics))


def _report(
    error: BaseException, folder: JobFolder, reporter: Reporter, cancel: CancelToken, needed: float
) -> int:
    """Makes room first: where the disk is full, the state needs some too."""
    error = cancel.reason or error
    full, wrote = disk.is_full(error) or disk.is_brimful(folder.root), disk.size_of(folder.staging)
    folder.empty_staging()
    if isinstance(error, protocol.JobCancelled) or (cancel.is_set and not cancel.reason):
        resumable = folder.has_checkpoint
        folder.note_state(JobState(status="cancelled"))
        folder.discard()
        reporter.send(protocol.Cancelled(resumable))
        return 0
    known = explain(error)
    if full and not isinstance(known, (protocol.InputError, protocol.OutOfMemory)):
        known = disk.full(error, folder.root, needed, wrote, folder.has_checkpoint)
    folder.note_state(JobState(status="failed", error=known.what, advice=known.advice))
    folder.discard(keep_log=known.code in (SplatsmithError.code, protocol.CrashError.code))
    reporter.send(protocol.Failure(known.code, known.what, known.advice))
    return 1
