"""What stages of a job make, kept so that a resumed job goes on behind them.

A stage's value is kept whole when it is done; a long loop keeps its rows or its state every SECONDS
of work, and when the job is cancelled. Files lie in the job's checkpoint folder, and go with it
when the job is done. What can't be loaded is set aside with a warning and made anew. An unbroken
run is handed its values as a resumed one would be, so both give the same bytes.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from safetensors import SafetensorError
from torch import Tensor

from ..protocol import DiskError, InputError, JobCancelled
from . import checkpoint
from .job import Job
from .packing import Tensors, pack, repacked, unpack

SECONDS = 20.0  # of work between two savings of a loop
LEAST = 0.5  # seconds that a stage must have taken for its value to be worth a file
T = TypeVar("T")


@dataclass(frozen=True)
class Told:
    """What a job has said: a stage that is not done again says it again."""

    stages: list[tuple[str, int, int]]
    warnings: list[tuple[str, str]]

    @classmethod
    def by(cls, job: Job[Any]) -> "Told":
        """All of it so far."""
        return cls([*job.told_stages], [*job.told_warnings])

    def since(self, before: "Told") -> "Told":
        """What came after."""
        return Told(self.stages[len(before.stages) :], self.warnings[len(before.warnings) :])

    def again(self, job: Job[Any]) -> None:
        """Says it."""
        for stage in self.stages:
            job.stage(*stage)
        for warning in self.warnings:
            job.warn(*warning)


@dataclass(frozen=True)
class StageKeeper:
    """Keeps what a job makes; without a job it keeps nothing, for those who compute outside of
    one.
    """

    job: Job[Any] | None = None
    within: str = ""  # folder of the checkpoint

    def path(self, name: str) -> Path:
        """Where a value of that name lies."""
        assert self.job is not None
        return self.job.folder.checkpoint / self.within / f"{name}.safetensors"

    def inside(self, folder: str) -> "StageKeeper":
        """Keeps in a folder of its own."""
        return StageKeeper(self.job, f"{self.within}{folder}/")

    def stage(
        self,
        name: str,
        kind: Any,
        compute: Callable[[], T],
        is_whole: Callable[[T], bool] = lambda value: True,
    ) -> T:
        """What `compute` returns, of the type `kind`, or returned before the job was stopped. Its
        warnings are told again. `is_whole`: whether the files that a value speaks of are there.
        """
        if self.job is None:
            return compute()
        kept = self.load(name, tuple[Told, kind])
        if kept is not None and is_whole(kept[1]):
            kept[0].again(self.job)
            value: T = kept[1]
            return value
        start, before = time.monotonic(), Told.by(self.job)
        made: T = repacked(kind, compute())
        if time.monotonic() - start >= LEAST:
            self.save(name, (Told.by(self.job).since(before), made))
        return made

    def load(self, name: str, kind: Any) -> Any:
        """The value that was kept under that name; None, with a warning if need be, where there is
        none that can be used.
        """
        if self.job is None or not self.job.resumed or not self.path(name).is_file():
            return None
        try:
            tensors, note = checkpoint.load(self.path(name))
            return unpack(kind, note.get("kept"), tensors)
        except InputError as error:
            self.set_aside(name, error.what)
            return None

    def save(self, name: str, value: Any) -> None:
        """Whole or not at all; a disk that takes no more is told of, and the work goes on."""
        if self.job is None:
            return
        tensors: Tensors = {}
        shape = pack(value, tensors)
        try:
            checkpoint.save(self.path(name), tensors, {"kept": shape})
        except (OSError, SafetensorError, DiskError) as error:
            self.job.warn(
                "CHECKPOINT",
                f"What was reached can't be saved ({error}). The work goes on; free some space, or "
                f"it starts anew if it is stopped.",
            )

    def set_aside(self, name: str, why: str) -> None:
        """Out of the way of what is made anew."""
        assert self.job is not None
        path = self.path(name)
        self.job.warn("CHECKPOINT", f"{why} What was kept of the stage is made anew.")
        with contextlib.suppress(OSError):
            os.replace(path, path.with_name(f".damaged-{path.name}"))

    @contextlib.contextmanager
    def rows(self, name: str, kind: Any) -> "Iterator[KeptRows[Any]]":
        """A growing list of values of the type `kind`: begins with those that were kept."""
        rows: KeptRows[Any] = KeptRows(keeper=self.inside(name), kind=kind)
        try:
            yield rows
        finally:  # each row is whole, whatever has stopped the next one
            rows.flush()

    @contextlib.contextmanager
    def loop(
        self,
        name: str,
        state: Callable[[], dict[str, Tensor]],
        restore: Callable[[dict[str, Tensor]], None],
    ) -> "Iterator[KeptLoop]":
        """A loop of steps over a state, which is set to where it was stopped. In its body the
        state changes, then `reach` is called, and only then anything that may be cancelled.
        """
        loop = KeptLoop(keeper=self, name=name, state=state)
        loop.begin(restore)
        try:
            yield loop
        except JobCancelled:
            loop.flush()
            raise
        if time.monotonic() - loop.last >= LEAST:
            loop.flush()


@dataclass(kw_only=True)
class KeptRows(Generic[T]):
    """Values one after the other; those not yet written go to a file of their own when it is
    time.
    """

    keeper: StageKeeper
    kind: Any
    values: list[T] = field(default_factory=list)
    saved: int = 0
    last: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        while (part := self.keeper.load(self._name(), list[self.kind])) is not None:  # type: ignore[name-defined]
            if not part:
                break
            self.values += part
            self.saved = len(self.values)

    def _name(self) -> str:
        return f"{self.saved:07d}"

    def add(self, value: T) -> T:
        """The value as it will be read again."""
        made: T = repacked(self.kind, value) if self.keeper.job else value
        self.values.append(made)
        if time.monotonic() - self.last >= SECONDS:
            self.flush()
        return made

    def forget(self) -> None:
        """What the values speak of is gone: all is made anew."""
        self.values, self.saved = [], 0

    def flush(self) -> None:
        """Writes what is not written yet."""
        if self.keeper.job and len(self.values) > self.saved:
            self.keeper.save(self._name(), self.values[self.saved :])
            self.saved, self.last = len(self.values), time.monotonic()


@dataclass(kw_only=True)
class KeptLoop:
    """How far a loop is."""

    keeper: StageKeeper
    name: str
    state: Callable[[], dict[str, Tensor]]
    step: int = 0
    saved: int = 0
    last: float = field(default_factory=time.monotonic)

    def begin(self, restore: Callable[[dict[str, Tensor]], None]) -> None:
        """Sets the state to what was kept, if it fits."""
        kept = self.keeper.load(self.name, tuple[int, dict[str, Tensor]])
        if kept is None:
            return
        fresh = self.state()
        if any(n not in kept[1] or kept[1][n].dtype != t.dtype for n, t in fresh.items()):
            self.keeper.set_aside(self.name, "What was kept of a loop does not fit.")
            return
        restore(kept[1])
        self.step = self.saved = kept[0]

    def reach(self, step: int) -> None:
        """So many steps are done: the state is what the next one starts from."""
        self.step = step
        if time.monotonic() - self.last >= SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes the state as it was after the last step."""
        if self.step > self.saved:
            self.keeper.save(self.name, (self.step, self.state()))
            self.saved, self.last = self.step, time.monotonic()


KEEP_NOTHING = StageKeeper()
