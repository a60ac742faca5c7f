"""A worker and its parent's death: no checkpoint lost, nobody left, whatever the worker is at."""

import functools
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.command_line import start
from helpers.places import ROOT
from helpers.workers import make_job

from backend import protocol
from tests.drill import frozen, kills
from tests.drill.parents import start_parent, worker_command
from tests.drill.processes import end_all, seconds_to_end

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX"),
]
BUSY = 60.0  # the bar is 5 s, for `make drill`; here others may have the machine
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@on_linux
def test_a_killed_parent_loses_no_checkpoint(tmp_path: Path) -> None:
    """Twice, with 24 threads, whose deaths were told to the worker one by one."""
    outcome = kills.drill(tmp_path, 2, make=functools.partial(make_job, steps=200), bar=BUSY)
    assert outcome.passed, outcome.line()


@on_linux
@pytest.mark.parametrize("fault", frozen.FAULTS)
def test_a_worker_that_can_not_hear_is_ended(tmp_path: Path, fault: frozen.Fault) -> None:
    outcome = frozen.drill(tmp_path, fault, BUSY)
    assert outcome.passed, outcome.line()


@on_linux
def test_the_watchdog_costs_little() -> None:
    _, megabytes = frozen.watchdog_cost(3)  # milliseconds say how busy the machine is
    assert megabytes < 10


def test_the_end_of_the_thread_that_started_it_is_not_the_parent_s(tmp_path: Path) -> None:
    parent = start_parent(worker_command(make_job(tmp_path, 20)), threads="thread")
    assert parent.wait_for(protocol.Result) is not None
    parent.kill()


@pytest.fixture
def hangups() -> Iterator[None]:
    """Heard by who is started, even where the suite itself runs under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangups")
def test_a_hangup_writes_a_checkpoint_and_a_second_one_too(tmp_path: Path) -> None:
    """A closed terminal: the shell and the system both tell of it."""
    job = make_job(tmp_path, 100_000)
    with start("splats", "--job", job) as process:  # no --events: as a person starts it
        while not (job / "previews").is_dir():
            time.sleep(0.02)
        for _ in range(3):
            process.send_signal(signal.SIGHUP)
        assert process.wait(120) == 0
    assert kills.step_of(job) is not None or not (job / "staging").exists()


def test_nohup_is_heeded(tmp_path: Path) -> None:
    text = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "from backend.runtime.cancel import CancelToken, stop_on_signals;"
        "token = CancelToken(); stop_on_signals(token, has_human=True);"
        "os.kill(os.getpid(), signal.SIGHUP); print(token.is_set)"
    )
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_human_s_second_signal_leaves_at_once(name: str) -> None:
    """Its work never asks whether to stop."""
    text = (
        "import sys, time; from backend.runtime.cancel import CancelToken, stop_on_signals;"
        "stop_on_signals(CancelToken(), has_human=True); print(flush=True);"
        "[time.sleep(0.1) for _ in iter(int, 1)]"
    )
    number = getattr(signal, name)
    with subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        child.send_signal(number)
        time.sleep(0.3)
        assert child.poll() is None, "the first one asks"
        child.send_signal(number)
        assert child.wait(30) == 128 + number


@on_linux
def test_others_of_a_pipeline_are_left_alone(tmp_path: Path) -> None:
    """`worker --events | tee` in a shell: both are of one group, which the worker heads."""
    text = (
        "import os, subprocess, sys; os.setpgid(0, 0);"
        "other = subprocess.Popen(['sleep', '3600'], stdout=subprocess.DEVNULL);"
        "print(other.pid, flush=True);"
        "from backend.runtime.parent import end_with_parent; end_with_parent()"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    other = int(done.stdout)
    assert seconds_to_end([other], limit=1.5) >= 1.5
    end_all([other])
