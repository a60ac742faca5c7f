"""What a worker hears on its standard input: whatever comes, the next message is heard."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.command_line import Recorder, start
from helpers.workers import make_job, wait_for_step
from hypothesis import given, strategies as st

from backend import protocol
from backend.protocol import JobCancelled, Request, SetupError
from backend.runtime.cancel import CancelToken, hear
from backend.runtime.folder import JobFolder
from backend.runtime.job import Job, Outcome, run_job
from backend.runtime.stdin_lines import split_lines
from backend.splats.splats_verb import VERB, SplatsOptions

CANCEL = b'{"type": "cancel"}'
NOISE = {
    "deep lists": b"[" * 4000,
    "deep objects": b'{"a":' * 10_000,
    "deep and closed": b"[" * 30_000 + b"]" * 30_000,
    "a huge number": b"9" * 50_000,
    "a huge type": b'{"type": ' + b"9" * 5000 + b"}",
    "zeros": b"\0" * 5000,
    "no UTF-8": bytes(range(128, 256)),
    "UTF-16": '{"type": "cancel"'.encode("utf-16"),
    "half a character": b'{"type": "\\ud800"}',
    "not JSON": b"NaN Infinity {]",
    "other things": b'[{"type": "cancel"}]',
    "no type": b'{"type": ["cancel"]}',
    "a cancel behind megabytes": b" " * 10_000_000 + CANCEL,
    "an empty line": b"",
    "a carriage return": b"\r",
}


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_passed_over_and_a_cancel_after_it_is_heard(name: str) -> None:
    token = CancelToken()
    for line in split_lines([NOISE[name] + b"\n"]):
        hear(token, line)
    assert not token.is_set
    for line in split_lines([NOISE[name] + b"\n" + CANCEL + b"\n"]):
        hear(token, line)
    with pytest.raises(JobCancelled):
        token.check()


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    marks = sorted({min(p, len(data)) for p in places})
    for start_, end in zip([0, *marks], [*marks, len(data)], strict=True):
        if data[start_:end]:
            yield data[start_:end]


@given(
    st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=8),
    st.lists(st.integers(0, 300), max_size=8),
)
def test_lines_do_not_depend_on_how_they_arrive(lines: list[bytes], places: list[int]) -> None:
    """And whatever is too long is gone as a whole."""
    data = b"".join(line + b"\n" for line in lines) + b"half a line"
    heard = list(split_lines(cut(data, places), longest=20))
    assert heard == [line for line in lines if len(line) <= 20]


@pytest.mark.parametrize("theirs", ["2", "0", '"1"', "null", "9" * 30])
def test_a_hello_of_another_version_is_refused(theirs: str) -> None:
    token = CancelToken()
    hear(token, f'{{"type": "hello", "protocol": {theirs}}}'.encode())
    with pytest.raises(SetupError, match="another version of the protocol"):
        token.check()


def test_a_hello_of_this_version_and_one_of_the_worker_itself() -> None:
    token = CancelToken()
    hear(token, json.dumps({"type": "hello", "protocol": protocol.PROTOCOL}).encode())
    assert not token.is_set
    newer = protocol.decode(b'{"type": "hello", "protocol": 2, "name": "of another kind"}')
    assert newer == protocol.Hello(2, 0, "", "")
    assert protocol.decode(b'{"type": "hello", "protocol": 1, "pid": 1}') is None


def test_a_refused_job_ends_in_that_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(job: Job[SplatsOptions]) -> Outcome:
        hear(job.cancel, b'{"type": "hello", "protocol": 7}')
        job.stage("Training", 1, 1)
        raise AssertionError

    monkeypatch.setattr(type(VERB), "load", lambda verb: run)
    recorder = Recorder()
    request = Request(verb="splats", input="x", options=SplatsOptions(), device="cpu")
    folder = JobFolder.for_job(tmp_path / "job")
    assert run_job(VERB, request, folder, recorder, CancelToken()) == 1
    failure = recorder.events[-1]
    assert isinstance(failure, protocol.Failure) and failure.code == "SETUP"
    assert "(7)" in failure.what
    assert json.loads((folder.root / "state.json").read_text())["status"] == "failed"


def test_setting_a_token_within_its_own_setting() -> None:
    """As a signal handler does that interrupts another: it waits for nothing."""
    token = CancelToken()
    calls: list[int] = []

    def again() -> None:
        calls.append(1)
        if len(calls) < 3:
            token.set()

    token.on_cancel(again)
    token.set()
    assert token.is_set and len(calls) == 3


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="reads the worker's speed from POSIX pipes")
def test_a_worker_hears_a_cancel_after_all_that(tmp_path: Path) -> None:
    job = make_job(tmp_path, 100_000)
    with start("splats", "--events", "--job", job) as process:
        wait_for_step(process, 100_000, 1)
        for line in NOISE.values():
            process.stdin.write(line + b"\n")
        process.stdin.write(CANCEL + b"\n")
        process.stdin.flush()
        *before, last = [protocol.decode(line) for line in process.stdout]
    assert last == protocol.Cancelled(resumable=True)
    # steps and not seconds, for those say how busy the machine is
    assert all(e.step < 5000 for e in before if isinstance(e, protocol.Progress))
