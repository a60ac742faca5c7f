"""Every verb, small: the same bytes on one core as on two; the drill notices what is not."""

import json
from pathlib import Path

import pytest
from helpers.shared import made_once

from backend.verbs import VERBS
from tests.drill import same_bytes
from tests.drill.same_bytes import CONDITIONS, Drill
from tests.drill.same_bytes_cases import BY_NAME, CASES, NOT_RUN, TRACKER, Case

# the suite itself is a busy neighbour; a spinning one would keep the other tests waiting
EXTREMES = CONDITIONS[:2]
QUICK = [case for case in CASES if case.quick]


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """One folder for all, since some begin with what others leave."""
    return Drill(made_once(tmp_path_factory, "same_bytes", lambda at: (at / "inputs").mkdir()))


@pytest.mark.process
@pytest.mark.whole
@pytest.mark.skipif(not same_bytes.enough_cores(), reason="it takes two cores to be told apart")
@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_the_same_bytes_on_any_cores(drill: Drill, case: Case) -> None:
    if case.needs_tracker and not TRACKER.is_dir():
        pytest.skip("the face tracker's networks are not here")
    assert not drill.differences(case, EXTREMES)


def test_every_verb_is_tried_or_said_not_to_be() -> None:
    assert {case.verb for case in QUICK} | set(NOT_RUN) >= set(VERBS) - {"register"}
    assert {case.verb for case in CASES} | set(NOT_RUN) == set(VERBS)


def _left(drill: Drill, condition: same_bytes.Condition, number: int, **changed: object) -> None:
    """A result of `head` as the drill keeps it."""
    output = drill.folder / f"head, {condition.name}, {number}"
    (output / ".job").mkdir(parents=True)
    (output / ".job" / "state.json").write_text(condition.name)
    manifest = {"verb": "head", "settings": {"device": "cpu", "to": str(output)}}
    manifest |= {"timings": {"wall_seconds": condition.cores}, "metrics": {"psnr": 31.25}}
    (output / "manifest.json").write_text(json.dumps({**manifest, **changed}))
    (output / "head.bin").write_bytes(b"arrays")


def test_times_and_places_do_not_count(tmp_path: Path) -> None:
    drill = Drill(tmp_path)
    for condition in CONDITIONS:
        _left(drill, condition, 0)
    assert not drill.differences(BY_NAME["head"])


def test_one_byte_or_figure_counts(tmp_path: Path) -> None:
    drill = Drill(tmp_path)
    _left(drill, CONDITIONS[0], 0)
    _left(drill, CONDITIONS[1], 0, metrics={"psnr": 31.26})
    _left(drill, CONDITIONS[2], 0)
    (tmp_path / f"head, {CONDITIONS[2].name}, 0" / "head.bin").write_bytes(b"arrayz")
    lines = drill.differences(BY_NAME["head"])
    assert len(lines) == 2
    assert "manifest.json: metrics on two cores is" in lines[0] and "head.bin" in lines[1]
