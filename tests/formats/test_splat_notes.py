"""What a file says of its splats as a whole comes back; what it says wrongly is passed over."""

from pathlib import Path

import numpy as np
import pytest
from helpers.random_splats import make

from backend.formats import ply, splat_ply
from backend.formats.splat_moves import moved
from backend.formats.splat_notes import SplatNotes, agreed, comments_of, from_offset, notes_of


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


OFFSET = np.array([500_000.123456789, 4_500_000.987654321, -12.5])


def test_where_a_surveyed_world_lies_comes_back_to_the_last_digit(tmp_path: Path) -> None:
    arrays = make()
    arrays.notes = SplatNotes(source=from_offset(OFFSET))
    splat_ply.write(tmp_path / "a.ply", arrays)
    words = ply.read_comments(tmp_path / "a.ply")[0].split()
    assert words[:2] == ["splatsmith", "offset"] and [float(w) for w in words[2:]] == list(OFFSET)
    back = splat_ply.read(tmp_path / "a.ply").notes.source
    assert back is not None
    np.testing.assert_array_equal(back[:3, 3], OFFSET)
    assert from_offset(np.zeros(3)) is None


@pytest.mark.parametrize("linear", [
    np.eye(3), 2 * np.eye(3), np.array([[0.0, -3, 0], [3, 0, 0], [0, 0, 3]]),
])  # fmt: skip
def test_moved_splats_still_know_where_they_came_from(linear: np.ndarray, tmp_path: Path) -> None:
    arrays, matrix = make(), np.eye(4)
    arrays.notes = SplatNotes(source=from_offset(OFFSET))
    matrix[:3, :3], matrix[:3, 3] = linear, (1.0, 2.0, 3.0)
    splat_ply.write(tmp_path / "a.ply", moved(arrays, matrix))
    back = splat_ply.read(tmp_path / "a.ply")
    assert back.notes.source is not None
    there = back.means.astype(float) @ back.notes.source[:3, :3].T + back.notes.source[:3, 3]
    np.testing.assert_allclose(there, arrays.means.astype(float) + OFFSET, atol=1e-5)


def test_joined_splats_keep_what_they_have_in_common() -> None:
    a, b = make(), make()
    up = np.diag([1.0, -1.0, -1.0, 1.0])
    a.notes = b.notes = SplatNotes(source=from_offset(OFFSET), upright=up)
    notes = splat_ply.joined([a, b]).notes
    assert notes.source is not None and notes.upright is not None
    b.notes = SplatNotes(source=from_offset(OFFSET + 1), upright=up)
    assert agreed([a.notes, b.notes]).source is None and agreed([a.notes, b.notes]).upright is up


@pytest.mark.parametrize("line", [
    "splatsmith offset", "splatsmith offset 1 2", "splatsmith offset nan 0 0",
    "splatsmith offset a b c", "splatsmith source 1 2 3", "splatsmith source " + "0 " * 16,
])  # fmt: skip
def test_offsets_that_are_none_are_passed_over(line: str) -> None:
    assert notes_of([line]).source is None
