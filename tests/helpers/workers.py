"""Workers on small jobs, as Blender starts them; for the tests and the benchmark of the
boundary.
"""

import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from helpers import clips
from helpers.command_line import start
from helpers.places import ROOT

from backend import protocol
from backend.protocol import Request
from backend.splats.splats_verb import SplatsOptions


def make_job(
    folder: Path,
    steps: int,
    views: int = 8,
    size: tuple[int, int] = (64, 48),
    max_splats: int = 1500,
) -> Path:
    """A job folder with a training on a capture of its own."""
    shutil.rmtree(folder / "capture", ignore_errors=True)
    shutil.rmtree(folder / "job", ignore_errors=True)
    clips.write_capture(folder / "capture", views, size)
    job = folder / "job"
    job.mkdir()
    request = Request(
        verb="splats",
        input=str(folder / "capture"),
        options=SplatsOptions(steps=steps, max_splats=max_splats),
        device="cpu",
    )
    (job / "request.json").write_text(request.to_json())
    return job


def start_job(job: Path) -> subprocess.Popen[bytes]:
    return start("splats", "--events", "--job", job)


def wait_for_step(process: subprocess.Popen[bytes], total: int, step: int) -> None:
    """Reads events until the training of `total` steps has come so far."""
    for line in process.stdout:
        event = protocol.decode(line)
        if isinstance(event, protocol.Progress) and event.total == total and event.step >= step:
            return


def seconds_to_outlive_its_parent(job: Path, limit: float = 120.0) -> float:
    """Starts the worker from a process that is then killed; how long the worker lives on."""
    code = f"""
        import subprocess, sys, time
        p = subprocess.Popen(
            [sys.executable, "-m", "backend", "splats", "--events", "--job", {str(job)!r}],
            cwd={str(ROOT)!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for line in p.stdout:
            if b'"loss"' in line: break
        print(p.pid, flush=True); time.sleep(600)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE)
    worker = int(parent.stdout.readline())
    os.kill(worker, 0)  # it lives
    parent.kill()
    killed = time.monotonic()
    while time.monotonic() - killed < limit and _lives(worker):
        time.sleep(0.005)
    gone = time.monotonic() - killed
    parent.communicate()
    return gone


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # no /proc here
        return sys.platform != "linux"
