"""The boundary's promises in seconds: cancel, a killed worker, a killed parent, a resumed run
against an unbroken one.
"""

import functools
import json
import signal
import time

from helpers import workers
from helpers.workers import seconds_to_outlive_its_parent, start_job, wait_for_step

from backend import protocol
from backend.formats import splat_ply
from tests.benchmarks.table import Row, Table

make_job = functools.partial(workers.make_job, views=16, size=(320, 240), max_splats=20_000)


def run(table: Table) -> None:
    waits = []
    for _ in range(5):
        with start_job(make_job(table.scratch / "cancel", 50_000)) as process:
            wait_for_step(process, 50_000, 20)
            asked = time.monotonic()
            process.stdin.write(b'{"type": "cancel"}\n')
            process.stdin.flush()
            while not isinstance(protocol.decode(process.stdout.readline()), protocol.Cancelled):
                pass
            waits.append(time.monotonic() - asked)
    table.add(Row("320x240, 20k splats", "cancel answered, slowest of 5", max(waits), "s"))
    with start_job(make_job(table.scratch / "kill", 50_000)) as process:
        wait_for_step(process, 50_000, 20)
        process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        process.stdout.read()
        process.wait()
        table.add(
            Row(
                "320x240, 20k splats",
                "kill -9 of the worker noticed",
                time.monotonic() - killed,
                "s",
            )
        )
    gone = seconds_to_outlive_its_parent(make_job(table.scratch / "parent", 50_000))
    table.add(Row("320x240, 20k splats", "worker gone after its parent's kill -9", gone, "s"))
    resumed_equals_unbroken(table)


def resumed_equals_unbroken(table: Table) -> None:
    results = []
    for name, breaks in (("unbroken", ()), ("broken", (200, 500))):
        job = make_job(table.scratch / name, 800)
        for step in breaks:
            with start_job(job) as process:
                wait_for_step(process, 800, step)
                process.stdin.write(b'{"type": "cancel"}\n')
                process.stdin.flush()
                process.stdout.read()
        with start_job(job) as process:
            process.stdout.read()
        results.append(job / "result")
    psnr = [
        float(json.loads((r / "manifest.json").read_text())["metrics"]["psnr"]) for r in results
    ]
    table.add(
        Row("800 steps, stopped twice", "PSNR difference to unbroken", abs(psnr[0] - psnr[1]), "dB")
    )
    a, b = (splat_ply.read(r / "splats.ply") for r in results)
    same = len(a) == len(b) and bool((a.means == b.means).all() and (a.sh == b.sh).all())
    table.add(Row("800 steps, stopped twice", "splats equal to the last bit", float(same)))
