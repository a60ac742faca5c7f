"""Every reader takes what our writers write, refuses in words what once broke it, and holds out
against a hundred changed files that are the same on every run.
"""

import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the limits of memory and time are Linux's", allow_module_level=True)

from tests.fuzz import loop
from tests.fuzz.processes import corpus
from tests.fuzz.targets import BY_NAME, TARGETS

HERE = Path(__file__).parent
RUNS = 100  # inputs for each target
SLOW = {  # each input starts a process, or may hold a large picture that is read whole
    "splats-usda": 3,
    "picture-tif": 12,
}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_reader_takes_what_our_writers_write(name: str, tmp_path: Path) -> None:
    target = BY_NAME[name]
    target.seed(tmp_path)
    target.read(tmp_path / target.file)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_reader_holds_out(name: str, tmp_path: Path) -> None:
    most, harmed = SLOW.get(name, RUNS), corpus(name)
    outcome = loop.fuzz(
        BY_NAME[name], tmp_path, harmed, seconds=60, seed=1, most=most, traced=False
    )
    assert outcome.runs == most > len(harmed)
    assert not outcome.findings, "\n".join(f.told for f in outcome.findings.values())


def test_names_are_one_each_and_the_corpus_belongs_to_them() -> None:
    assert len(BY_NAME) == len(TARGETS)
    assert {p.name for p in (HERE / "corpus").iterdir()} <= set(BY_NAME)
    assert sum(p.stat().st_size for p in (HERE / "corpus").rglob("*") if p.is_file()) < 200_000
