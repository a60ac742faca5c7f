"""The life of a worker: cancel, death by kill, death of its parent, and going on from a
checkpoint.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.command_line import start
from helpers.workers import make_job, seconds_to_outlive_its_parent, wait_for_step

from backend import protocol

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX"),
]


def events_until(
    process: subprocess.Popen[bytes], kind: type, limit: float = 600.0
) -> list[protocol.Event]:
    """Events up to and with the first of a kind, or to the end of the stream."""
    found: list[protocol.Event] = []
    end = time.monotonic() + limit
    while time.monotonic() < end:
        line = process.stdout.readline()
        event = protocol.decode(line) if line else None
        if not line:
            break
        if event is not None:
            found.append(event)
        if isinstance(event, kind):
            break
    return found


def test_stream_is_complete_and_only_events(tmp_path: Path) -> None:
    job = make_job(tmp_path, 30)
    with start("splats", "--events", "--job", job) as process:
        lines = process.stdout.read().splitlines()
    events = [protocol.decode(line) for line in lines]
    assert all(events), "every line is an event"
    assert isinstance(events[0], protocol.Hello)
    assert isinstance(events[-1], protocol.Result)
    assert Path(events[-1].manifest).is_file()
    assert {e.name for e in events if isinstance(e, protocol.Stage)} == {
        "Loading the pictures",
        "Training",
        "Writing the splats",
    }
    assert any(isinstance(e, protocol.Preview) and Path(e.path).is_file() for e in events)
    assert json.loads((job / "state.json").read_text())["status"] == "done"


def test_cancel_is_answered_within_few_steps_and_resumable(tmp_path: Path) -> None:
    job = make_job(tmp_path, 4000)
    with start("splats", "--events", "--job", job) as process:
        wait_for_step(process, 4000, 1)
        process.stdin.write(b'noise\n{"type": "cancel"}\n')
        process.stdin.flush()
        *before, last = events_until(process, protocol.Cancelled)
        assert last == protocol.Cancelled(resumable=True)
        # steps and not seconds, for those say how busy the machine is
        assert all(e.step < 1000 for e in before if isinstance(e, protocol.Progress))
        assert process.wait(120) == 0
    assert json.loads((job / "state.json").read_text())["status"] == "cancelled"
    assert not (job / "result").exists()


def test_parent_death_ends_the_worker_and_keeps_its_work(tmp_path: Path) -> None:
    job = make_job(tmp_path, 100_000)
    assert seconds_to_outlive_its_parent(job) < 60.0, "it would have trained for an hour"
    assert (job / "checkpoint" / "state.safetensors").is_file()


def test_two_workers_in_one_folder(tmp_path: Path) -> None:
    """The second is told who is there, and touches nothing."""
    job = make_job(tmp_path, 100_000)
    with start("splats", "--events", "--job", job) as first:
        wait_for_step(first, 100_000, 1)
        with start("splats", "--events", "--job", job) as second:
            (failure,) = (protocol.decode(line) for line in second.stdout)
        assert isinstance(failure, protocol.Failure) and failure.code == "BUSY"
        assert f"process {first.pid}" in failure.what
        first.stdin.write(b'{"type": "cancel"}\n')
        first.stdin.close()
        assert events_until(first, protocol.Cancelled)[-1] == protocol.Cancelled(resumable=True)


def finish(job: Path) -> bytes:
    with start("splats", "--events", "--job", job) as process:
        assert isinstance(events_until(process, protocol.Result)[-1], protocol.Result)
        process.stdin.close()
    return (job / "result" / "splats.ply").read_bytes()


def test_killed_and_resumed_equals_unbroken(tmp_path: Path) -> None:
    """Not within 0.05 dB: to the last bit. The worker is killed between two checkpoints and goes on
    from the first.
    """
    unbroken, broken = tmp_path / "a", tmp_path / "b"
    first, second = make_job(unbroken, 500), make_job(broken, 500)
    reference = finish(first)
    with start("splats", "--events", "--job", second) as process:
        for line in process.stdout:
            event = protocol.decode(line)
            if isinstance(event, protocol.Progress) and event.total == 500 and event.step > 150:
                break
        process.stdin.write(b'{"type": "cancel"}\n')
        process.stdin.flush()
        process.wait(120)
    assert (second / "checkpoint" / "state.safetensors").is_file()
    with start("splats", "--events", "--job", second) as process:  # and once more, by force
        for line in process.stdout:
            event = protocol.decode(line)
            if isinstance(event, protocol.Progress) and event.total == 500 and event.step > 300:
                break
        process.send_signal(signal.SIGKILL)
        process.wait(120)
    assert finish(second) == reference


def test_same_seed_same_splats(tmp_path: Path) -> None:
    assert finish(make_job(tmp_path / "a", 120)) == finish(make_job(tmp_path / "b", 120))
