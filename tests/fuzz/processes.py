"""A process for each target: forked, or, for the kernels, a Python of its own whose library is
built with sanitizers. What it was reading when it died still lies in its folder.
"""

import importlib.util
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .findings import Finding
from .loop import fuzz, used
from .target import Target

ROOT = Path(__file__).resolve().parents[2]
SANITIZED = ROOT / "out/sanitized"
CORPUS = Path(__file__).with_name("corpus")
PATIENCE = 60.0  # seconds by the clock for one input, on a machine that is busy with others
DONE = "outcome.json"


@dataclass(frozen=True, kw_only=True)
class Process:
    """A target that is being fuzzed in `folder`."""

    target: Target
    pid: int
    folder: Path
    seed: int
    out: Path
    begun: float


@dataclass(kw_only=True)
class Report:
    """How a process ended; `findings` by their place, with where their input lies."""

    name: str
    runs: int = 0
    refused: int = 0
    lines: int = 0
    seconds: float = 0.0
    died: bool = False
    findings: dict[str, str] = field(default_factory=dict)

    def show(self) -> None:
        """One line."""
        what = "died" if self.died else f"{len(self.findings)} findings"
        print(
            f"{self.name:26} {self.runs:8,} inputs {self.refused:8,} refused {self.lines:5} lines "
            f"{self.seconds:6.1f} s  {what}",
            flush=True,
        )


def corpus(name: str) -> list[bytes]:
    """What once broke the target."""
    return [p.read_bytes() for p in sorted((CORPUS / name).glob("*")) if p.is_file()]


def run_here(target: Target, folder: Path, seconds: float, seed: int, out: Path) -> None:
    """Fuzzes in this process, and leaves the outcome in the folder."""
    begun = used()
    outcome = fuzz(target, folder, corpus(target.name), seconds=seconds, seed=seed)
    record: dict[str, Any] = {"runs": outcome.runs, "refused": outcome.refused}
    record |= {"lines": outcome.lines, "seconds": used() - begun}
    record["findings"] = {p: str(f.save(out)) for p, f in outcome.findings.items()}
    (folder / DONE).write_text(json.dumps(record))


def start(target: Target, folder: Path, seconds: float, seed: int, out: Path) -> Process:
    """Begins, with everything that libraries print in a log."""
    out.mkdir(parents=True, exist_ok=True)
    log = os.open(out / f"{target.name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    command = _sanitized_command(target, folder, seconds, seed, out) if target.sanitized else None
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.dup2(log, 1)
        os.dup2(log, 2)
        if command:
            os.execve(sys.executable, *command)
        try:
            run_here(target, folder, seconds, seed, out)
        except BaseException:  # also what is no Exception: the child must not go on as its parent
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    os.close(log)
    return Process(
        target=target, pid=pid, folder=folder, seed=seed, out=out, begun=time.monotonic()
    )


def _sanitized_command(
    target: Target, folder: Path, seconds: float, seed: int, out: Path
) -> tuple[list[str], dict[str, str]]:
    """The kernels with sanitizers, built if need be. The address sanitizer wants to be loaded
    before anything else; torch's own leaks are nobody's concern here.
    """
    place = ROOT / "backend/gaussians/native/build.py"
    spec = importlib.util.spec_from_file_location("build_kernels", place)
    build = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = build  # for its dataclasses
    spec.loader.exec_module(build)
    build.build_sanitized(SANITIZED)
    arguments = [sys.executable, "-m", "tests.fuzz", "--here", str(folder), "--only", target.name]
    arguments += ["--seconds", str(seconds), "--seed", str(seed), "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(SANITIZED), "OMP_NUM_THREADS": "1"}
    environment["LD_PRELOAD"] = (SANITIZED / "runtime.txt").read_text().strip()
    environment["ASAN_OPTIONS"] = "detect_leaks=0:abort_on_error=1:hard_rss_limit_mb=8000"
    environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return arguments, environment


def wait(process: Process) -> Report | None:
    """None while it runs. One that doesn't get on with its input is killed."""
    file = process.folder / process.target.file
    quiet = time.time() - file.stat().st_mtime if file.is_file() else 0.0
    if quiet > PATIENCE:
        os.kill(process.pid, signal.SIGKILL)
    pid, status, used = os.wait4(process.pid, 0 if quiet > PATIENCE else os.WNOHANG)
    if pid == 0:
        return None
    report = Report(name=process.target.name, seconds=used.ru_utime + used.ru_stime)
    done = process.folder / DONE
    if done.is_file():
        for key, value in json.loads(done.read_text()).items():
            setattr(report, key, value)
        return report
    report.died = True
    why = "hangs" if quiet > PATIENCE else f"ends the process with status {status}"
    log = (process.out / f"{process.target.name}.log").read_text("utf-8", "replace")[-4000:]
    place = f"{process.target.name} {why}: {_last_words(log)}"
    data = file.read_bytes() if file.is_file() else b""
    report.findings[place] = str(Finding(process.target.name, place, log, data).save(process.out))
    return report


def _last_words(log: str) -> str:
    """The line that tells one death from another."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if "runtime error" in line or "ERROR: AddressS" in line]
    return (telling or lines or ["without a word"])[-1][:200]
