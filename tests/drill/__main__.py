"""`make drill`: kills, frozen workers, full disks, hostile files, other cores, crowded scenes.

    python -m tests.drill [SECTION …] [--count 20] [--out out/drill]

Prints a row as each drill ends, and leaves them all in `drill.json`, where sections that were run
before stay; `make figures` makes docs/drills.md of it. The exit status is 1 if anything failed.
"""

import argparse
import dataclasses
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .sections import SECTIONS

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Runs the sections that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--count", type=int, default=20, help="kills of each kind, and the like")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "drill")
    given = parser.parse_args()
    unknown = [name for name in given.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]!r}; one of {', '.join(SECTIONS)}")
    record, failed = given.out / "drill.json", False
    kept = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.sections or SECTIONS:
        rows = []
        with tempfile.TemporaryDirectory(prefix="drill-") as folder:
            for outcome in SECTIONS[name](Path(folder), given.count):
                print(f"{name:<8} {outcome.line()}", flush=True)
                rows.append({**dataclasses.asdict(outcome), "passed": outcome.passed})
                failed |= not outcome.passed
        kept[name] = {"rows": rows, **_circumstances()}
        record.write_text(json.dumps(kept, indent=1, ensure_ascii=False), encoding="utf-8")
    return int(failed)


def _circumstances() -> dict[str, str]:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    )
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip(),
        "system": f"{platform.system()}, Python {platform.python_version()}",
    }


if __name__ == "__main__":
    sys.exit(main())
