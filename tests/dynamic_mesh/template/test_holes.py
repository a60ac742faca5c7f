"""Holes of thin sheets are closed, slits are not."""

import numpy as np
import pytest

from backend.dynamic_mesh.template.holes import euler, faint_holes


def _box(*sides: tuple[int, int]) -> np.ndarray:
    cells = np.zeros((24, 24, 24), bool)
    cells[tuple(slice(*side) for side in sides)] = True
    return cells


SHEET = _box((2, 22), (2, 22), (10, 13))
LEGS = _box((2, 8), (8, 14), (0, 20)) | _box((11, 17), (8, 14), (0, 20))
HIPS = LEGS | _box((2, 17), (8, 14), (20, 24))
MIDDLE = _box((10, 14), (10, 14), (10, 13))


@pytest.mark.parametrize(
    ("cells", "expected"), [(SHEET, 1), (SHEET & ~MIDDLE, 0), (LEGS, 2), (HIPS, 1)]
)
def test_euler_counts_parts_less_handles(cells: np.ndarray, expected: int) -> None:
    assert euler(cells) == expected
    assert euler(cells.transpose(2, 0, 1)) == expected
    assert euler(_box((4, 9), (4, 9), (4, 9)) & ~_box((6, 7), (6, 7), (6, 7))) == 2  # a hollow


def test_a_faint_hole_of_a_sheet_is_closed() -> None:
    found = faint_holes(SHEET & ~MIDDLE, SHEET, 4)
    assert not (found & ~MIDDLE).any()
    assert euler((SHEET & ~MIDDLE) | found) == 1


def test_a_hole_with_nothing_in_it_or_too_wide_stays() -> None:
    assert not faint_holes(SHEET & ~MIDDLE, SHEET & ~MIDDLE, 4).any()
    wide = _box((6, 18), (6, 18), (10, 13))
    assert not faint_holes(SHEET & ~wide, SHEET, 4).any()


@pytest.mark.parametrize("legs", [LEGS, HIPS])
def test_two_legs_stay_two(legs: np.ndarray) -> None:
    assert not faint_holes(legs, np.ones_like(legs), 4).any()


def test_a_notch_at_the_rim_is_no_hole() -> None:
    notch = _box((2, 5), (10, 14), (10, 13))
    assert not faint_holes(SHEET & ~notch, SHEET, 4).any()
