"""What a file says of its splats as a whole comes back; what it says wrongly is passed over."""

from pathlib import Path

import numpy as np
import pytest
from helpers.random_splats import make

from backend.formats import ply, splat_ply
from backend.formats.splat_notes import SplatNotes, comments_of, notes_of


def test_notes_come_back(tmp_path: Path) -> None:
    arrays, upright = make(), np.diag([2.0, -2.0, -2.0, 1.0])
    upright[:3, 3] = 0.1, 0.2, 1 / 3
    arrays.notes = SplatNotes(blend="linear", antialiased=True, upright=upright)
    splat_ply.write(tmp_path / "a.ply", arrays, ("Splatsmith",))
    assert ply.read_comments(tmp_path / "a.ply")[0] == "Splatsmith"
    back = splat_ply.read(tmp_path / "a.ply").notes
    assert back.blend == "linear" and back.antialiased and back.upright is not None
    np.testing.assert_allclose(back.upright, upright, rtol=1e-8)
    assert splat_ply.take(arrays, np.arange(3)).notes is arrays.notes


def test_what_is_usual_is_not_said(tmp_path: Path) -> None:
    splat_ply.write(tmp_path / "a.ply", make())
    assert not ply.read_comments(tmp_path / "a.ply")
    assert comments_of(splat_ply.read(tmp_path / "a.ply").notes) == ()


@pytest.mark.parametrize(
    "line",
    [
        "splatsmith",
        "splatsmith blend",
        "splatsmith blend purple",
        "splatsmith upright",
        "splatsmith upright 1 2 3",
        "splatsmith upright " + " ".join(["nan"] * 16),
        "splatsmith upright " + " ".join(["0"] * 16),
        "splatsmith upright " + " ".join(["1e300"] * 16),
        "splatsmith upright 1 1 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
        "someone else's upright 1 2 3",
    ],
)
def test_nonsense_is_passed_over(line: str) -> None:
    assert comments_of(notes_of([line])) == ()


def test_several_as_one(tmp_path: Path) -> None:
    first, second = make(5, 16), make(7, 1)
    first.notes = SplatNotes(blend="linear")
    both = splat_ply.joined([first, second])
    assert len(both) == 12 and both.sh.shape == (12, 16, 3) and both.notes.blend == "srgb"
    assert not both.sh[5:, 1:].any() and both.extra["label"].tolist() == [*range(5), *range(7)]
    second.extra.clear()
    assert not splat_ply.joined([first, second]).extra
    assert splat_ply.joined([first]) is first
