"""The fuzzer itself: what it calls a finding, what it lets pass, that it does the same again."""

import io
import json
import os
import random
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the limits of memory and time are Linux's", allow_module_level=True)


from backend.protocol import InputError
from tests.fuzz import loop, processes, structures
from tests.fuzz.mutate import _plain, mutate
from tests.fuzz.target import Target

Reader = Callable[[Path], object]


def target(read: Reader) -> Target:
    return Target(
        name="t", file="a", make=lambda f: (f / "a").write_bytes(b'{"a": [1, 2]}'), read=read
    )


def run(read: Reader, folder: Path, most: int = 40) -> loop.Outcome:
    return loop.fuzz(target(read), folder, [], seconds=30, seed=0, most=most, traced=False)


def test_one_place_is_one_finding_and_an_input_error_is_none(tmp_path: Path) -> None:
    def read(path: Path) -> None:
        data = json.loads(path.read_bytes().decode("utf-8", "replace"))
        if data != {"a": [1, 2]}:
            raise InputError("no")

    outcome = run(read, tmp_path, 400)
    kinds = {place.split(" in ")[0] for place in outcome.findings}
    assert kinds <= {"JSONDecodeError", "ValueError", "RecursionError"} and kinds
    assert len(outcome.findings) == len(kinds) and outcome.refused > 50
    path = next(iter(outcome.findings.values())).save(tmp_path / "out")
    assert path.is_file() and "Traceback" in path.with_name(f"{path.name}.txt").read_text()


def test_an_input_that_takes_too_long_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SLOW", 0.05)

    def read(_path: Path) -> None:
        try:
            while True:
                time.process_time()
        except Exception:  # as readers have it
            raise InputError("no") from None

    assert "TooSlow" in next(iter(run(read, tmp_path, 1).findings))


def test_memory_has_an_end(tmp_path: Path) -> None:
    outcome = run(lambda _path: bytearray(3 * 2**30), tmp_path, 1)
    assert "MemoryError" in next(iter(outcome.findings))
    bytearray(2**28)


def test_inputs_that_reach_new_lines_are_kept() -> None:
    coverage = loop.Coverage()
    sys.settrace(coverage)
    InputError("a", "b")  # a line of the backend
    sys.settrace(None)
    assert coverage.seen


@pytest.mark.process
def test_a_process_that_dies_leaves_its_input(tmp_path: Path) -> None:
    process = processes.start(target(lambda _path: os.abort()), tmp_path, 5, 0, tmp_path / "out")
    while (report := processes.wait(process)) is None:
        time.sleep(0.02)
    assert report.died and "status 6" in next(iter(report.findings))
    assert Path(next(iter(report.findings.values()))).read_bytes() == b'{"a": [1, 2]}'


def test_the_same_seed_does_the_same_harm() -> None:
    seeds = [b"ply\nformat ascii 1.0\n", bytes(range(256)), b'{"a": {"b": [1, "x"]}}']
    runs = [
        [mutate(seed, seeds, rng) for seed in seeds * 50]
        for rng in (random.Random(3), random.Random(3))
    ]
    assert runs[0] == runs[1] and len(set(runs[0])) > 100


def test_archives_stay_whole_where_their_members_are_harmed() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.json", '{"a": 1}')
        archive.writestr("b.bin", bytes(50))
    rng, seen = random.Random(0), set()
    for _ in range(60):
        changed = structures.mutate(packed.getvalue(), rng, _plain)
        assert changed is not None
        with zipfile.ZipFile(io.BytesIO(changed)) as archive:
            assert archive.testzip() is None
            seen |= {archive.read(name) for name in archive.namelist()}
    assert len(seen) > 30
