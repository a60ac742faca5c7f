"""A job's folder on disk. protocol.py says what lies where; this file keeps it true."""

import contextlib
import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..protocol import InputError, JobState, Request
from . import atomic, links, lock


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
        return self.checkpoint.is_dir() and any(
            not p.name.startswith(".") for p in self.checkpoint.iterdir()
        )

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

    def begin(self, request: Request[Any]) -> bool:
        """Writes the request down; True when this continues an equal one from its checkpoint."""
        path = self.root / "request.json"
        continues = (
            self.has_checkpoint
            and path.is_file()
            and path.read_text(encoding="utf-8") == request.to_json()
        )
        if not continues:
            shutil.rmtree(self.checkpoint, ignore_errors=True)
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir()
        self.previews.mkdir(exist_ok=True)
        atomic.write_bytes(path, request.to_json().encode())
        return continues

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

    def commit(self, manifest: dict[str, Any]) -> None:
        """Moves the staged files to the output; the manifest last, and an older one away first."""
        self.output.mkdir(exist_ok=True)
        self.manifest.unlink(missing_ok=True)
        for staged in sorted(self.staging.iterdir()):
            place = self.output / staged.name
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            os.replace(staged, place)
        atomic.write_json(self.manifest, manifest)
        for leftover in (self.staging, self.checkpoint):
            shutil.rmtree(leftover, ignore_errors=True)

    def discard(self, keep_log: bool = False) -> None:
        """After a failure: nothing half-written stays. A checkpoint does, since it can be gone on
        from.
        """
        shutil.rmtree(self.staging, ignore_errors=True)
        if self.root.parent == self.output and not self.has_checkpoint and not keep_log:
            shutil.rmtree(self.root, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.output.rmdir()  # only if nothing else is in it


def _matters(path: Path) -> bool:
    """Not one of the files that systems strew into every folder."""
    return not path.name.startswith(".") and path.name.lower() not in ("thumbs.db", "desktop.ini")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a finished result; InputError where there is none."""
    try:
        data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no finished result.", "Run the job again.") from error
    if not isinstance(data, dict):
        raise InputError(f"{folder}/manifest.json is damaged.", "Run the job again.")
    return data
