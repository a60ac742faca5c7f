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
    points, colors, told = points_ply.read(tmp_path / "a.ply")
    np.testing.assert_array_equal(points, POINTS)
    np.testing.assert_array_equal(colors, COLORS)
    assert points.dtype == np.float32 and colors.dtype == np.uint8 and told == ""
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
        points, colors, _ = points_ply.read(path)
        np.testing.assert_array_equal(points, POINTS)
        assert colors.tolist() == [[128, 128, 128]] * 3


def test_points_that_are_nowhere_go_with_their_colours(tmp_path: Path) -> None:
    points = POINTS.copy()
    points[1, 2] = np.nan
    points_ply.write(tmp_path / "a.ply", points, COLORS)
    found, colors, told = points_ply.read(tmp_path / "a.ply")
    np.testing.assert_array_equal(found, POINTS[[0, 2]])
    np.testing.assert_array_equal(colors, COLORS[[0, 2]])
    assert told == "a.ply: 1 of 3 points left out, without a usable position."


def test_points_need_three_coordinates(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no point positions"):
        points_ply.read(save(tmp_path, x=POINTS[:, 0], y=POINTS[:, 1], red=COLORS[:, 0]))


@pytest.mark.parametrize(("values", "kind"), [
    ([0.0, 0.5, 1.0], "f4"), ([0.0, 0.5, 1.0], "f8"), ([0.0, 127.5, 255.0], "f4"),
    ([0, 32768, 65535], "u2"), ([0, 128, 255], "u2"), ([0, 128, 255], "i4"), ([0, 128, 255], "u1"),
])  # fmt: skip
def test_colours_of_any_type(values: list[float], kind: str, tmp_path: Path) -> None:
    """Open3D and trimesh write floats in 0..1, scanners 16 bits."""
    rgb = {n: np.array(values, kind) for n in ("red", "green", "blue")}
    xyz = {n: POINTS[:, i] for i, n in enumerate("xyz")}
    colors = points_ply.read(save(tmp_path, **xyz, **rgb))[1]
    assert np.abs(colors.astype(int) - [[0] * 3, [128] * 3, [255] * 3]).max() <= 1


def test_colours_that_are_no_numbers_are_black_and_other_names_are_known(tmp_path: Path) -> None:
    xyz = {n: POINTS[:, i] for i, n in enumerate("xyz")}
    odd = np.array([np.nan, np.inf, 1.0], np.float32)
    names = ("diffuse_red", "diffuse_green", "diffuse_blue")
    colors = points_ply.read(save(tmp_path, **xyz, **dict.fromkeys(names, odd)))[1]
    assert colors.tolist() == [[0] * 3, [0] * 3, [255] * 3]


def test_far_points_come_near_before_they_are_rounded(tmp_path: Path) -> None:
    offset = np.array([500_000.0, 4_500_000.0, 100.0])
    exact = POINTS.astype(float) + 0.001 + offset
    file = save(tmp_path, **{n: exact[:, i] for i, n in enumerate("xyz")})
    np.testing.assert_allclose(points_ply.read(file, offset)[0], POINTS + 0.001, atol=1e-6)
