"""The boundary's promises in seconds: cancel, a killed worker, a killed parent, a resumed run against an unbroken one."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from backend import protocol
from backend.formats import splat_ply
from backend.protocol import Request, SplatsOptions
from tests.benchmarks.table import ROOT, Row, Table


def make_job(folder: Path, steps: int) -> Path:
    sys.path.insert(0, str(ROOT / "tests"))
    import shutil

    from helpers import clips

    shutil.rmtree(folder, ignore_errors=True)
    clips.write_capture(folder / "capture", 16, (320, 240))
    job = folder / "job"
    job.mkdir()
    request = Request("splats", str(folder / "capture"), SplatsOptions(steps=steps, max_splats=20_000), device="cpu")
    (job / "request.json").write_text(request.to_json())
    return job


def start(job: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "backend", "splats", "--events", "--job", str(job)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)


def wait_for(process: subprocess.Popen[bytes], total: int, step: int) -> None:
    for line in process.stdout:
        event = protocol.decode(line)
        if isinstance(event, protocol.Progress) and event.total == total and event.step >= step:
            return


def run(table: Table) -> None:
    waits = []
    for _ in range(5):
        with start(make_job(table.scratch / "cancel", 50_000)) as process:
            wait_for(process, 50_000, 20)
            asked = time.monotonic()
            process.stdin.write(b'{"type": "cancel"}\n')
            process.stdin.flush()
            while not isinstance(protocol.decode(process.stdout.readline()), protocol.Cancelled):
                pass
            waits.append(time.monotonic() - asked)
    table.add(Row("320x240, 20k splats", "cancel answered, slowest of 5", max(waits), "s"))
    with start(make_job(table.scratch / "kill", 50_000)) as process:
        wait_for(process, 50_000, 20)
        process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        process.stdout.read()
        process.wait()
        table.add(Row("320x240, 20k splats", "kill -9 of the worker noticed", time.monotonic() - killed, "s"))
    table.add(Row("320x240, 20k splats", "worker gone after its parent's kill -9", parent_death(table.scratch / "parent"), "s"))
    resumed_equals_unbroken(table)


def parent_death(folder: Path) -> float:
    job = make_job(folder, 50_000)
    code = f"""
        import subprocess, sys, time
        p = subprocess.Popen([sys.executable, "-m", "backend", "splats", "--events", "--job", {str(job)!r}],
                             cwd={str(ROOT)!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for line in p.stdout:
            if b"50000" in line: break
        print(p.pid, flush=True); time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as parent:
        worker = int(parent.stdout.readline())
        parent.kill()
        killed = time.monotonic()
    while time.monotonic() - killed < 30:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            break
        status = Path(f"/proc/{worker}/stat")
        if status.exists() and status.read_text().split()[2] == "Z":
            break
        time.sleep(0.02)
    return time.monotonic() - killed


def resumed_equals_unbroken(table: Table) -> None:
    results = []
    for name, breaks in (("unbroken", ()), ("broken", (200, 500))):
        job = make_job(table.scratch / name, 800)
        for step in breaks:
            with start(job) as process:
                wait_for(process, 800, step)
                process.stdin.write(b'{"type": "cancel"}\n')
                process.stdin.flush()
                process.stdout.read()
        with start(job) as process:
            process.stdout.read()
        results.append(job / "result")
    psnr = [float(json.loads((r / "manifest.json").read_text())["metrics"]["psnr"]) for r in results]
    table.add(Row("800 steps, stopped twice", "PSNR difference to unbroken", abs(psnr[0] - psnr[1]), "dB"))
    a, b = (splat_ply.read(r / "splats.ply") for r in results)
    same = len(a) == len(b) and bool((a.means == b.means).all() and (a.sh == b.sh).all())
    table.add(Row("800 steps, stopped twice", "splats equal to the last bit", float(same)))
