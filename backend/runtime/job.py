"""Runs one job from its request to its result, and turns whatever goes wrong into one clear
sentence.
"""

import errno
import importlib
import importlib.metadata
import logging
import os
import platform
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic

from .. import protocol
from ..protocol import JobState, OptionsT, Request, SplatsmithError
from ..verb import Verb
from .cancel import CancelToken
from .device import choose_device
from .folder import JobFolder
from .measure import Eta, Stopwatch, peak_megabytes
from .reporter import Reporter

log = logging.getLogger(__name__)
PACKAGES = (
    "torch", "numpy", "av", "pycolmap", "opencv-python-headless", "OpenEXR", "pillow", "scipy",
    "safetensors", "gsplat",
    "splatsmith-kernels",
)  # fmt: skip


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
    told_stages: list[tuple[str, int, int]] = field(default_factory=list)
    told_warnings: list[tuple[str, str]] = field(default_factory=list)
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
        self.folder.write_state(JobState(status="running", stage=name, pid=os.getpid()))
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


def installed_versions() -> dict[str, str]:
    """Of the packages that matter, those that are there."""
    versions = {"splatsmith": protocol.VERSION, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


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


def explain(error: BaseException) -> SplatsmithError:
    """The error in the house's words. What has no words yet is INTERNAL and points at the log."""
    if isinstance(error, SplatsmithError):
        return error
    text = str(error)
    if (
        isinstance(error, MemoryError)
        or "out of memory" in text.lower()
        or "can't allocate memory" in text
    ):
        return protocol.OutOfMemory(
            "The memory ran out.",
            "Choose a faster preset, fewer splats or smaller pictures, or close other programs.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return protocol.DiskError(
            "The disk is full.", "Free some space and run the job again; it goes on where it was."
        )
    if isinstance(error, PermissionError):
        return protocol.DiskError(f"No permission for {error.filename}.", "Choose another folder.")
    if isinstance(error, ModuleNotFoundError):
        return protocol.SetupError(
            f"The Python package {error.name} is missing.",
            "Set up the compute environment, or run `doctor`.",
        )
    log.error("unexpected", exc_info=error)
    return SplatsmithError(
        f"Something unexpected went wrong ({type(error).__name__}: {text[:200]}).",
        "The job's log has the details.",
    )


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
    try:
        resumed = folder.begin(request)
        folder.write_state(JobState(status="running", pid=os.getpid()))
        device, sentence = choose_device(request.device if verb.computes else "cpu")
        reporter.send(protocol.Hello(protocol.PROTOCOL, os.getpid(), protocol.VERSION, sentence))
        job = Job(
            request=request,
            folder=folder,
            reporter=reporter,
            cancel=cancel,
            device=device,
            resumed=resumed,
        )
        outcome: Outcome = verb.load()(job)
        cancel.check()
        manifest = _manifest(job, outcome)
        folder.commit(manifest)
        folder.write_state(JobState(status="done"))
        reporter.send(protocol.Result(str(folder.manifest), outcome.summary, outcome.metrics))
        return 0
    except Exception as error:  # noqa: BLE001 - the job's boundary: everything becomes a sentence, and the log has the rest
        return _report(error, folder, reporter, cancel)
    finally:
        logger.removeHandler(handler)
        handler.close()


def _report(error: Exception, folder: JobFolder, reporter: Reporter, cancel: CancelToken) -> int:
    if isinstance(error, protocol.JobCancelled) or cancel.is_set:
        resumable = folder.has_checkpoint
        folder.write_state(JobState(status="cancelled"))
        folder.discard()
        reporter.send(protocol.Cancelled(resumable))
        return 0
    known = explain(error)
    if not isinstance(known, protocol.DiskError):
        folder.write_state(JobState(status="failed", error=known.what, advice=known.advice))
    folder.discard(keep_log=known.code in (SplatsmithError.code, protocol.CrashError.code))
    reporter.send(protocol.Failure(known.code, known.what, known.advice))
    return 1
