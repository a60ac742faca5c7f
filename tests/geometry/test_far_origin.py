"""When a world is moved near its origin, and which cameras can't be of it."""

import numpy as np
import pytest

from backend.geometry.far_origin import lost_cameras, offset_of

RING = np.stack([np.cos(np.arange(8)), np.sin(np.arange(8)), np.zeros(8)], 1) * 3


@pytest.mark.parametrize("place", [
    (500_000, 4_500_000, 120), (-2e6, 0, 0), (0, 0, 6_378_000), (1_500, 0, 0),
])  # fmt: skip
def test_far_worlds_come_near_by_whole_units(place: tuple[float, float, float]) -> None:
    offset = offset_of(RING + place)
    assert offset is not None and (offset == np.round(offset)).all()
    assert np.abs(RING + place - offset).max() < 7


@pytest.mark.parametrize(("centers", "what"), [
    (RING, "near"), (RING + np.array([200, 0, 0]), "near enough"),
    (RING * 1000 + 5000, "as large as far"),
    (np.zeros((5, 3)), "one place"), (np.tile([[3.0, 4.5, 1.6]], (5, 1)), "a turning camera"),
    (RING[:1] + 50, "one camera"),
])  # fmt: skip
def test_others_stay(centers: np.ndarray, what: str) -> None:
    assert offset_of(centers) is None, what


def test_worlds_in_degrees() -> None:
    offset = offset_of(RING * 1e-5 + np.array([11.5, 48.1, 0.5]))
    assert (
        offset is not None
        and np.abs(RING * 1e-5 + np.array([11.5, 48.1, 0.5]) - offset).max() < 1e-4
    )


@pytest.mark.parametrize("bad", [(np.nan, 0, 0), (np.inf, 0, 0), (1e9, 0, 0), (0, -1e300, 0)])
def test_one_lost_camera_among_many(bad: tuple[float, float, float]) -> None:
    for place in (np.zeros(3), np.array([5e5, 4.5e6, 0])):
        centers = RING + place
        centers[3] = bad
        assert lost_cameras(centers) == [3]
        assert lost_cameras(RING + place) == []


def test_cameras_that_stand_still_are_not_lost() -> None:
    centers = np.zeros((10, 3))
    centers[7] = (0.1, 0, 0)
    assert lost_cameras(centers) == [] and lost_cameras(centers[:1]) == []
