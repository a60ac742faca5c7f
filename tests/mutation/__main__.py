"""`python -m tests.mutation [FILE …]`: the share of mutants that tests kill, and who survives."""

import argparse
import random
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from . import judging
from .mutants import Mutant, mutants

SEED = 0
WANTED = 0.9
CODE = (
    "backend/protocol.py",
    "backend/events.py",
    "backend/verb.py",
    "backend/formats/*.py",
    "backend/geometry/*.py",
    "backend/splats/*.py",
)
JUDGES = {  # beside tests/<room>/test_<name>*.py
    "protocol": ["tests/runtime/test_protocol.py", "tests/runtime/test_options.py"],
    "events": ["tests/runtime/test_protocol.py", "tests/runtime/test_events.py"],
    "verb": [
        "tests/runtime/test_protocol.py",
        "tests/runtime/test_options.py",
        "tests/runtime/test_events.py",
    ],
    "arkit": ["tests/formats/test_face_names.py"],
    "depth_exr": [
        "tests/formats/test_depth_and_tracks.py",
        "tests/formats/test_depth_and_tracks_limits.py",
    ],
    "tracks_file": [
        "tests/formats/test_depth_and_tracks.py",
        "tests/formats/test_depth_and_tracks_limits.py",
    ],
    "transforms_json": [
        "tests/formats/test_capture.py",
        "tests/formats/test_capture_dialects.py",
        "tests/formats/test_capture_files.py",
    ],
    "ply": ["tests/formats/test_ply.py", "tests/formats/test_splat_ply.py"],
    "render_verb": [
        "tests/runtime/test_options.py",
        "tests/semantics/rendering/test_render_job.py",
    ],
    "splats_verb": ["tests/runtime/test_options.py", "tests/splats/test_config.py"],
}
SLOW = [
    "--deselect=tests/splats/test_training.py::test_training_learns_the_world"
]  # a process of its own, 20 s
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


def tests_of(file: Path) -> list[str]:
    """Its own, those of special things first, which are quick."""
    own = sorted(
        (str(p) for p in Path("tests", *file.parts[1:-1]).glob(f"test_{file.stem}*.py")),
        reverse=True,
    )
    return list(dict.fromkeys([*own, *JUDGES.get(file.stem, [])]))


class Count:
    """Of one file, or of all."""

    def __init__(self) -> None:
        self.killed = self.survived = self.equivalent = 0

    def line(self, name: str, seconds: float) -> str:
        judged = self.killed + self.survived
        share = f"{self.killed / judged:6.1%}" if judged else "     -"
        parts = f"{judged:5} mutants {self.killed:5} killed {share} {self.equivalent:4} equivalent"
        return f"{name:44} {parts} {seconds:6.0f} s"


def run(
    file: Path, limit: int | None, known: dict[tuple[str, str, str], str], jobs: int, total: Count
) -> None:
    """Judges a file's mutants and prints what survives."""
    began, count, tests = time.monotonic(), Count(), tests_of(file)
    found = mutants(file.read_text(encoding="utf-8"), str(file))
    if not found:
        return
    keys = {(str(file), m.place, m.change) for m in found}
    for entry in [key for key in known if key[0] == str(file) and key not in keys]:
        say(f"{file}: no such mutant any more: {entry[1]}  {entry[2]}")
    if limit is not None and len(found) > limit:
        found = sorted(random.Random(f"{SEED} {file}").sample(found, limit), key=lambda m: m.line)
    with tempfile.TemporaryDirectory() as folder:
        whole = compile(file.read_text(encoding="utf-8"), str(file), "exec")
        _, status, used = next(judging.judge(file, [whole], [*tests, *SLOW], Path(folder), 300, 1))
        if not tests or status:
            sys.exit(f"{file}: its tests {tests} fail as they are (status {status}).")
        for number, status, _ in judging.judge(
            file, [m.code for m in found], [*tests, *SLOW], Path(folder), int(3 * used) + 5, jobs
        ):
            reckon(file, found[number], status, known, count)
    for name in vars(total):
        setattr(total, name, getattr(total, name) + getattr(count, name))
    say(count.line(str(file), time.monotonic() - began))


def reckon(
    file: Path, mutant: Mutant, status: int, known: dict[tuple[str, str, str], str], count: Count
) -> None:
    if status == judging.BROKEN:  # nobody would get as far as a test
        return
    why = known.get((str(file), mutant.place, mutant.change))
    if status:
        count.killed += 1
        if why:
            say(f"{file}:{mutant.line}  named equivalent, yet killed: {mutant.change}")
    elif why:
        count.equivalent += 1
    else:
        count.survived += 1
        say(f"{file}:{mutant.line}  {mutant.place}  {mutant.change}")


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "files", nargs="*", type=Path, help="of the code (default: all that have to be judged)"
    )
    parser.add_argument(
        "--limit", type=int, default=60, help="mutants of a file at most, drawn by a fixed seed"
    )
    parser.add_argument("--all", action="store_true", help="every mutant")
    parser.add_argument("--jobs", type=int, default=2, help="tests at a time")
    wanted = parser.parse_args()
    entries = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("equivalent", [])
    known = {(e["file"], e["place"], e["change"]): e["why"] for e in entries}
    began, total = time.monotonic(), Count()
    judging.prepare()
    for file in wanted.files or [p for pattern in CODE for p in sorted(Path().glob(pattern))]:
        run(file, None if wanted.all else wanted.limit, known, wanted.jobs, total)
    say(total.line("all", time.monotonic() - began))
    return int(total.killed < WANTED * (total.killed + total.survived))


if __name__ == "__main__":
    sys.exit(main())
