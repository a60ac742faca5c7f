"""Faults that the suite drills: which tests, run by which Python."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.places import ROOT

from .outcome import Outcome

BIN = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
BLENDERS = ("4.5", "5.3")


@dataclass(frozen=True)
class Drilled:
    """`tests`: files below tests/, with `::name` or without; those of `blender` run in each."""

    fault: str
    tried: str
    tests: tuple[str, ...]
    blender: bool = False


DRILLED = (
    Drilled(
        "F3, F15, F16",
        "Blender quits, a worker floods, hangs, speaks another version or noise",
        ("blender/test_job_process.py",),
        blender=True,
    ),
    Drilled(
        "F4, F5, F6, F20",
        "files opened, undone, add-on switched off, objects deleted under a job",
        ("blender/test_scene_changes.py", "blender/test_endings.py"),
        blender=True,
    ),
    Drilled("F7", "cancelled at four moments, twice", ("runtime/test_cancelled_jobs.py",)),
    Drilled("F8", "full disks, and the order of the commit", ("runtime/test_durability.py",)),
    Drilled("F9, F10", "broken packages, no memory", ("runtime/test_broken_imports.py",)),
    Drilled("F12", "videos and sounds that are none", ("media/test_opening.py",)),
    Drilled("F14", "two jobs in one folder", ("runtime/test_lock.py",)),
    Drilled("F15", "noise on the worker's input", ("runtime/test_listener.py",)),
    Drilled("F17", "set-up over what is not its own", ("runtime/test_own_environment.py",)),
    Drilled("F18", "no online access: not one socket", ("runtime/test_network.py",)),
    Drilled("F18", "the same in Blender", ("blender/test_no_network.py",), blender=True),
    Drilled("25.5", "checkpoints of other inputs, or damaged", ("runtime/test_kept_work.py",)),
    Drilled("25.9", "strangers' projects", ("blender/test_strangers.py",), blender=True),
    Drilled("25.12", "stale results", ("runtime/test_stale_results.py",)),
)


def drill(folder: Path) -> Iterator[Outcome]:
    """A row for each, and for each Blender that is there."""
    for one in DRILLED:
        for version in BLENDERS if one.blender else ("",):
            place = f".venv-bpy{version.replace('.', '')}" if version else ".venv"
            python = ROOT / place / BIN
            if python.is_file():
                name = f"{one.tried}, Blender {version}" if version else one.tried
                yield _row(Outcome(fault=one.fault, tried=name), python, one.tests, folder)


def _row(outcome: Outcome, python: Path, tests: tuple[str, ...], folder: Path) -> Outcome:
    report = folder / "tests.xml"
    report.unlink(missing_ok=True)
    places = [f"tests/{name}" for name in tests]
    command = [str(python), "-m", "pytest", "-q", f"--junitxml={report}", *places]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if not report.is_file():
        outcome.failures.append("the tests did not run")
        return outcome
    for case in ET.parse(report).getroot().iter("testcase"):
        wrong = case.find("failure") is not None or case.find("error") is not None
        if wrong:
            outcome.failures.append(str(case.get("name")))
        outcome.times += case.find("skipped") is None
    return outcome
