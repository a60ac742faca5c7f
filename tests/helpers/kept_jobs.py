"""Jobs without a worker, whose checkpoints can be looked at."""

from pathlib import Path
from typing import Any

from backend.protocol import Request
from backend.runtime.cancel import CancelToken
from backend.runtime.folder import JobFolder
from backend.runtime.job import Job
from backend.splats.splats_verb import SplatsOptions


class Told:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def send(self, event: Any) -> None:
        self.events.append(event)


def make_job(root: Path, resumed: bool = False) -> Job[SplatsOptions]:
    request = Request(verb="splats", input="", options=SplatsOptions(), device="cpu")
    (root / "checkpoint").mkdir(parents=True, exist_ok=True)
    return Job(
        request=request,
        folder=JobFolder.for_job(root),
        reporter=Told(),  # type: ignore[arg-type]
        cancel=CancelToken(),
        resumed=resumed,
    )
