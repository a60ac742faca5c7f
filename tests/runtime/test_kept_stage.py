"""What stages of a job make is kept, comes back as it was, and is never believed when damaged."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from helpers.kept_jobs import make_job
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor

from backend import protocol
from backend.protocol import InputError, JobCancelled
from backend.runtime import checkpoint, kept_stage, random_state
from backend.runtime.kept_stage import StageKeeper
from backend.runtime.packing import pack, repacked, unpack


@dataclass(frozen=True)
class Part:
    name: str
    values: NDArray[np.float32]
    kind: Literal["long", "short"] = "long"


@dataclass(frozen=True)
class Whole:
    parts: list[Part]
    size: tuple[int, int]
    where: Path
    share: float
    weights: csr_matrix
    table: dict[str, Tensor]
    nothing: Part | None = None


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_stage, "SECONDS", 0.0)
    monkeypatch.setattr(kept_stage, "LEAST", 0.0)


def some_value() -> Whole:
    values = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    return Whole(
        parts=[Part("a", values), Part("b", values[:, ::2], "short")],
        size=(3, 2),
        where=Path("a/b"),
        share=float("inf"),
        weights=csr_matrix(np.eye(3, dtype=np.float32)),
        table={"t": torch.arange(4)[::2]},
    )


def test_values_come_back_as_they_were() -> None:
    tensors: dict[str, Tensor] = {}
    value = some_value()
    again = unpack(Whole, pack(value, tensors), tensors)
    assert (again.size, again.where, again.share, again.nothing) == (
        (3, 2),
        Path("a/b"),
        np.inf,
        None,
    )
    assert [p.kind for p in again.parts] == ["long", "short"]
    np.testing.assert_array_equal(again.parts[1].values, value.parts[1].values)
    assert again.parts[0].values.flags.c_contiguous and again.table["t"].tolist() == [0, 2]
    np.testing.assert_array_equal(again.weights.toarray(), np.eye(3))


def test_an_unbroken_run_gets_what_a_resumed_one_gets(tmp_path: Path) -> None:
    """The sum of an array depends on how it lies in memory."""
    rows = np.random.default_rng(0).random((300, 700), np.float32).T
    kept = StageKeeper(make_job(tmp_path)).stage("rows", NDArray[np.float32], lambda: rows)
    again = StageKeeper(make_job(tmp_path, True)).stage(
        "rows", NDArray[np.float32], lambda: rows[:0]
    )
    assert kept.strides == again.strides and kept.sum(0).tobytes() == again.sum(0).tobytes()


@pytest.mark.parametrize(
    ("kind", "shape"),
    [(int, "x"), (bool, 1), (Part, {"name": "a"}), (tuple[int, int], [1]), (list[int], 3),
     (Literal["a"], "b"), (Tensor, "absent"), (NDArray[np.float32], "whole"), (Part, None)],
)  # fmt: skip
def test_nothing_but_the_type_is_made(kind: Any, shape: Any) -> None:
    with pytest.raises(InputError):
        unpack(kind, shape, {"whole": torch.arange(3)})


def test_what_has_no_type_is_refused_when_it_is_kept() -> None:
    with pytest.raises(TypeError, match="can't be kept"):
        repacked(object, object())


def test_a_stage_that_is_done_is_not_done_again_but_told_of(tmp_path: Path) -> None:
    first = make_job(tmp_path)

    def compute() -> int:
        first.stage("Inside", 2, 3)
        first.warn("CODE", "Mind the gap.")
        return 7

    first.stage("Before", 1, 3)
    assert StageKeeper(first).stage("a", int, compute) == 7
    again = make_job(tmp_path, resumed=True)
    assert StageKeeper(again).stage("a", int, lambda: pytest.fail("is done")) == 7
    assert again.told_stages == [("Inside", 2, 3)]
    assert again.told_warnings == [("CODE", "Mind the gap.")]
    assert StageKeeper(again).stage("a", int, lambda: 8, lambda value: False) == 8


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def other_type(path: Path) -> None:
    checkpoint.save(path, {}, {"kept": [[[], []], "seven"]})


def no_note(path: Path) -> None:
    checkpoint.save(path, {}, {})


@pytest.mark.parametrize("damage", [truncated, other_type, no_note])
def test_what_is_damaged_is_set_aside_and_made_anew(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "checkpoint/a.safetensors"
    StageKeeper(make_job(tmp_path)).stage("a", Tensor, lambda: torch.ones(9))
    damage(path)
    job = make_job(tmp_path, resumed=True)
    assert StageKeeper(job).stage("a", Tensor, lambda: torch.zeros(2)).tolist() == [0, 0]
    assert [code for code, _ in job.told_warnings] == ["CHECKPOINT"]
    assert (tmp_path / "checkpoint/.damaged-a.safetensors").is_file()
    assert (
        StageKeeper(make_job(tmp_path, True))
        .stage("a", Tensor, lambda: pytest.fail("is kept"))
        .any()
        == 0
    )


def test_a_full_disk_is_told_of_and_the_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save", full)
    job = make_job(tmp_path)
    assert StageKeeper(job).stage("a", int, lambda: 7) == 7
    assert "No space left" in job.told_warnings[0][1]


def add_rows(keeper: StageKeeper, until: int) -> list[int]:
    """Rows that were made, not found."""
    made = []
    with keeper.rows("squares", int) as rows:
        for number in range(len(rows.values), until):
            rows.add(number**2)
            made.append(number)
    assert rows.values == [n**2 for n in range(until)]
    return made


def test_rows_go_on_behind_those_that_are_kept(tmp_path: Path) -> None:
    assert add_rows(StageKeeper(make_job(tmp_path)), 4) == [0, 1, 2, 3]
    assert add_rows(StageKeeper(make_job(tmp_path, True)), 6) == [4, 5]
    truncated(tmp_path / "checkpoint/squares/0000003.safetensors")
    assert add_rows(StageKeeper(make_job(tmp_path, True)), 6) == [3, 4, 5]
    assert add_rows(StageKeeper(make_job(tmp_path, True)), 7) == [6]


class Walk:
    """A random walk: its state is a place and two generators."""

    def __init__(self) -> None:
        self.place = torch.zeros(2, dtype=torch.float64)
        self.random, self.generator = np.random.default_rng(5), torch.Generator().manual_seed(5)

    def state(self) -> dict[str, Tensor]:
        return {
            "place": self.place,
            "random": random_state.state_of(self.random),
            "generator": self.generator.get_state(),
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        self.place = tensors["place"]
        random_state.restore(self.random, tensors["random"])
        self.generator.set_state(tensors["generator"])

    def go(
        self, keeper: StageKeeper, steps: int, stop: Callable[[int], None] = lambda step: None
    ) -> int:
        """Where it began."""
        with keeper.loop("walk", self.state, self.restore) as loop:
            begun = loop.step
            for step in range(loop.step, steps):
                drawn = torch.rand(1, generator=self.generator).item()
                self.place = self.place + torch.tensor([self.random.normal(), drawn])
                loop.reach(step + 1)
                stop(step + 1)
        return begun


@pytest.mark.parametrize("saved_every", [0.0, 1e9])
def test_a_loop_goes_on_where_it_was_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved_every: float
) -> None:
    monkeypatch.setattr(kept_stage, "SECONDS", saved_every)

    def cancel(step: int) -> None:
        if step == 7:
            raise JobCancelled("Stopped.", "")

    whole, broken, again = Walk(), Walk(), Walk()
    whole.go(kept_stage.KEEP_NOTHING, 20)
    with pytest.raises(JobCancelled):
        broken.go(StageKeeper(make_job(tmp_path)), 20, cancel)
    assert again.go(StageKeeper(make_job(tmp_path, True)), 20) == 7
    assert torch.equal(whole.place, again.place)


def test_a_loop_that_failed_within_a_step_does_not_keep_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_stage, "SECONDS", 1e9)

    def fail(step: int) -> None:
        raise protocol.SplatsmithError("The fit diverged.", "")

    with pytest.raises(protocol.SplatsmithError):
        Walk().go(StageKeeper(make_job(tmp_path)), 20, fail)
    assert not (tmp_path / "checkpoint/walk.safetensors").exists()


def test_a_state_of_something_else_is_set_aside(tmp_path: Path) -> None:
    walk = Walk()
    walk.go(StageKeeper(make_job(tmp_path)), 3)
    walk.place = walk.place.float()
    job = make_job(tmp_path, resumed=True)
    assert walk.go(StageKeeper(job), 1) == 0
    assert job.told_warnings


def test_time_left_is_not_reckoned_from_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ninety of a hundred steps are there: ten more at a second each are ten seconds, not one."""
    now = [100.0]
    monkeypatch.setattr("backend.runtime.measure.time.monotonic", lambda: now[0])
    job = make_job(tmp_path, resumed=True)
    job.stage("Walking", 1, 1)
    job.progress(90, 100)
    now[0] += 1.0
    job.progress(91, 100)
    told = [e for e in job.reporter.events if isinstance(e, protocol.Progress)]  # type: ignore[attr-defined]
    assert [round(e.eta) for e in told] == [-1, 9]
