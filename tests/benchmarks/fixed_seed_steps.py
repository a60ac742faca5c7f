"""Runs the commands of `fixed_seed_runs` in a checkout, one after the other, and hashes what each
leaves.
"""

import contextlib
import functools
import hashlib
import http.server
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import fixed_seed_hashes as hashing
from tests.benchmarks.fixed_seed_runs import NOT_RUN, QUESTIONS, RASTERIZER, RUNS, Run
from tests.benchmarks.table import DATA, say

TRACKER = DATA / "weights" / "mediapipe_face"
LIMIT = 600  # seconds that a run may take


@dataclass
class Found:
    """Everything that a table says: `hashes` by "RUN | FILE", manifest `entries` by the same."""

    hashes: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=lambda: dict(NOT_RUN))
    machine: dict[str, str] = field(default_factory=dict)

    def add(self, run: str, hashes: dict[str, str], entries: dict[str, Any]) -> None:
        for name, value in sorted(hashes.items()):
            say(f"{run:<20} {name:<44} {value[:16]}")
        self.hashes |= {f"{run} | {name}": value for name, value in hashes.items()}
        self.entries |= {f"{run} | {name}": value for name, value in entries.items()}

    def fail(self, run: str, why: str) -> None:
        say(f"{run:<20} FAILED: {why}")
        self.failed[run] = why


@dataclass(frozen=True)
class Place:
    """Where things are: the code that runs, what it reads, where its results go, who plays the
    hub.
    """

    checkout: Path
    inputs: Path
    results: Path
    hub: str

    def fill(self, text: str) -> str:
        named = {"inputs": self.inputs, "results": self.results, "hub": self.hub}
        for name, value in {**named, "tracker": TRACKER}.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def start(
        self, *arguments: str, given: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Python in the checkout, with nothing of the caller's own settings."""
        own = ("PYTHON", "SPLATSMITH_", "HF_")
        plain = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.checkout, input=given, text=True, timeout=LIMIT,
            capture_output=True, env=plain | {"no_proxy": "127.0.0.1"} | environment,
        )  # fmt: skip

    @property
    def words(self) -> dict[str, str]:
        """What stands in hashed texts for folders that lie elsewhere next time."""
        named = {"INPUTS": self.inputs, "RESULTS": self.results, "CHECKOUT": self.checkout}
        return {str(path): word for word, path in {**named, "TRACKER": TRACKER}.items()}


def hindrance(run: Run, found: Found) -> str:
    """Why a run can't be started here, empty if it can."""
    if "{tracker}" in run.options and not TRACKER.is_dir():
        return f"not run: no {TRACKER} (SPLATSMITH_DATA names the folder that holds weights/)"
    missing = [n for n in found.not_run if f"{{results}}/{n}" in f"{run.source} {run.options}"]
    return f"not run: it takes up what {missing[0]} leaves" if missing else ""


def run_verb(run: Run, place: Place, found: Found) -> None:
    if why := hindrance(run, found):
        found.not_run[run.name] = why
        return
    output = place.results / run.name
    shutil.rmtree(output, ignore_errors=True)
    fixed = ["--output", str(output), "--device", "cpu", "--seed", str(run.seed)]
    options = [place.fill(option) for option in shlex.split(run.options)]
    command = ["-m", "backend", run.verb, "--input", place.fill(run.source), *fixed, *options]
    begun = time.monotonic()
    environment = {name: place.fill(value) for name, value in run.environment}
    done = place.start(*command, **environment)
    say(f"\n{run.name} ({time.monotonic() - begun:.0f} s): {run.verb} {run.source} {run.options}")
    if done.returncode:
        found.fail(run.name, (done.stderr.strip().splitlines() or ["no word"])[-1])
        return
    found.add(run.name, *hashing.of_folder(output, place.words))


def ask_words(place: Place, found: Found) -> None:
    """The answers of the service that stays warm for Blender."""
    lines = [json.dumps({**question, "model": ""}) for question in QUESTIONS]
    done = place.start(
        "-m", "backend", "words", given="".join(place.fill(line) + "\n" for line in lines)
    )
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    say("\nwords")
    if done.returncode or len(answers) != len(QUESTIONS):
        found.fail("words", f"{len(answers)} answers, {done.stderr.strip()[-300:]}")
        return
    named = {f"answer {answer['id']}": answer for answer in answers}
    found.add("words", {k: hashing.of_value(v) for k, v in named.items()}, named)


def draw(place: Place, found: Found) -> None:
    """The CPU kernels alone, forward and backward."""
    done = place.start("-c", RASTERIZER)
    say("\nrasterizer")
    if done.returncode:
        found.fail("rasterizer", done.stderr.strip().splitlines()[-1])
        return
    told = json.loads(done.stdout)
    found.machine["kernels"] = told["variant"]
    found.add("rasterizer", told["hashes"], {})


@contextlib.contextmanager
def hub(folder: Path) -> Iterator[str]:
    """The address of a server that has the files of `folder`, whatever path they are asked for
    by.
    """

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            return str(folder / path.rpartition("/")[2])

        def end_headers(self) -> None:
            """With the checksum, as the hub tells it of large files."""
            file = Path(self.translate_path(self.path))
            if file.is_file():
                checksum = hashlib.sha256(file.read_bytes()).hexdigest()
                self.send_header("X-Linked-Etag", f'"{checksum}"')
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def one_core() -> str:
    """Keeps this process and its children on one core: in checkouts from before `tests/drill`,
    COLMAP's threads race on two, and cameras differ from run to run. Where that can't be done, says
    so.
    """
    if not hasattr(os, "sched_setaffinity"):
        say("This system can't keep a process on one core: cameras may differ from run to run.")
        return f"all {os.cpu_count()}"
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return "one"


def run_all(place: Place, only: list[str]) -> Found:
    found = Found(machine={"core": one_core(), "python": sys.version.split()[0]})
    steps = {"rasterizer": draw}
    steps |= {run.name: functools.partial(run_verb, run) for run in RUNS}
    steps["words"] = ask_words
    if unknown := set(only) - set(steps):
        raise SystemExit(f"There is no run {sorted(unknown)}; one of {', '.join(steps)}.")
    for name, step in steps.items():
        if not only or name in only:
            try:
                step(place, found)
            except subprocess.TimeoutExpired:
                found.fail(name, f"no end within {LIMIT} s")
    for name, why in found.not_run.items():
        say(f"\n{name:<20} {why}")
    return found
