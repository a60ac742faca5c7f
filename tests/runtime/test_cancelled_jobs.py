"""A job that is cancelled at any moment, and twice: it says so, and what was there before stays."""

import json
from pathlib import Path

import pytest
from helpers.command_line import Recorder

from backend import protocol
from backend.protocol import Request
from backend.runtime.cancel import CancelToken
from backend.runtime.folder import JobFolder
from backend.runtime.job import Job, Outcome, run_job
from backend.splats.splats_verb import VERB, SplatsOptions

REQUEST = Request(verb="splats", input="x", options=SplatsOptions(), device="cpu")
MOMENTS = ("before it", "while packages are loaded", "in the work", "at its end")


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_earlier_result_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    folder, token = JobFolder.for_job(tmp_path / "job"), CancelToken()
    texts = iter(("first", "second"))

    def cancel(now: str) -> None:
        if now == moment and (folder.output / "splats.ply").exists():
            token.set()
            token.set()

    def run(job: Job[SplatsOptions]) -> Outcome:
        (job.folder.staging / "splats.ply").write_text(next(texts))
        cancel("in the work")
        job.stage("Training", 1, 1)
        cancel("at its end")
        return Outcome("done")

    def load(verb: object) -> object:
        cancel("while packages are loaded")
        return run

    monkeypatch.setattr(type(VERB), "load", load)
    assert run_job(VERB, REQUEST, folder, Recorder(), token) == 0
    cancel("before it")
    recorder = Recorder()
    assert run_job(VERB, REQUEST, folder, recorder, token) == 0
    assert recorder.events[-1] == protocol.Cancelled(resumable=False)
    assert (folder.output / "splats.ply").read_text() == "first"
    assert folder.manifest.is_file() and not folder.staging.exists()
    assert json.loads((folder.root / "state.json").read_text())["status"] == "cancelled"


def test_nothing_is_loaded_for_a_job_that_is_cancelled_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(verb: object) -> object:
        raise AssertionError("loaded")

    monkeypatch.setattr(type(VERB), "load", load)
    token, recorder = CancelToken(), Recorder()
    token.set()
    assert run_job(VERB, REQUEST, JobFolder.for_job(tmp_path / "job"), recorder, token) == 0
    assert recorder.events == [protocol.Cancelled(resumable=False)]
