"""Rows of figures: collected, printed as a table, written as JSON."""

import datetime
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backend.runtime.device import core_count

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SPLATSMITH_DATA", ROOT.parent / "shared" / "data"))
OUT = ROOT / "out" / "bench"


@dataclass(frozen=True)
class Row:
    """One figure."""

    case: str
    metric: str
    value: float
    unit: str = ""
    seed: int = 0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0


class Table:
    """Prints rows as they come, so that a long benchmark can be watched, and keeps them."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.rows: list[Row] = []
        self.scratch = OUT / room
        self.scratch.mkdir(parents=True, exist_ok=True)
        say(
            f"\n{room}\n{'case':<28} {'metric':<34} {'value':>10} {'unit':<6} {'seed':>4} "
            f"{'CPU s':>8} {'MB':>6}"
        )

    def add(self, row: Row) -> None:
        """Prints the row; what was measured stays, should the benchmark be stopped."""
        self.rows.append(row)
        self.write()
        say(
            f"{row.case:<28} {row.metric:<34} {row.value:>10.4g} {row.unit:<6} {row.seed:>4} "
            f"{row.cpu_seconds:>8.1f} {row.peak_mb:>6.0f}"
        )

    def write(self) -> Path:
        path = OUT / f"{self.room}.json"
        record = {**where_and_when(), "rows": [asdict(row) for row in self.rows]}
        path.write_text(json.dumps(record, indent=1), encoding="utf-8")
        return path


def where_and_when() -> dict[str, Any]:
    """What a figure needs to be believed: the day, the machine, the commit."""
    git = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(git, capture_output=True, text=True, cwd=ROOT, check=False).stdout
    return {
        "date": datetime.date.today().isoformat(),
        "machine": {"cores": core_count(), "processor": processor()},
        "commit": commit.strip() or "unknown",
    }


def processor() -> str:
    """The processor's name, without the machine's."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def has(case: str) -> Path | None:
    """The folder of a data set, or None with a line about its absence."""
    path = DATA / case
    if path.exists():
        return path
    say(f"{case:<28} not here: set SPLATSMITH_DATA to the folder that holds it")
    return None
