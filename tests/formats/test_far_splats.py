"""Splats in the coordinates of surveys: double precision is kept by moving them near the origin."""

from pathlib import Path

import numpy as np
import pytest

from backend.formats import ply, splat_ply
from backend.formats.splat_notes import SplatNotes
from backend.formats.splats import files

UTM = (500123.25, 4500456.5, 120.0)
COUNT = 50


def write(path: Path, offset: tuple[float, float, float], kind: str = "f8") -> np.ndarray:
    """(N, 3) places of splats about `offset`, a thousandth apart, as they stand in the file."""
    rng = np.random.default_rng(0)
    names = [n for n in splat_ply.REQUIRED if n not in "xyz"]
    rows = np.zeros(COUNT, [(n, kind) for n in "xyz"] + [(n, "f4") for n in names])
    places = rng.uniform(-2, 2, (COUNT, 3)) + offset
    for axis in range(3):
        rows["xyz"[axis]] = places[:, axis]
    rows["rot_0"] = 1
    for axis in range(3):
        rows[f"scale_{axis}"] = -3
    ply.write_vertices(path, rows)
    return places


@pytest.mark.parametrize("offset", [UTM, (-431234.5, 5812345.25, -40000.0), (0.0, 7e6, 0.0)])
def test_double_precision_is_kept(offset: tuple[float, float, float], tmp_path: Path) -> None:
    places = write(tmp_path / "a.ply", offset)
    a = files.read(tmp_path / "a.ply")
    assert a.notes.source is not None and "moved by" in a.told[0]
    np.testing.assert_allclose(a.means + a.notes.source[:3, 3], places, atol=1e-6)
    splat_ply.write(tmp_path / "b.ply", a)
    back = files.read(tmp_path / "b.ply")
    np.testing.assert_array_equal(back.means, a.means)
    assert back.notes.source is not None and not back.told
    np.testing.assert_array_equal(back.notes.source, a.notes.source)


def test_places_that_are_no_numbers_do_not_hide_where_the_others_are(tmp_path: Path) -> None:
    write(tmp_path / "a.ply", UTM)
    data = ply.read_vertices(tmp_path / "a.ply")
    data["x"][:5] = np.nan
    ply.write_vertices(tmp_path / "a.ply", data)
    a = files.read(tmp_path / "a.ply")
    assert len(a) == COUNT - 5 and "5 splats" in a.left_out[0] and a.told
    assert np.abs(a.means).max() < 10


@pytest.mark.parametrize(("offset", "kind"), [((0.0, 0.0, 0.0), "f8"), ((50.0, 0.0, 0.0), "f8"),
                                              (UTM, "f4")])  # fmt: skip
def test_near_splats_and_rounded_ones_stay(
    offset: tuple[float, float, float], kind: str, tmp_path: Path
) -> None:
    places = write(tmp_path / "a.ply", offset, kind)
    a = files.read(tmp_path / "a.ply")
    assert a.notes.source is None and not a.told
    np.testing.assert_array_equal(a.means, places.astype(np.float32))


@pytest.mark.parametrize("chosen", files.FORMATS,
                         ids=lambda f: f.name)  # fmt: skip
def test_where_they_lie_is_kept_or_named(chosen: files.SplatFormat, tmp_path: Path) -> None:
    write(tmp_path / "a.ply", UTM)
    a = files.read(tmp_path / "a.ply")
    path = tmp_path / f"b{chosen.suffixes[0]}"
    lost = files.write(path, a, chosen)
    source = files.read(path).notes.source
    named = any("surveyed" in text for text in lost)
    assert named != chosen.notes and (source is not None) == chosen.notes


@pytest.mark.parametrize("name", ["gltf", "usd"])
@pytest.mark.parametrize("offset", [UTM, (0.0, -6_378_137.0, 12.0)])
def test_scenes_whose_nodes_stand_far_away(
    name: str, offset: tuple[float, float, float], tmp_path: Path
) -> None:
    """As georeferenced tiles are: single precision about a node in double."""
    write(tmp_path / "a.ply", (0.0, 0.0, 0.0))
    near = files.read(tmp_path / "a.ply")
    upright = np.eye(4)
    upright[:3, 3] = offset
    near.notes = SplatNotes(upright=upright)
    path = tmp_path / f"b{files.BY_NAME[name].suffixes[0]}"
    files.write(path, near, files.BY_NAME[name])
    if name == "gltf":
        path.write_bytes(path.read_bytes().replace(b'"splatsmith"', b'"somebodyes"'))
    else:
        from pxr import Sdf

        layer = Sdf.Layer.FindOrOpen(str(path))
        layer.GetPrimAtPath("/Splats").ClearInfo("customData")
        layer.Save()
    a = files.read(path)
    assert "moved by" in a.told[0] and np.abs(a.means).max() < 10
    y_up = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    places = (near.means.astype(float) + offset) @ (np.diag([1.0, -1, -1]) @ y_up).T
    assert a.notes.source is not None
    moved = a.means @ a.notes.source[:3, :3].T + a.notes.source[:3, 3]
    np.testing.assert_allclose(moved, places, atol=2e-6)
