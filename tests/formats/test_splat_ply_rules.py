"""What splat files may leave out, and what is made of what they hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.formats import ply, splat_ply
from backend.formats.splat_arrays import SplatArrays, opacities_of
from backend.protocol import InputError


def make(count: int = 2, coefficients: int = 1) -> SplatArrays:
    g = np.random.default_rng(0)
    quats = np.tile(np.array([[0.5, 0.5, -0.5, 0.5]], np.float32), (count, 1))
    means, log_scales, sh = (
        g.normal(size=shape).astype(np.float32)
        for shape in ((count, 3), (count, 3), (count, coefficients, 3))
    )
    return SplatArrays(
        means=means,
        quats=quats,
        log_scales=log_scales,
        opacity_logits=g.normal(size=count).astype(np.float32),
        sh=sh,
    )


def save(
    path: Path, arrays: SplatArrays, without: tuple[str, ...] = (), **extra: np.ndarray
) -> Path:
    """A splat file that lacks some properties, and has some more at its end."""
    splat_ply.write(path / "a.ply", arrays)
    vertices = ply.read_vertices(path / "a.ply")
    columns = {
        name: vertices[name] for name in vertices.dtype.names or () if name not in without
    } | extra
    changed = np.empty(len(vertices), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        changed[name] = values
    ply.write_vertices(path / "a.ply", changed)
    return path / "a.ply"


@pytest.mark.parametrize("name", splat_ply.REQUIRED)
def test_every_property_of_a_splat_is_needed(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"'{name}' is missing") as caught:
        splat_ply.read(save(tmp_path, make(), (name,)))
    assert caught.value.advice == "Choose a 3DGS PLY."


def test_compressed_files_are_known_by_their_look(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        splat_ply.read(
            save(tmp_path, make(), ("x", "y", "z"), packed_position=np.zeros(2, np.uint32))
        )
    assert "SuperSplat" in caught.value.advice


def test_normals_may_be_missing_and_other_properties_are_kept_in_their_type(tmp_path: Path) -> None:
    own = {"f_rest_total": np.array([3, 4], np.uint8), "weight": np.array([0.1, 0.2])}
    found = splat_ply.read(save(tmp_path, make(), ("nx", "ny", "nz"), **own))
    assert found.extra.keys() == own.keys()
    for name, values in own.items():
        np.testing.assert_array_equal(found.extra[name], values)
        assert found.extra[name].dtype == values.dtype
    splat_ply.write(tmp_path / "b.ply", found)
    assert splat_ply.read(tmp_path / "b.ply").extra["weight"].dtype == np.float64
    assert not splat_ply.read(save(tmp_path, make())).extra, "normals belong to every splat file"


def test_normals_are_written_as_zeros(tmp_path: Path) -> None:
    splat_ply.write(tmp_path / "a.ply", make())
    vertices = ply.read_vertices(tmp_path / "a.ply")
    assert not any(vertices[name].any() for name in ("nx", "ny", "nz"))


@pytest.mark.parametrize("count", [1, 3, 8, 10, 23, 25, 44, 46])
def test_colour_coefficients_fit_a_degree(count: int, tmp_path: Path) -> None:
    extra: dict[str, Any] = {f"f_rest_{i}": np.zeros(2, np.float32) for i in range(count)}
    with pytest.raises(InputError, match=f"has {count} colour coefficients"):
        splat_ply.read(save(tmp_path, make(), **extra))


def test_coefficients_go_by_their_numbers_wherever_they_stand(tmp_path: Path) -> None:
    extra: dict[str, Any] = {f"f_rest_{i}": np.full(2, i, np.float32) for i in reversed(range(24))}
    sh = splat_ply.read(save(tmp_path, make(), **extra)).sh
    assert sh.shape == (2, 9, 3)
    np.testing.assert_array_equal(sh[0, 1:, 0], np.arange(8))  # red first, then green, then blue
    np.testing.assert_array_equal(sh[1, 1:, 2], np.arange(16, 24))


def test_rotations_are_made_unit_and_nothing_is_lost_where_they_are(tmp_path: Path) -> None:
    arrays = make(5)
    arrays.quats[0] = [0, 0, 3, 4]
    arrays.quats[1] = 0
    arrays.quats[2] = np.array([0.5, 0.5, 0.5, 0.5]) * (
        1 + 6e-6
    )  # as close as rounding leaves it: its bits stay
    arrays.quats[3] = np.array([0.5, 0.5, 0.5, 0.5]) * 1e-6
    found = splat_ply.read(save(tmp_path, arrays)).quats
    np.testing.assert_allclose(found[0], [0, 0, 0.6, 0.8], atol=1e-7)
    np.testing.assert_array_equal(found[1], [1, 0, 0, 0])
    np.testing.assert_array_equal(found[2], arrays.quats[2])
    np.testing.assert_allclose(found[3], [0.5] * 4, atol=1e-7)
    np.testing.assert_array_equal(found[4], arrays.quats[4])
    assert found.dtype == np.float32


def test_scales_beyond_reason_are_left_out(tmp_path: Path) -> None:
    arrays = make(3)
    arrays.log_scales[1, 2], arrays.log_scales[2, 0] = 50, 49.5
    found = splat_ply.read(save(tmp_path, arrays))
    np.testing.assert_array_equal(found.means, arrays.means[[0, 2]])
    assert found.left_out == ("1 splat whose values are not finite",)


@pytest.mark.parametrize("scale", [-50.0, -1e30, -np.inf])
def test_what_has_no_thickness_is_flat(scale: float, tmp_path: Path) -> None:
    arrays = make(3)
    arrays.log_scales[1, 2], arrays.log_scales[2, 0] = scale, -49.25
    found = splat_ply.read(save(tmp_path, arrays))
    assert len(found) == 3 and not found.left_out
    assert found.log_scales[1, 2] == np.float32(-49.5) and found.log_scales[2, 0] == -49.25


def test_infinite_opacity_is_opaque(tmp_path: Path) -> None:
    """As programs write what the sigmoid's inverse makes of 1 and 0."""
    arrays = make(60)
    arrays.opacity_logits[:40] = np.inf
    arrays.opacity_logits[40:45] = -np.inf
    arrays.opacity_logits[45:47] = 90, -90  # large, but numbers: their bits stay
    found = splat_ply.read(save(tmp_path, arrays))
    assert len(found) == 60 and not found.left_out
    opacities = opacities_of(found)
    assert (opacities[:40] == 1).all() and (opacities[40:45] < 1e-8).all()
    np.testing.assert_array_equal(found.opacity_logits[45:], arrays.opacity_logits[45:])


@pytest.mark.parametrize("name", ["means", "quats", "log_scales", "sh"])
def test_one_infinite_value_costs_its_splat(name: str, tmp_path: Path) -> None:
    arrays = make(3, 4)
    getattr(arrays, name).reshape(3, -1)[1, -1] = np.inf
    found = splat_ply.read(save(tmp_path, arrays))
    np.testing.assert_array_equal(found.sh, arrays.sh[[0, 2]])


def test_a_file_of_nothing_else_is_refused(tmp_path: Path) -> None:
    arrays = make(3)
    arrays.means[:] = np.inf
    with pytest.raises(InputError, match="None of the splats"):
        splat_ply.read(save(tmp_path, arrays))


def test_taking_some_takes_their_own_properties(tmp_path: Path) -> None:
    arrays = make(4)
    arrays.extra["label"] = np.array([5, 6, 7, 8])
    some = splat_ply.take(arrays, np.array([False, True, False, True]))
    assert some.extra["label"].tolist() == [6, 8] and len(some) == 2
    for name in ("means", "quats", "log_scales", "opacity_logits", "sh"):
        np.testing.assert_array_equal(getattr(some, name), getattr(arrays, name)[[1, 3]])
