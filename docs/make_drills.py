"""Writes docs/drills.md: `make figures`. What `make drill` left in out/drill is copied to
docs/figures, and the page is made of what lies there.
"""

import json
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
KEPT = HERE / "figures" / "drill.json"
HEAD = """# Drills
What goes wrong on other people's machines, tried on purpose: `make drill` kills, freezes, starves
and misleads the product, and this page is made of what came of it. F numbers are those of the
project's list of faults; 25.x are points of issue 25. "Worst" is the longest time that something
took to end, to be read or to draw, in seconds.

"""


def table(name: str, section: dict[str, Any]) -> str:
    """A section's rows."""
    text = f"## {name}\n{section['date']}, commit {section['commit']}, {section['system']}.\n\n"
    text += "| fault | tried | times | worst | |\n|---|---|---|---|---|\n"
    for row in section["rows"]:
        worst = f"{row['slowest']:.2f}" if row["slowest"] else ""
        failures = "; ".join(row["failures"][:5]) or "was not run"
        said = "passed" if row["passed"] else f"**failed**: {failures}".replace("|", "\\|")
        text += f"| {row['fault']} | {row['tried']} | {row['times']} | {worst} | {said} |\n"
    return text + "\n"


def main() -> None:
    """Copies new results, and writes the page."""
    path = HERE.parent / "out" / "drill" / "drill.json"
    if path.is_file():
        shutil.copyfile(path, KEPT)
    record = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    text = HEAD + "".join(table(name, section) for name, section in record.items())
    (HERE / "drills.md").write_text(text or HEAD, encoding="utf-8")


if __name__ == "__main__":
    main()
