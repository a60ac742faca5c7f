"""Same in, same out: every verb with one seed, on one core, on two, and on two beside a busy
neighbour. All bytes of what it leaves must be the same, but for times and places.

    python -m tests.drill.same_bytes [--only cameras,splats] [--quick] [--times 2]
"""

import argparse
import contextlib
import functools
import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.places import ROOT

from tests.benchmarks import fixed_seed_hashes as hashing
from tests.benchmarks.fixed_seed_steps import hub
from tests.drill.same_bytes_cases import BY_NAME, CASES, TRACKER, Case
from tests.drill.same_bytes_inputs import MAKERS

SEED, LIMIT = 7, 1500.0  # seconds: only what hangs
SPIN = "while True: pass"


@dataclass(frozen=True)
class Condition:
    """What a machine may be like while a verb runs."""

    name: str
    cores: int
    busy: bool = False


CONDITIONS = (
    Condition("one core", 1),
    Condition("two cores", 2),
    Condition("two cores beside a busy neighbour", 2, True),
)


class FailedError(Exception):
    """The verb left nothing to compare."""


def enough_cores() -> bool:
    """Whether this machine can be made to look like one and like two cores."""
    return hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) >= 2


@contextlib.contextmanager
def _on(condition: Condition) -> Iterator[list[str]]:
    """What a command begins with to run so; the neighbour spins meanwhile on the same cores."""
    cores = sorted(os.sched_getaffinity(0))[: condition.cores]
    pin = f"import os, sys; os.sched_setaffinity(0, {cores}); os.execv(sys.argv[1], sys.argv[1:])"
    begin = [sys.executable, "-c", pin, sys.executable]
    spin = [*begin, "-c", SPIN]
    neighbours = [subprocess.Popen(spin) for _ in range(condition.cores * condition.busy)]
    try:
        yield begin
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()


@dataclass
class Drill:
    """A folder for inputs and results, and what has been made in it."""

    folder: Path

    def path(self, name: str) -> Path:
        """An input, or the first result of a case; made when it is first asked for."""
        place = self.folder / "inputs" / name
        if name in BY_NAME:
            return self.run(BY_NAME[name], CONDITIONS[0], 0)
        if not place.is_dir():
            half = place.with_name(f"{name}.half")
            half.mkdir(parents=True)
            MAKERS[name](half)
            half.rename(place)
        return place

    def _filled(self, text: str, output: Path) -> str:
        text = text.replace("{tracker}", str(TRACKER)).replace("{output}", str(output))
        for name in (*MAKERS, *BY_NAME):
            if f"{{{name}}}" in text:
                text = text.replace(f"{{{name}}}", str(self.path(name)))
        return text

    def run(self, case: Case, condition: Condition, number: int) -> Path:
        """The folder of the result. Raises FailedError."""
        output = self.folder / f"{case.name}, {condition.name}, {number}"
        if (output / "manifest.json").is_file():
            return output
        source = self._filled(case.source, output)
        options = [self._filled(option, output) for option in shlex.split(case.options)]
        with contextlib.ExitStack() as stack:
            environment = dict(os.environ)
            if case.verb == "model":
                address = stack.enter_context(hub(self.path("hub")))
                environment |= {"HF_ENDPOINT": address, "no_proxy": "127.0.0.1"}
            begin = stack.enter_context(_on(condition))
            command = [*begin, "-m", "backend", case.verb, "--input", source, *options]
            command += ["--output", str(output), "--device", "cpu", "--seed", str(SEED)]
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT
            )
        if done.returncode:
            raise FailedError(f"{case.name}, {condition.name}: {done.stderr.strip()[-500:]}")
        return output

    def hashes(self, case: Case, condition: Condition, number: int) -> dict[str, str]:
        """By file: of all its bytes; of the manifest and of JSON without times and places."""
        output = self.run(case, condition, number)
        places = {str(output): "OUTPUT"}
        found, _ = hashing.of_folder(output, places)
        for path in (p for p in output.rglob("*") if p.suffix in (".npz", ".safetensors")):
            name = path.relative_to(output).as_posix()
            if name in found:  # those are hashed by what is in them
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def differences(
        self, case: Case, conditions: Sequence[Condition] = CONDITIONS, times: int = 1
    ) -> list[str]:
        """A line for every file that is not always the same."""
        first, lines = self.hashes(case, conditions[0], 0), []
        others = [(c, k) for k in range(times) for c in conditions if (c, k) != (conditions[0], 0)]
        for condition, number in others:
            found = self.hashes(case, condition, number)
            lines += [
                f"{case.name}: {name} on {condition.name} is not that on {conditions[0].name}"
                for name in sorted(first.keys() | found.keys())
                if first.get(name) != found.get(name)
            ]
        return lines


def drill(
    folder: Path, only: Sequence[str] = (), quick: bool = False, times: int = 1
) -> dict[str, list[str]]:
    """By case, what differs, empty where nothing does; `times` runs under each condition."""
    found: dict[str, list[str]] = {}
    for case in CASES:
        if (only and case.name not in only) or (quick and not case.quick):
            continue
        if case.needs_tracker and not TRACKER.is_dir():
            continue
        try:
            found[case.name] = Drill(folder).differences(case, times=times)
        except FailedError as error:
            found[case.name] = [str(error)]
        verdict = "the same" if not found[case.name] else "\n  ".join(["", *found[case.name]])
        print(f"{case.name:<18} {verdict}", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases by comma")
    parser.add_argument("--quick", action="store_true", help="only those that are tests")
    parser.add_argument("--times", type=int, default=1, help="runs under each condition")
    parser.add_argument("--folder", type=Path, help="keep inputs and results here")
    given = parser.parse_args()
    if not enough_cores():
        print("This system can't keep a process on one core of two.")
        return 2
    only = [name for name in given.only.split(",") if name]
    run = functools.partial(drill, only=only, quick=given.quick, times=given.times)
    if given.folder:
        found = run(given.folder.resolve())
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = run(Path(folder))
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
