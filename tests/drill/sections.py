"""The drills by their subject; each yields its rows as they come."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

from helpers.places import ROOT

from . import (
    frozen,
    hostile_run,
    kills,
    same_bytes,
    signal_kills,
    stage_requests as requests,
    suite,
)
from .hostile_files import corpus
from .outcome import Outcome
from .suite import BIN, BLENDERS

NAMES = ("plain", "with spaces", 'it\'s "quoted"', "é ü ß", "漢字", "🙂", "a" * 200)


def killed(folder: Path, count: int) -> Iterator[Outcome]:
    """Parents of 24 threads, workers, and both, `count` times each, while a training runs."""
    for victim in get_args(kills.Victim):
        yield kills.drill(folder / victim, count, victim)


def killed_stages(folder: Path, count: int) -> Iterator[Outcome]:
    """The other verbs' workers, a fifth of `count` times each, at any moment of their work."""
    for name, request in requests.every(folder):
        found = signal_kills.drill(request, folder / "jobs" / name, max(2, count // 5))
        saved = f"{found.resumed} had saved something"
        yield Outcome(
            fault="F1, F22",
            tried=f"kill -9 of `{name}`, resumed; {saved}, {found.twice:.1f} CPU s done twice",
            times=found.kills,
            slowest=found.slowest,
            failures=found.failures,
        )


def frozen_workers(folder: Path, count: int) -> Iterator[Outcome]:
    """Workers that can't listen."""
    for number, fault in enumerate(get_args(frozen.Fault)):
        yield frozen.drill(folder / str(number), fault)


def same(folder: Path, count: int) -> Iterator[Outcome]:
    """One seed on one core, on two, and on two beside a busy neighbour."""
    for name, differences in same_bytes.drill(folder, quick=count < 40).items():
        tried = f"`{name}` on 1 core, on 2, on 2 beside a busy neighbour"
        yield Outcome(fault="F21", tried=tried, times=3, failures=differences)


def hostile(folder: Path, count: int) -> Iterator[Outcome]:
    """Of all the hostile inputs `20 x count`, evenly; every one where that is more."""
    inputs = list(corpus())
    step = max(1, len(inputs) // (20 * count))
    endings = list(hostile_run.run(inputs[::step]))
    largest = max(e.megabytes for e in endings)
    yield Outcome(
        fault="F11, 25.7, 25.13",
        tried=f"hostile files, each read in a process of its own; most memory {largest:.0f} MB",
        times=len(endings),
        slowest=max(e.seconds for e in endings),
        failures=[f"{e.name}: {e.code}" for e in endings if not e.is_good],
    )


def hostile_meshes(folder: Path, count: int) -> Iterator[Outcome]:
    """Damaged mesh files through Blender's own importers."""
    for version in BLENDERS:
        said = _blender(version, "hostile_in_blender.py", "--many", str(count))
        if said is None:
            continue
        found = re.search(r"(\d+) files: (\d+) deaths, (\d+) tracebacks.*?longest ([\d.]+) s", said)
        outcome = Outcome(fault="25.8", tried=f"damaged mesh files, Blender {version}")
        if found is None:
            outcome.failures.append(said[-200:])
        else:
            outcome.times, outcome.slowest = int(found[1]), float(found[4])
            bad = int(found[2]) + int(found[3])
            outcome.failures += [f"{bad} deaths or tracebacks"] if bad else []
        yield outcome


def heavy(folder: Path, count: int) -> Iterator[Outcome]:
    """Ten million splats, 2,000 cameras, 500 meshes in one file, and what then holds Blender up."""
    record = folder / "heavy.json"
    splats = 10_000_000 if count >= 20 else 1_000_000
    said = _blender("5.3", "heavy_scene.py", "--splats", str(splats), "--out", str(record))
    if said is None:
        return
    outcome = Outcome(fault="F19", tried=f"{splats:,} splats, 2,000 cameras, 500 meshes")
    if not record.is_file():
        outcome.failures.append(said[-200:])
    else:
        found = json.loads(record.read_text(encoding="utf-8"))
        outcome.times, outcome.slowest = 1, max(found["stalls"].values())
        outcome.tried += f"; longest stall, CPU s; {found['peak_gigabytes']:.1f} GB"
        long = {k: v for k, v in found["stalls"].items() if v > 0.2}
        outcome.failures += [f"{name}: {seconds:.2f} s" for name, seconds in long.items()]
    yield outcome


def _blender(version: str, program: str, *arguments: str) -> str | None:
    """What a drill says that runs by a Python with bpy; None where there is none."""
    python = ROOT / f".venv-bpy{version.replace('.', '')}" / BIN
    if not python.is_file():
        return None
    command = [str(python), str(Path(__file__).with_name(program)), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def paths(folder: Path, count: int) -> Iterator[Outcome]:
    """One training from folders of every name."""
    results = {}
    outcome = Outcome(fault="F13", tried="spaces, quotes, é, 漢字, emoji, 200 letters in a path")
    for name in NAMES:
        home = folder / name
        home.mkdir(parents=True)
        requests.train(home)
        results[name] = (home / "job/result/splats.ply").read_bytes()
        outcome.times += 1
        if results[name] != results[NAMES[0]]:
            outcome.failures.append(name)
    yield outcome


def tested(folder: Path, count: int) -> Iterator[Outcome]:
    """What the suite drills."""
    yield from suite.drill(folder)


SECTIONS: dict[str, Callable[[Path, int], Iterator[Outcome]]] = {
    "kills": killed,
    "stages": killed_stages,
    "frozen": frozen_workers,
    "same": same,
    "hostile": hostile,
    "meshes": hostile_meshes,
    "paths": paths,
    "heavy": heavy,
    "tests": tested,
}
