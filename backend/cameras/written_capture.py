"""The capture that the COLMAP process has written: in the checkpoint until there is a result."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..runtime.atomic import linked
from ..runtime.job import Job

WRITTEN, EXPORT = "capture", "export"  # the capture until it is whole, scratch of writing it


@dataclass(frozen=True)
class WrittenCapture:
    """What the COLMAP process says of a capture that it wrote, and how many cameras were asked
    for.
    """

    stats: dict[str, Any]
    asked: int
    stages: int = 0


def fresh(folder: Path) -> Path:
    """The folder, without what a stopped run has left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def is_written(work: Path) -> bool:
    """Whether a stopped run has come so far."""
    return (work / WRITTEN / "transforms.json").is_file()


def hand_over(job: Job[Any], work: Path) -> None:
    """The capture's files stay in the checkpoint until there is a result; those that depth changes
    are copied.
    """
    for path in sorted((work / WRITTEN).rglob("*")):
        target = job.folder.staging / path.relative_to(work / WRITTEN)
        if path.is_file() and path.parent == work / WRITTEN:
            shutil.copyfile(path, target)
        elif path.is_file():
            linked(path, target)
