"""Hostile files, a fast part of them: every kind of file, met in this process. `python -m
tests.drill.hostile_run` meets all of them, each in a process of its own.
"""

import time
from pathlib import Path

import pytest

from backend.protocol import InputError
from tests.drill.hostile_files import SPOILS, HostileInput, corpus
from tests.drill.hostile_seeds import SEEDS, Seed

# each of another kind of damage; others take long or start processes
QUICK = (
    "empty",
    "cut at 50%",
    "bits turned 3",
    "a huge number at 8",
    "it is PostScript",
    "it is a pickle",
    "a pipe",
    "an endless device",
    "a link to itself",
    "a folder",
)
STARTS = "usd"  # reads in a process of its own


def test_the_corpus_is_large_and_of_every_kind() -> None:
    inputs = list(corpus())
    assert len(inputs) >= 400 and len({i.name for i in inputs}) == len(inputs)
    assert set(QUICK) <= set(SPOILS)


@pytest.mark.parametrize("seed", [s for s in SEEDS if STARTS not in s.name], ids=lambda s: s.name)
def test_each_kind_of_file_is_met_with_a_sentence(seed: Seed, tmp_path: Path) -> None:
    for wrong in QUICK:
        path = HostileInput(seed, wrong, SPOILS[wrong]).place(tmp_path / "a", tmp_path / "good")
        begun = time.process_time()
        told = _told_of(seed, path)
        assert not told or (told.endswith(".") and "\n" not in told)
        assert time.process_time() - begun < 10, wrong


def _told_of(seed: Seed, path: Path) -> str:
    """What the reader says of the file; nothing where it can be read."""
    try:
        seed.read(path)
    except InputError as error:
        return error.what
    return ""
