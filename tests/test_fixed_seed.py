"""The command that compares two checkouts: what it overlooks on purpose, and what it must not."""

import json
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import fixed_seed, fixed_seed_hashes as hashing
from tests.benchmarks.fixed_seed_runs import RUNS
from tests.benchmarks.fixed_seed_steps import Found


def write(path: Path, day: int, **arrays: np.ndarray) -> Path:
    """An npz whose zip says that it was written on that day."""
    np.savez(path, allow_pickle=False, **arrays)
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, data in members.items():
            new.writestr(zipfile.ZipInfo(name, (2020, 1, day, 0, 0, 0)), data)
    return path


def test_arrays_are_hashed_and_not_their_zip(tmp_path: Path) -> None:
    points, other = np.arange(6.0), np.arange(6.0)
    other[3] = np.nextafter(3.0, 4.0)
    first = write(tmp_path / "a.npz", 1, points=points)
    assert first.read_bytes() != write(tmp_path / "b.npz", 2, points=points).read_bytes()
    hashes = [hashing.of_file(write(tmp_path / "b.npz", 2, **arrays), {}) for arrays in (
        {"points": points}, {"points": other}, {"places": points}, {"points": points.reshape(2, 3)},
    )]  # fmt: skip
    assert hashes[0] == hashing.of_file(first, {}) and len(set(hashes)) == 4


def record(folder: Path, **changed: object) -> Found:
    """A run's result with a manifest, as hashed."""
    result = folder / "mesh"
    (result / ".job").mkdir(parents=True, exist_ok=True)
    (result / ".job" / "state.json").write_text(str(time.monotonic_ns()))
    manifest: dict[str, object] = {
        "verb": "mesh",
        "metrics": {"psnr": 31.25, "iou": 0.5},
        "timings": {"wall_seconds": time.monotonic_ns()},
    }
    manifest |= {"curve": [{"step": 2, "cpu_seconds": time.monotonic_ns()}], "versions": {}}
    manifest |= {"settings": {"device": "cpu", "masks": str(folder)}, **changed}
    (result / "manifest.json").write_text(json.dumps(manifest))
    found = Found()
    found.add("mesh", *hashing.of_folder(result, {str(folder): "RESULTS"}))
    return found


def test_times_and_places_do_not_count(tmp_path: Path) -> None:
    first, again = record(tmp_path / "one"), record(tmp_path / "two")
    assert set(first.hashes) == {
        f"mesh | manifest.json: {key}" for key in ("verb", "metrics", "settings", "curve")
    }
    assert not fixed_seed.differences({"hashes": first.hashes, "entries": first.entries}, again, [])


@pytest.mark.parametrize(
    "changed",
    [
        {"metrics": {"psnr": 31.5, "iou": 0.5}},
        {"extra": 1},
        {"curve": [{"cpu_seconds": 2.5, "step": 3}]},
        {"settings": {"device": "cpu"}},
    ],
)
def test_whatever_else_differs_is_named(tmp_path: Path, changed: dict) -> None:
    before = record(tmp_path / "one")
    lines = fixed_seed.differences(
        {"hashes": before.hashes, "entries": before.entries},
        record(tmp_path / "two", **changed),
        [],
    )
    assert len(lines) == 1 and f"manifest.json: {next(iter(changed))}" in lines[0]
    assert "metrics" not in changed or lines[0].endswith("psnr: 31.25 -> 31.5")


def test_a_run_that_fails_or_leaves_less_is_a_difference(tmp_path: Path) -> None:
    before, after = record(tmp_path), Found()
    after.fail("mesh", "Error: no")
    lines = fixed_seed.differences({"hashes": before.hashes, "entries": before.entries}, after, [])
    assert lines[0] == "mesh: failed" and len(lines) == 1 + len(before.hashes)


def test_every_verb_is_run_or_said_not_to_be() -> None:
    from backend.verbs import VERBS

    assert {run.verb for run in RUNS} | set(Found().not_run) == set(VERBS)


def test_the_order_of_a_tensor_files_header_does_not_count(tmp_path: Path) -> None:
    paths = []
    for number, (names, last) in enumerate(((("a", "b"), 4), (("b", "a"), 4), (("a", "b"), 5))):
        header = json.dumps({"__metadata__": dict.fromkeys(names, "1")}).encode()
        paths.append(tmp_path / f"{number}.safetensors")
        paths[-1].write_bytes(len(header).to_bytes(8, "little") + header + bytes([1, 2, 3, last]))
    first, reordered, changed = (hashing.of_file(path, {}) for path in paths)
    assert first == reordered != changed
