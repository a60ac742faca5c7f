"""Does a change leave every result as it was? Runs each verb with a seed and hashes what it leaves.

    python -m tests.benchmarks.fixed_seed --checkout OLD --inputs DIR --out before.json
    python -m tests.benchmarks.fixed_seed --inputs DIR --against before.json

The same inputs and commands go to both checkouts; the exit status is 1 where anything differs.
Hashes are a machine's own: compare what two checkouts compute on one, not two machines. Some
results hold the path of what they were made from, so give both the same --inputs.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import fixed_seed_hashes as hashing, fixed_seed_inputs
from tests.benchmarks.fixed_seed_steps import Found, Place, hub, run_all
from tests.benchmarks.table import OUT, say


def differences(before: dict[str, Any], found: Found, only: list[str]) -> list[str]:
    """A line for everything that is not as it was."""
    old = {k: v for k, v in before["hashes"].items() if not only or k.split(" | ")[0] in only}
    lines = [f"{run}: failed" for run in found.failed]
    for name in sorted(set(old) | set(found.hashes)):
        if name not in found.hashes:
            lines.append(f"{name}: no longer there")
        elif name not in old:
            lines.append(f"{name}: was not there")
        elif old[name] != found.hashes[name]:
            lines.append(f"{name}: {old[name][:16]} -> {found.hashes[name][:16]}")
            if name in found.entries:
                shown = hashing.changes(before["entries"][name], found.entries[name])
                lines[-1] = f"{name}: {shown}"
    return lines


def compare(path: Path, record: dict[str, Any], found: Found, only: list[str]) -> int:
    before = json.loads(path.read_text(encoding="utf-8"))
    for key in ("machine", "inputs"):
        if before[key] != record[key] and not (only and key == "machine"):
            say(f"\nThe {key} differ: {before[key]} then, {record[key]} now.")
    lines = differences(before, found, only)
    say(f"\n{len(lines)} differences from {path}" + "".join(f"\n  {line}" for line in lines))
    return 1 if lines else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--checkout", type=Path, default=root, help="whose backend runs")
    made = OUT / "fixed_seed_inputs"
    parser.add_argument("--inputs", type=Path, default=made, help="small inputs; made once")
    parser.add_argument("--results", type=Path, help="keep the results in this folder")
    parser.add_argument("--out", type=Path, default=OUT / "fixed_seed.json")
    parser.add_argument("--against", type=Path, help="an earlier --out to compare with")
    parser.add_argument(
        "--only", default="", help="runs by comma, on what others left in --results"
    )
    return parser.parse_args()


def main() -> int:
    given, begun = parse(), time.monotonic()
    only = [name for name in given.only.split(",") if name]
    inputs = given.inputs.resolve()
    record: dict[str, Any] = {"inputs": fixed_seed_inputs.make(inputs)}
    say(f"inputs {record['inputs'][:16]} in {inputs}")
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(hub(inputs / "hub"))
        results = given.results or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        results.mkdir(parents=True, exist_ok=True)
        place = Place(given.checkout.resolve(), inputs, results.resolve(), address)
        found = run_all(place, only)
    say("\nnot compared:" + "".join(f"\n  {k}: {why}" for k, why in hashing.EXCLUDED.items()))
    say(f"  in manifest.json: {', '.join(hashing.UNSTABLE)}; in curve.json and there: cpu_seconds")
    record |= {"machine": found.machine, "hashes": found.hashes, "entries": found.entries}
    record |= {"failed": found.failed, "not_run": found.not_run}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
    counts = f"{len(found.hashes)} hashes, {len(found.failed)} failed"
    say(f"\n{counts}, {time.monotonic() - begun:.0f} s -> {given.out}")
    status = compare(given.against, record, found, only) if given.against else 0
    return 1 if found.failed else status


if __name__ == "__main__":
    sys.exit(main())
