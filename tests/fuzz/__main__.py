"""`python -m tests.fuzz --seconds 600`: hostile input for every reader, and for the kernels under
the sanitizers. Linux only: limits and processes are.

Each target runs in a process of its own, so that a library that dies takes nothing along. What is
found is printed once for each place, and lies with its input in `--out`; the exit status is 1 then.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # for tests/helpers

from .processes import Process, Report, run_here, start, wait  # noqa: E402
from .target import Target  # noqa: E402
from .targets import BY_NAME, TARGETS  # noqa: E402

TRIES = 4  # processes for one target: each that dies is a finding
JOBS = 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="CPU seconds, for all targets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="targets whose names begin so, with commas")
    parser.add_argument("--out", type=Path, default=ROOT / "out/fuzz", help="for what is found")
    parser.add_argument("--jobs", type=int, default=JOBS, help="processes at once")
    parser.add_argument("--list", action="store_true", help="the targets' names")
    parser.add_argument("--here", default="", help=argparse.SUPPRESS)  # a folder: run in it
    return parser.parse_args()


def _fuzz_all(targets: list[Target], arguments: argparse.Namespace) -> list[Report]:
    """A few at a time, the longest first; one that dies is tried again with another seed."""
    each = arguments.seconds / sum(t.share for t in targets)
    todo = [(t, arguments.seed) for t in sorted(targets, key=lambda t: t.share)]
    running: list[Process] = []
    reports: list[Report] = []
    with tempfile.TemporaryDirectory() as work:
        while todo or running:
            while todo and len(running) < max(1, arguments.jobs):
                target, seed = todo.pop()
                folder = Path(tempfile.mkdtemp(dir=work))
                running.append(start(target, folder, each * target.share, seed, arguments.out))
            time.sleep(0.05)
            for process in list(running):
                report = wait(process)
                if report is None:
                    continue
                running.remove(process)
                reports.append(report)
                report.show()
                if report.died and process.seed < arguments.seed + TRIES - 1:
                    todo.append((process.target, process.seed + 1))
    return reports


def main() -> int:
    """Fuzzes; the exit status."""
    arguments = _arguments()
    if arguments.list:
        print(*BY_NAME, sep="\n")
        return 0
    names = tuple(filter(None, arguments.only.split(",")))
    targets = [t for t in TARGETS if not names or t.name.startswith(names)]
    if not targets:
        print(f"No target is called {arguments.only!r}: see --list.")
        return 2
    if arguments.here:
        run_here(
            BY_NAME[arguments.only],
            Path(arguments.here),
            arguments.seconds,
            arguments.seed,
            arguments.out,
        )
        return 0
    reports = _fuzz_all(targets, arguments)
    places = {place: told for report in reports for place, told in report.findings.items()}
    runs, spent = sum(r.runs for r in reports), sum(r.seconds for r in reports)
    print(f"{runs:,} inputs for {len(targets)} readers in {spent:.0f} CPU seconds: "
          f"{len(places)} findings.")  # fmt: skip
    for place, told in sorted(places.items()):
        print(f"  {place}\n    {told}")
    return 1 if places else 0


if __name__ == "__main__":
    sys.exit(main())
