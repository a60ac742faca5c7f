"""Verbs of a few lines, run as jobs in the test's own process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.protocol import Event, Preset, Request
from backend.runtime.cancel import CancelToken
from backend.runtime.folder import JobFolder
from backend.runtime.job import Job, Outcome, run_job
from backend.verb import Verb, option

Work = Callable[[Job[Any]], Outcome]


@dataclass(frozen=True, kw_only=True)
class FakeOptions:
    """What the fake verb can be told."""

    size: int = option(1, "a number", 0, 100)
    masks: str = option("", "a folder")


@dataclass(frozen=True, kw_only=True)
class FakeVerb(Verb[FakeOptions]):
    """Does what the test says."""

    work: Work

    def load(self) -> Work:
        """The test's function."""
        return self.work


@dataclass
class Told:
    """Every event of a job, in its order."""

    events: list[Event] = field(default_factory=list)

    def send(self, event: Event) -> None:
        """Keeps it."""
        self.events.append(event)

    def all(self, kind: type) -> list[Any]:
        """Those of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def end(self) -> Any:
        """The last one."""
        return self.events[-1]


def run(
    work: Work,
    source: Path,
    folder: JobFolder,
    preset: Preset = "balanced",
    seed: int = 0,
    name: str = "fake",
    cancel: CancelToken | None = None,
    **options: Any,
) -> Told:
    """A job of `work` on `source` in `folder`, to its end."""
    verb = FakeVerb(
        name=name,
        title="Fake",
        options=FakeOptions,
        help="nothing",
        description="nothing",
        example="nothing",
        run="nowhere",
        work=work,
    )
    told = Told()
    request = Request(
        verb=name, input=str(source), options=FakeOptions(**options), preset=preset, seed=seed
    )
    run_job(verb, request, folder, told, cancel or CancelToken())
    return told


def leave(*names: str, text: str = "x") -> Work:
    """Work that leaves these files, and nothing else."""

    def work(job: Job[Any]) -> Outcome:
        for name in names:
            path = job.folder.staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Outcome("done")

    return work
