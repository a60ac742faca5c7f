"""What the pictures say about the object before anything is fitted."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.dynamic_mesh.footage.object_sheet import object_sheet
from backend.dynamic_mesh.footage.timed_views import PyramidLevel, TimedView, silhouette_trajectory

SIZE, FOCAL, DISTANCE = 64, 80.0, 4.0


def seen(offset: tuple[float, float], angle: float, time: float) -> TimedView:
    """A small square patch at so many pixels right of and below the middle of the box, from a
    camera on a circle around it.
    """
    alpha = torch.zeros(SIZE, SIZE)
    row, column = SIZE // 2 + round(offset[1]), SIZE // 2 + round(offset[0])
    alpha[row - 3 : row + 3, column - 3 : column + 3] = 1
    c, s = math.cos(angle), math.sin(angle)
    viewmat = torch.tensor([[c, 0, -s, 0], [0, 1, 0, 0], [s, 0, c, DISTANCE], [0, 0, 0, 1]])
    K = torch.tensor([[FOCAL, 0, SIZE / 2], [0, FOCAL, SIZE / 2], [0, 0, 1]])
    return TimedView(
        name="",
        time=time,
        viewmat=viewmat,
        levels=[PyramidLevel(color=torch.zeros(SIZE, SIZE, 3), alpha=alpha, K=K)],
    )


@pytest.mark.parametrize(("step", "jumps"), [(0.0, False), (0.2, False), (0.4, True)])
def test_the_way_of_silhouettes_is_in_units_of_the_box(step: float, jumps: bool) -> None:
    offsets = [(0.0, 0.0), (4.0, 0.0), (8.0, -2.0), (12.0, 6.0)]
    way = silhouette_trajectory([seen(offset, step * k, k / 3) for k, offset in enumerate(offsets)])
    expected = torch.tensor(offsets) * DISTANCE / FOCAL
    assert torch.allclose(way, torch.zeros(4, 2) if jumps else expected, atol=1e-5)


def test_two_cameras_at_a_time_are_not_one_on_its_way() -> None:
    views = [seen((4.0, 0.0), 0.1 * camera, time) for time in (0.0, 0.5, 1.0) for camera in (0, 1)]
    assert not silhouette_trajectory(views).any() and silhouette_trajectory(views[::2]).all(0)[0]


@pytest.mark.parametrize("count", [1, 2, 40])
def test_what_was_taken_for_the_object_is_shown(count: int) -> None:
    views = [
        replace(seen((0.0, 0.0), 0.0, k / count), name=f"картина {k}.png") for k in range(count)
    ]
    pixels = np.asarray(object_sheet(views))
    black = (pixels < 128).all(-1).sum()  # the patch: 6 of 64 pixels a side
    assert black == pytest.approx(min(count, 9) * (6 / SIZE * 240) ** 2, rel=0.1)
