"""How far a job is as a whole and how long it still takes, learnt from the jobs before."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend import protocol
from backend.protocol import Request
from backend.splats.splats_verb import SplatsOptions

from .conftest import ROOT

USUAL = {"Loading": 10.0, "Training": 80.0, "Writing": 10.0}


def request(preset: protocol.Preset = "fast") -> Any:
    return Request(verb="splats", input="x", options=SplatsOptions(), preset=preset, title="x")


@pytest.fixture
def durations(bpy: Any, rooms: Any) -> Iterator[Any]:
    """Nothing learnt yet."""
    path = rooms("compute.state").folder() / "durations.json"
    path.unlink(missing_ok=True)
    rooms("jobs.durations").forget()
    yield rooms("jobs.durations")
    path.unlink(missing_ok=True)
    rooms("jobs.durations").forget()


def finished(folder: Path, seconds: float = 130.2, resumed: bool = False) -> Path:
    """The result of a job that took so long."""
    folder.mkdir(parents=True, exist_ok=True)
    timings = {"wall_seconds": seconds, "stages": USUAL, "resumed": resumed}
    (folder / "manifest.json").write_text(json.dumps({"timings": timings}))
    return folder


def test_the_last_job_of_a_kind_is_remembered(durations: Any, tmp_path: Path) -> None:
    assert durations.last("splats", "fast") is None
    durations.learn(request(), finished(tmp_path / "a"))
    durations.learn(request("best"), finished(tmp_path / "b", 3600.0))
    durations.learn(request(), finished(tmp_path / "c", 120.0))
    durations.learn(request(), finished(tmp_path / "d", 5.0, resumed=True))
    durations.forget()  # what follows is read from disk
    assert durations.last("splats", "fast").seconds == 120.0
    assert list(durations.last("splats", "best").stages.items()) == list(USUAL.items())
    assert durations.last("mesh", "fast") is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "\x00",
        '{"splats fast": 3}',
        '{"splats fast": {"seconds": -1, "stages": {}}}',
        '{"splats fast": {"seconds": 1, "stages": {"Training": "long"}}}',
        '{"splats fast": {"seconds": 1e999, "stages": {}}}',
    ],
)
def test_a_bad_file_is_no_file(durations: Any, rooms: Any, tmp_path: Path, text: str) -> None:
    (rooms("compute.state").folder() / "durations.json").write_text(text)
    assert durations.last("splats", "fast") is None
    durations.learn(request(), finished(tmp_path / "a"))
    durations.forget()
    assert durations.last("splats", "fast").seconds == 130.2


@pytest.mark.parametrize("text", ["{", "[]", '{"timings": {"wall_seconds": "x", "stages": {}}}'])
def test_a_bad_manifest_teaches_nothing(durations: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    durations.learn(request(), tmp_path)
    durations.learn(request(), tmp_path / "gone")
    assert durations.last("splats", "fast") is None


def test_a_done_job_teaches(durations: Any, rooms: Any, tmp_path: Path) -> None:
    manager = rooms("jobs.manager").JobManager()
    job = rooms("jobs.manager").make_record(request(), "python", ROOT, 0, tmp_path)
    finished(job.result)
    manager._end(job, "failed")
    assert durations.last("splats", "fast") is None
    manager._end(job, "done")
    assert durations.last("splats", "fast").seconds == 130.2


def test_shares_and_times_add_up_over_the_stages(rooms: Any) -> None:
    whole = rooms("jobs.whole")
    now = whole.StageNow(
        name="Training", index=2, count=3, step=25, total=100, eta=33.0, elapsed=11.0
    )
    assert whole.share_of(now, USUAL) == pytest.approx(0.3)
    assert whole.seconds_left(now, USUAL) == pytest.approx(43.0)
    silent = replace(now, total=0, eta=-1.0, elapsed=20.0)
    assert whole.share_of(silent, USUAL) == pytest.approx(0.3)
    assert whole.seconds_left(silent, USUAL) == pytest.approx(70.0)
    late = replace(silent, elapsed=500.0)
    assert whole.share_of(late, USUAL) == pytest.approx(0.1 + 0.8 * 0.95)
    assert whole.seconds_left(late, USUAL) == pytest.approx(10.0)
    last = replace(silent, name="Writing", index=3, elapsed=500.0)
    assert whole.seconds_left(last, USUAL) == whole.UNKNOWN, "no job has no time left"


def test_the_first_job_counts_its_stages_alike(rooms: Any) -> None:
    whole = rooms("jobs.whole")
    now = whole.StageNow(name="Training", index=2, count=3, step=1, total=2, eta=33.0, elapsed=1.0)
    assert whole.share_of(now, {}) == pytest.approx(0.5)
    assert whole.seconds_left(now, {}) == whole.UNKNOWN
    assert whole.seconds_left(replace(now, index=3), {}) == 33.0
    before = replace(now, name="", index=0, count=0, eta=-1.0)
    assert whole.share_of(before, USUAL) == 0.0
    assert whole.seconds_left(before, USUAL) == whole.UNKNOWN


def test_the_bar_never_goes_back(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    job = rooms("jobs.manager").make_record(request(), "python", ROOT, 0, tmp_path)
    job.usual, shares = USUAL, []
    inner = type(job).__module__.rpartition(".addon.")[0]
    events = sys.modules[f"{inner}.backend.protocol"]
    for event in (
        events.Stage("Loading", 1, 3),
        events.Progress(9, 10),
        events.Stage("A stage of its own", 1, 3),
        events.Progress(1, 10),
        events.Stage("Training", 2, 3),
        events.Progress(1, 100),
        events.Stage("Writing", 3, 3),
    ):
        job.take(event)
        shares.append(job.share)
    assert shares == sorted(shares)
    assert shares[1] == pytest.approx(0.09)
    assert shares[-1] == pytest.approx(0.9, abs=1e-3)
