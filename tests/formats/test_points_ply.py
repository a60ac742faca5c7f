"""Point clouds with colours."""

from pathlib import Path

import numpy as np
import pytest

from backend.formats import ply, points_ply
from backend.protocol import InputError

POINTS = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.float32)
COLORS = np.array([[0, 100, 200], [1, 2, 3], [255, 254, 253]], np.uint8)


def save(path: Path, **columns: np.ndarray) -> Path:
    path.mkdir(exist_ok=True)
    vertices = np.empty(3, [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        vertices[name] = values
    ply.write_vertices(path / "a.ply", vertices)
    return path / "a.ply"


def test_points_and_colours_come_back(tmp_path: Path) -> None:
    points_ply.write(tmp_path / "a.ply", POINTS.astype(float), COLORS)
    points, colors = points_ply.read(tmp_path / "a.ply")
    np.testing.assert_array_equal(points, POINTS)
    np.testing.assert_array_equal(colors, COLORS)
    assert points.dtype == np.float32 and colors.dtype == np.uint8
    assert [name for name, _ in ply.read_header(tmp_path / "a.ply").fields] == [
        "x",
        "y",
        "z",
        "red",
        "green",
        "blue",
    ]


def test_points_without_colours_are_mid_grey(tmp_path: Path) -> None:
    file = save(
        tmp_path,
        x=POINTS[:, 0],
        y=POINTS[:, 1],
        z=POINTS[:, 2],
        red=COLORS[:, 0],
        green=COLORS[:, 1],
    )
    bare = save(tmp_path / "bare", x=POINTS[:, 0], y=POINTS[:, 1], z=POINTS[:, 2])
    for path in (file, bare):
        points, colors = points_ply.read(path)
        np.testing.assert_array_equal(points, POINTS)
        assert colors.tolist() == [[128, 128, 128]] * 3


def test_points_that_are_nowhere_go_with_their_colours(tmp_path: Path) -> None:
    points = POINTS.copy()
    points[1, 2] = np.nan
    points_ply.write(tmp_path / "a.ply", points, COLORS)
    found, colors = points_ply.read(tmp_path / "a.ply")
    np.testing.assert_array_equal(found, POINTS[[0, 2]])
    np.testing.assert_array_equal(colors, COLORS[[0, 2]])


def test_points_need_three_coordinates(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no point positions"):
        points_ply.read(save(tmp_path, x=POINTS[:, 0], y=POINTS[:, 1], red=COLORS[:, 0]))
