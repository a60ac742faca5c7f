"""The add-on's side of a child process: what it takes for news, and how it ends what stays."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from backend.events import MAX_LINE
from backend.formats.words_lines import Question

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
SAY = "import os, sys, time\ndef say(text): os.write(1, text.encode() + b'\\n')\n"
HELLO = 'say(\'{"type": "hello", "protocol": %d, "pid": 1, "version": "1", "device": "x"}\')\n'
STAY = "time.sleep(3600)\n"


@pytest.fixture
def start(rooms: Any, bpy: Any, tmp_path: Path) -> Any:
    """Starts a child that runs a text."""
    started = []

    def begin(text: str) -> Any:
        command = [sys.executable, "-c", SAY + text]
        process = rooms("jobs.process").JobProcess(command, tmp_path / "log", tmp_path)
        started.append(process)
        return process

    yield begin
    for process in started:
        process._process.kill()


@pytest.fixture
def protocol(rooms: Any, bpy: Any) -> Any:
    """The add-on's own: its events are no others'."""
    return rooms("jobs.process").protocol


def to_its_end(process: Any) -> list[Any]:
    """What it says until it is gone; the run's timeout ends this if it never is."""
    events: list[Any] = []
    while not process.ended:
        events += process.poll()
        time.sleep(0.01)
    return events


def test_a_worker_of_another_version_is_refused(start: Any, protocol: Any) -> None:
    events = to_its_end(start(HELLO % 2 + 'say(\'{"type": "cancelled"}\')\n' + STAY))
    assert len(events) == 1
    refusal = events[0]
    assert isinstance(refusal, protocol.Failure) and refusal.code == "SETUP"
    assert "another version of the protocol (2)" in refusal.what and "Restart" in refusal.advice


def test_a_worker_is_greeted(start: Any, protocol: Any) -> None:
    text = "line = sys.stdin.readline().replace('\"', '')\n"
    text += "say('{\"type\": \"cancelled\"}' if 'hello, protocol: 1' in line else line)\n"
    assert to_its_end(start(text)) == [protocol.Cancelled()]


def test_parts_of_lines_are_no_events(start: Any) -> None:
    """The tail of a line that is too long, and a line that has no end."""
    text = f"os.write(1, b' ' * {2 * MAX_LINE + 2})\n"
    text += 'say(\'{"type": "cancelled"}\')\n'
    text += 'os.write(1, b\'{"type": "cancelled"}\')\n'
    process = start(text)
    assert to_its_end(process) == [] and process.crashed


def test_what_is_not_read_waits_with_the_worker(rooms: Any, start: Any) -> None:
    text = 'for _ in range(200_000): say(\'{"type": "progress", "step": 1, "total": 2}\')\n'
    process, most = start(text), rooms("jobs.process").WAITING_EVENTS
    while process._events.qsize() < most:
        time.sleep(0.01)
    assert process._events.qsize() == most and process._process.poll() is None
    process.stop()
    assert process._process.poll() is not None


def test_a_stopped_worker_can_be_cancelled(
    rooms: Any, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms("jobs.process"), "CANCEL_GRACE", 0.2)
    process = start(HELLO % 1 + STAY)
    while not process.poll():
        time.sleep(0.01)
    os.kill(process._process.pid, signal.SIGSTOP)
    process.cancel()
    to_its_end(process)
    assert process.status == -signal.SIGKILL


def test_a_worker_that_has_said_all_and_stays_is_ended(
    rooms: Any, start: Any, protocol: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms("jobs.process"), "LEAVE_GRACE", 0.2)
    process = start('say(\'{"type": "cancelled"}\')\n' + STAY)
    assert to_its_end(process) == [protocol.Cancelled()] and not process.crashed


@pytest.mark.parametrize(
    ("status", "words", "code", "said"),
    [
        (-9, "", "MEMORY", "the memory ran out"),
        (137, "", "MEMORY", "the memory ran out"),
        (0xC0000017, "", "MEMORY", "the memory ran out"),
        (-6, "terminate called after throwing an instance of 'std::bad_alloc'", "MEMORY", "words"),
        (-4, "", "SETUP", "this processor does not have"),
        (-11, "", "CRASH", "stopped unexpectedly (status -11)."),
        (1, "Traceback", "CRASH", "stopped unexpectedly (status 1)."),
    ],
)
def test_what_a_crash_is_called(
    rooms: Any, bpy: Any, status: int, words: str, code: str, said: str
) -> None:
    crash = rooms("jobs.endings").of_crash(status, words, True)
    assert crash.code == code and said in crash.what
    assert ("fewer splats" in crash.advice) == (code == "MEMORY")
    assert code == "SETUP" or "Resume" in crash.advice or "resume" in crash.advice


def test_only_its_own_last_words_count(start: Any, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("MemoryError, a run before\n")
    process = start("sys.stderr.write('these')")
    to_its_end(process)
    assert process.last_words() == "these"


def test_a_prompt_that_is_too_long_is_said_so(rooms: Any, bpy: Any) -> None:
    process = rooms("words.process").WordsProcess()
    with pytest.raises(Exception, match="too long"):
        process.ask("python", Path(), Question(id=1, folder="f", prompt="漢" * 20_000))
    assert not process.alive


def test_a_flood_of_warnings_is_kept_in_bounds(rooms: Any, bpy: Any, tmp_path: Path) -> None:
    from backend.protocol import Request
    from backend.semantics.rendering.render_verb import RenderOptions

    request = Request(verb="render", input="x", options=RenderOptions())
    job = rooms("jobs.manager").make_record(request, "python", tmp_path, 0, tmp_path)
    warning = rooms("jobs.process").protocol.Warn
    for number in range(1000):
        job.take(warning("A", str(number)))
    assert len(job.warnings) == 50 and job.warnings[-1] == "999"


def test_a_worker_without_news_is_said_to_be_silent(
    rooms: Any, bpy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.protocol import Request
    from backend.semantics.rendering.render_verb import RenderOptions

    record, now = rooms("jobs.record"), time.monotonic()
    monkeypatch.setattr(record.time, "monotonic", lambda: now)
    request = Request(verb="render", input="x", options=RenderOptions())
    job = rooms("jobs.manager").make_record(request, "python", tmp_path, 0, tmp_path)
    job.status, job.last_news = "running", now - record.SILENCE - 0.1
    assert job.silent
    job.take(rooms("jobs.process").protocol.Progress(1, 2))
    assert not job.silent
