"""Reads every hostile input in a process of its own and tells how it ended, after how long, and at
how much memory. `python -m tests.drill.hostile_run [WORDS IN NAMES]` prints the table.
"""

import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.protocol import SplatsmithError
from backend.runtime.job import explain

from .hostile_files import HostileInput, corpus

PATIENCE = 10.0  # seconds
MOST_MEGABYTES = 2048
GOOD = ("READ", "INPUT", "SETUP")


@dataclass(frozen=True)
class Ending:
    """How one input was met: READ, a code of the error tree, CRASH or HANG."""

    name: str
    code: str
    text: str
    seconds: float
    megabytes: float  # above what the process had before

    @property
    def is_good(self) -> bool:
        return self.code in GOOD and self.megabytes <= MOST_MEGABYTES


def _status(pid: int | str, key: str) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    line = next((row for row in text.splitlines() if row.startswith(key)), f"{key} 0")
    return int(line.split()[1]) / 1024


def _child(hostile: HostileInput, path: Path, report: int) -> None:
    """Never returns."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        before = _status("self", "VmHWM")
        try:
            hostile.seed.read(path)
            code, text = "READ", ""
        except BaseException as error:
            known = explain(error)
            is_told = isinstance(error, SplatsmithError)
            code = known.code if is_told or known.code != SplatsmithError.code else "INTERNAL"
            text = known.what
        peak = _status("self", "VmHWM") - before
        os.write(report, f"{code}\t{peak:.0f}\t{text[:150]!r}".encode())
    finally:
        os._exit(0)


def _hangs(pid: int, begun: float, patience: float) -> bool:
    """By its own CPU seconds, for a busy machine lets no one read quickly; what only waits, waits
    six times as long.
    """
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    used = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return used > patience or time.monotonic() - begun > 6 * patience


def read(hostile: HostileInput, work: Path, patience: float = PATIENCE) -> Ending:
    """Meets one input; `work` is a folder for what is made."""
    path = hostile.place(work / "hostile", work / "good")
    reading, writing = os.pipe()
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        _child(hostile, path, writing)
    os.close(writing)
    status = None
    while status is None and not _hangs(pid, begun, patience):
        done, told = os.waitpid(pid, os.WNOHANG)
        status = told if done else None
        time.sleep(0.005)
    seconds = time.monotonic() - begun
    if status is None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace").split("\t")
    if status is None:
        return Ending(hostile.name, "HANG", "", seconds, 0.0)
    if len(said) < 3:
        return Ending(hostile.name, "CRASH", f"status {status}", seconds, 0.0)
    return Ending(hostile.name, said[0], said[2], seconds, float(said[1]))


def run(inputs: Iterable[HostileInput], patience: float = PATIENCE) -> Iterator[Ending]:
    """Meets them one by one."""
    with tempfile.TemporaryDirectory() as name:
        for hostile in inputs:
            yield read(hostile, Path(name), patience)


def table(endings: list[Ending]) -> str:
    """Counts, what was not met well, and the slowest and the largest."""
    counts = Counter(ending.code for ending in endings)
    rows = [f"{len(endings)} hostile inputs: {dict(counts.most_common())}"]
    worst = (
        sorted(endings, key=lambda e: e.seconds)[-5:]
        + sorted(endings, key=lambda e: e.megabytes)[-5:]
    )
    for title, some in (("bad", [e for e in endings if not e.is_good]), ("most", worst)):
        rows += [
            f"{title}  {e.code:9} {e.seconds:6.1f} s {e.megabytes:7.0f} MB  {e.name}  {e.text}"
            for e in some
        ]
    return "\n".join(rows)


if __name__ == "__main__":
    words = sys.argv[1:]
    wanted = [h for h in corpus() if all(w in h.name for w in words)]
    met = []
    for ending in run(wanted):
        met.append(ending)
        if not ending.is_good:
            print("bad:", ending, flush=True)
    print(table(met))
    sys.exit(any(not ending.is_good for ending in met))
