"""Workers that can't hear: inside native code that holds Python's lock, stopped, or dead before
what they started. Their parent is killed, and they must be gone all the same.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from helpers.workers import make_job

from backend import protocol

from .outcome import Outcome
from .parents import start_parent
from .processes import BAR, descendants, end_all, seconds_to_end

Fault = Literal["holds the lock", "is stopped", "holds the lock and is stopped", "is killed"]
FAULTS: tuple[Fault, ...] = (
    "holds the lock",
    "is stopped",
    "holds the lock and is stopped",
    "is killed",
)
ALL = 5  # it, the watchdog, and what it started
PATIENCE = 10.0  # seconds
# The command line itself, with a verb that starts children and then never comes back to Python.
PROGRAM = """
import ctypes, subprocess, sys, threading
import backend.__main__ as command_line
from backend.verb import Verb
def run(job):
    for text in ("sleep 3600", "sleep 3600 & sleep 3600"):
        subprocess.Popen(["sh", "-c", text])
    job.stage("Holding", 1, 1)
    if {holds}:
        ctypes.PyDLL(None).sleep(3600)
    threading.Event().wait()
Verb.load = lambda verb: run
sys.argv = ["backend", "splats", "--events", "--job", {job!r}]
sys.exit(command_line.main())
"""


def _everyone(worker: int) -> list[int]:
    """The worker and all that it has started, which takes shells a moment."""
    end = time.monotonic() + PATIENCE
    while len(found := [worker, *descendants(worker)]) < ALL and time.monotonic() < end:
        time.sleep(0.05)
    return found


def drill(folder: Path, fault: Fault, bar: float = BAR) -> Outcome:
    """Kills the parent of such a worker, or the worker itself, and sees who is left."""
    outcome = Outcome(fault="F2, F16, issue 25.2", tried=f"a worker that {fault}, and kill -9")
    text = PROGRAM.format(holds="holds" in fault, job=str(make_job(folder, 10)))
    parent = start_parent([sys.executable, "-c", text])
    assert parent.wait_for(protocol.Stage) is not None
    everyone = _everyone(parent.worker)
    if "stopped" in fault:
        os.kill(parent.worker, signal.SIGSTOP)
    if fault == "is killed":
        os.kill(parent.worker, signal.SIGKILL)
    else:
        parent.kill()
    outcome.times, outcome.slowest = 1, seconds_to_end(everyone, limit=bar + 10)
    if len(everyone) < ALL:
        outcome.failures.append(f"only {len(everyone)} processes were to be seen")
    if outcome.slowest > bar:
        outcome.failures.append(f"alive after {bar:.0f} s")
    end_all(everyone)
    parent.kill()
    return outcome


def watchdog_cost(repeats: int = 10) -> tuple[float, float]:
    """What a watchdog costs its worker: milliseconds until it goes on, and the megabytes that the
    watchdog has to itself.
    """
    text = f"""
import time
from pathlib import Path
from backend.runtime import parent
took = []
for _ in range({repeats}):
    begun = time.perf_counter()
    parent.end_with_parent()
    took.append(time.perf_counter() - begun)
time.sleep(1.0)
own = Path(f"/proc/{{parent._watchdogs[0].pid}}/smaps_rollup").read_text()
private = sum(int(l.split()[1]) for l in own.splitlines() if l.startswith("Private"))
for watchdog in parent._watchdogs:
    watchdog.kill()
print(sorted(took)[len(took) // 2] * 1000, private / 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, check=True, text=True
    )
    milliseconds, megabytes = done.stdout.split()
    return float(milliseconds), float(megabytes)
