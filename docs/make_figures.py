"""Writes docs/figures.md: `make figures`. No figure in it is typed by hand.

What `make bench` left in out/bench is copied to docs/figures, where it is kept with the code; the
page is made of what lies there.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from tests.benchmarks.__main__ import ROOMS  # noqa: E402

HEAD = """# Figures
Made by `make figures` from what `make bench ROOM=…` has measured; every table says when, on what
machine, and at which commit. What the README quoted before is in [Figures until 0.1.0](history.md).

"""


def table(room: str, record: dict[str, Any]) -> str:
    """A room's rows, and where they come from."""
    machine = record["machine"]
    seeds = sorted({row["seed"] for row in record["rows"]})
    text = f"## {room}\n{record['date']}, {machine['cores']} cores of {machine['processor']}, "
    text += f"commit {record['commit']}, seeds {', '.join(map(str, seeds))}.\n\n"
    text += "| case | figure | value | unit | CPU seconds | MB |\n|---|---|---|---|---|---|\n"
    for row in record["rows"]:
        cost = f"{row['cpu_seconds']:.0f} | {row['peak_mb']:.0f}" if row["cpu_seconds"] else " | "
        text += (
            f"| {row['case']} | {row['metric']} | {row['value']:.4g} | {row['unit']} | {cost} |\n"
        )
    return text + "\n"


def main() -> None:
    """Copies new results, and writes the page."""
    kept = HERE / "figures"
    kept.mkdir(exist_ok=True)
    for room in ROOMS:
        path = HERE.parent / "out" / "bench" / f"{room}.json"
        if path.is_file() and isinstance(json.loads(path.read_text(encoding="utf-8")), dict):
            shutil.copyfile(path, kept / path.name)
    text, missing = HEAD, []
    for room in ROOMS:
        path = kept / f"{room}.json"
        if path.is_file():
            text += table(room, json.loads(path.read_text(encoding="utf-8")))
        else:
            missing.append(f"- `make bench ROOM={room}`")
    if missing:
        text += "## Not measured yet\n" + "\n".join(missing) + "\n"
    (HERE / "figures.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
