"""A job's folder on disk. protocol.py says what lies where; this file keeps it true."""

import contextlib
import dataclasses
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..protocol import InputError, JobState, Request
from . import atomic, committing, links, lock, stale
from .committing import CommitPlaces

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Committed:
    """Names in the output: `removed` of the run before, and `kept`, under which files of someone
    else's now lie that were in the way.
    """

    removed: list[str]
    kept: list[str]

    def told(self) -> Iterator[tuple[str, str]]:
        """Codes and sentences for people."""
        if self.removed:
            yield "FORMER", f"Removed {_count(self.removed)} that only the run before had made."
        if self.kept:
            names = ", ".join(self.kept[:3])
            yield "KEPT", f"In the way lay {_count(self.kept)} of yours, now under {names}."


@dataclass(frozen=True)
class JobFolder:
    """`root` holds the job's own files; `output` is where the result appears, whole or not at
    all.
    """

    root: Path
    output: Path

    @classmethod
    def for_job(cls, root: Path) -> "JobFolder":
        """The add-on's layout: everything of a job under one folder."""
        return cls(root, root / "result")

    @classmethod
    def for_output(cls, output: Path) -> "JobFolder":
        """The command line's layout: the job's own files in a hidden folder of the output."""
        return cls(output / ".job", output)

    @property
    def checkpoint(self) -> Path:
        """Enough to go on after a kill."""
        return self.root / "checkpoint"

    @property
    def has_checkpoint(self) -> bool:
        """Something to go on from: a kill can leave the folder empty."""
        try:
            return any(not path.name.startswith(".") for path in self.checkpoint.iterdir())
        except OSError:
            return False

    @property
    def staging(self) -> Path:
        """Where files lie until they are committed."""
        return self.root / "staging"

    @property
    def previews(self) -> Path:
        """Pictures of the running work."""
        return self.root / "previews"

    @property
    def log(self) -> Path:
        """Everything that any library printed."""
        return self.root / "log.txt"

    @property
    def manifest(self) -> Path:
        """Written last: only with it is there a result."""
        return self.output / "manifest.json"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Makes the folder and holds its lock. Someone else's files are not touched: such a folder
        is refused.
        """
        if (
            self.output.is_dir()
            and not (self.root.exists() or self.manifest.is_file())
            and any(map(_matters, self.output.iterdir()))
        ):
            raise InputError(
                f"The folder {self.output} holds other files.",
                "Choose an empty or a new folder for the result.",
            )
        if self.root.parent.exists() and not os.access(
            self.root.parent if not self.root.exists() else self.root, os.W_OK
        ):
            raise InputError(
                f"The folder {self.output} can't be written to.", "Choose another output folder."
            )
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise InputError(
                f"{self.output} is a file, not a folder.", "Choose another output folder."
            ) from error
        except OSError as error:
            raise InputError(
                f"The folder {self.output} can't be made: {error.strerror}.",
                "Choose another output folder.",
            ) from error
        links.refuse(self.root)
        with lock.hold(self.root / "lock"):
            yield

    @property
    def _places(self) -> CommitPlaces:
        return CommitPlaces(self.root, self.staging, self.output)

    def require_no_other_than(self, verb: str) -> None:
        """Raises InputError where the output holds another verb's result, which would go."""
        former = committing.read_record(self.manifest).get("verb", verb)
        if former != verb:
            raise InputError(
                f"The folder {self.output} holds the result of `{former}`.",
                "Choose an empty or a new folder for the result.",
            )

    def begin(self, request: Request[Any]) -> None:
        """Clears what a killed run left half-done, and writes the request down."""
        committing.undo(self._places)
        committing.finish(self._places)
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir()
        self.previews.mkdir(exist_ok=True)
        for folder in (self.root, self.checkpoint, self.previews):
            atomic.clear_parts(folder)
        atomic.write_bytes(self.root / "request.json", request.to_json().encode())

    def request_text(self) -> str:
        """The request that lies in the folder, as JSON. Raises InputError where there is none."""
        try:
            return (self.root / "request.json").read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"There is no job in {self.root}.", "It holds no request.json."
            ) from error

    def write_state(self, state: JobState) -> None:
        """How the job stands, for whoever looks into the folder."""
        atomic.write_json(self.root / "state.json", dataclasses.asdict(state))

    def note_state(self, state: JobState) -> None:
        """The same where the work must not fail for it: on a full disk."""
        try:
            self.write_state(state)
        except OSError as error:
            log.warning("the state can't be written: %s", error)

    def commit(self, manifest: dict[str, Any], reads: Iterable[Path] = ()) -> Committed:
        """Puts the staged files and the manifest in their place, in an order that a power cut may
        interrupt anywhere (committing.py); what only the former run left goes, unless it is among
        what this one `reads`. Raises OSError with the former result untouched.
        """
        new = committing.listing(self.staging)
        former = committing.read_record(self.manifest)
        gone = stale.left_behind(self.output, former, new, reads)
        kept = committing.commit(self._places, manifest, gone)
        for leftover in (self.staging, self.checkpoint):
            shutil.rmtree(leftover, ignore_errors=True)
        return Committed(gone, kept)

    def empty_staging(self) -> None:
        """Makes room: nothing half-written stays, but for a commit that can't even be undone."""
        if not self._places.journal.exists():
            shutil.rmtree(self.staging, ignore_errors=True)

    def discard(self, keep_log: bool = False) -> None:
        """After a failure: nothing half-written stays. A checkpoint does, since it can be gone on
        from, and so does one that was set aside.
        """
        self.empty_staging()
        kept = self.has_checkpoint or any(self.root.glob(f"{self.checkpoint.name}-*"))
        whole = self.root.parent == self.output and not self._places.journal.exists()
        if whole and not kept and not keep_log:
            shutil.rmtree(self.root, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.output.rmdir()  # only if nothing else is in it


def _count(names: list[str]) -> str:
    return f"{len(names)} file{'s' if len(names) > 1 else ''}"


def _matters(path: Path) -> bool:
    """Not one of the files that systems strew into every folder."""
    return not path.name.startswith(".") and path.name.lower() not in ("thumbs.db", "desktop.ini")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a finished result; InputError where there is none."""
    try:
        data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{folder} holds no finished result.", "Run the job again.") from error
    if not isinstance(data, dict):
        raise InputError(f"{folder}/manifest.json is damaged.", "Run the job again.")
    return data
