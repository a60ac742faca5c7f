"""What thirty seconds of footage cost, from a video to head, speaker and Gaussians: CPU and wall
seconds of every stage of the job; and what a frame of that head costs in Blender, if its Python is
there (make test makes it). PRESET=fast for a quick look.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from backend import __main__ as command_line
from backend.protocol import Event, Failure, Stage
from backend.runtime.cancel import CancelToken
from backend.runtime.measure import cpu_seconds
from tests.benchmarks.table import ROOT, Row, Table, has, say

SECONDS = 30


@dataclass
class Stopwatch:
    """A reporter that notes when each stage began."""

    begun: list[tuple[str, float, float]] = field(default_factory=list)  # name, CPU, wall

    def send(self, event: Event) -> None:
        if isinstance(event, Stage):
            self.note(event.name)
        if isinstance(event, Failure):
            say(f"{event.what} {event.advice}")

    def note(self, name: str) -> None:
        self.begun.append((name, cpu_seconds(), time.monotonic()))


def run(table: Table) -> None:
    """Of talk_french50, on ICT's head."""
    weights, model = has("weights/mediapipe_face"), has("models/ict_facekit")
    clip = has("talking/talk_french50/french.mp4")
    if weights is None or model is None or clip is None:
        return
    preset, output = os.environ.get("PRESET", "balanced"), table.scratch / "cost"
    shutil.rmtree(output, ignore_errors=True)
    words = ["face", "--input", clip, "--output", output, "--tracker", weights, "--rig", model]
    words += ["--end", SECONDS, "--preset", preset]
    watch = Stopwatch()
    watch.note("Starting")
    parsed = command_line.make_parser().parse_args([str(word) for word in words])
    if command_line.run(parsed, watch, CancelToken()):
        return
    watch.note("")
    case = f"face, {SECONDS} s, {preset}"
    for (name, cpu, wall), (_, cpu_after, wall_after) in zip(
        watch.begun[:-1], watch.begun[1:], strict=True
    ):
        table.add(Row(case, name, wall_after - wall, "s wall", 0, cpu_after - cpu))
    first, last = watch.begun[0], watch.begun[-1]
    table.add(Row(case, "all", last[2] - first[2], "s wall", 0, last[1] - first[1]))
    _in_blender(output, table)


def _in_blender(folder: Path, table: Table) -> None:
    """CPU milliseconds of a new frame in Blender 5.3."""
    inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    python = ROOT / ".venv-bpy53" / inside
    if not python.is_file():
        say(f"{'Blender 5.3':<28} not here: make test")
        return
    script = ROOT / "tests" / "benchmarks" / "blender_head.py"
    command = [str(python), str(script), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    whole, bare, count = (float(word) for word in done.stdout.splitlines()[-1].split())
    case = f"Blender 5.3, {count:,.0f} Gaussians"
    table.add(Row(case, "a frame", whole, "CPU ms"))
    table.add(Row(case, "of this, the Gaussians", whole - bare, "CPU ms"))
