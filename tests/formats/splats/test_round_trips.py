"""Every format written and read again: how true splats stay, what is kept, what is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.random_splats import make
from helpers.splat_renders import pictures, psnr, scene

from backend.formats import ply, splat_moves, splat_ply
from backend.formats.splat_arrays import SplatArrays, opacities_of, take, with_degree
from backend.formats.splat_notes import SplatNotes
from backend.formats.splats import files
from backend.formats.splats.files import BY_NAME, FORMATS, Tools
from backend.formats.splats.packing import along_a_curve
from backend.protocol import InputError

# decibels that renders are true to, at least; bytes a splat with harmonics of degree 3, at most
FAITHFUL = {
    "ply": (120, 249),
    "compressed-ply": (40, 63),
    "spz": (40, 60),
    "sog": (40, 60),
    "gltf": (100, 250),
    "usd": (100, 270),
}


def there_and_back(
    a: SplatArrays, name: str, folder: Path, tools: Tools | None = None
) -> tuple[SplatArrays, tuple[str, ...]]:
    path = folder / f"a{BY_NAME[name].suffixes[0]}"
    lost = files.write(path, a, BY_NAME[name], tools)
    return files.read(path, tools), lost


def like(a: SplatArrays, b: SplatArrays) -> SplatArrays:
    """The splats of b in the order of a, for formats that sort them."""
    apart = np.abs(a.means[:, None] - b.means[None]).max(2)
    return take(b, apart.argmin(1))


@pytest.mark.parametrize("name", FAITHFUL)
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_renders_stay_alike(name: str, degree: int, tmp_path: Path) -> None:
    a = scene(degree=degree)
    b, lost = there_and_back(a, name, tmp_path)
    assert len(b) == len(a) and b.sh_degree == degree and not lost and not b.left_out
    true_to, most = FAITHFUL[name]
    assert psnr(pictures(a), pictures(b)) > true_to
    size = (tmp_path / f"a{BY_NAME[name].suffixes[0]}").stat().st_size
    assert size < most * len(a) + 20_000


@pytest.mark.parametrize("name", ["ply", "usd", "compressed-ply", "spz", "sog", "gltf"])
def test_a_fourth_degree_is_kept_or_named(name: str, tmp_path: Path) -> None:
    a = scene(500, degree=4)
    b, lost = there_and_back(a, name, tmp_path)
    if BY_NAME[name].degree == 4:
        assert not lost and b.sh_degree == 4
        np.testing.assert_allclose(a.sh, like(b, a).sh if name != "ply" else b.sh, atol=1e-6)
    else:
        assert lost == ("colors that follow the view beyond degree 3 (degree 4)",)
        assert b.sh_degree == 3


@pytest.mark.parametrize("version", [2, 3, 4])
def test_versions_of_spz(version: int, tmp_path: Path) -> None:
    """The second has coarse rotations."""
    a = scene()
    b, _ = there_and_back(a, "spz", tmp_path, Tools(spz_version=version))
    assert psnr(pictures(a), pictures(b)) > (33 if version == 2 else 40)
    assert np.abs(a.means - b.means).max() <= 2**-13 + 1e-6


def test_without_harmonics_a_splat_stays_as_it_is(tmp_path: Path) -> None:
    a = scene(degree=0)
    b, lost = there_and_back(a, "splat", tmp_path)
    assert not lost and psnr(pictures(a), pictures(b)) > 38
    np.testing.assert_array_equal(a.means, b.means)
    b, lost = there_and_back(scene(), "splat", tmp_path)
    assert lost == ("colors that follow the view (degree 3)",) and b.sh_degree == 0


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_ksplat_keeps_all_but_the_third_degree(degree: int, tmp_path: Path) -> None:
    """Colours and opacities are bytes, the rest keeps its numbers."""
    a = scene(degree=degree)
    b, lost = there_and_back(a, "ksplat", tmp_path)
    third = ("colors that follow the view beyond degree 2 (degree 3)",)
    assert lost == (third if degree == 3 else ()) and b.sh_degree == min(degree, 2)
    assert psnr(pictures(with_degree(a, 2)), pictures(b)) > 45
    for key in ("means", "quats"):
        np.testing.assert_array_equal(getattr(a, key), getattr(b, key))
    np.testing.assert_allclose(a.log_scales, b.log_scales, atol=1e-6)
    np.testing.assert_array_equal(with_degree(a, 2).sh[:, 1:], b.sh[:, 1:])


def test_a_ksplat_stands_as_its_viewer_reads_it(tmp_path: Path) -> None:
    """At the places where the viewer looks, not only where our reader does."""
    a = replace(make(3, 9), extra={})
    files.write(tmp_path / "a.ksplat", a, BY_NAME["ksplat"])
    data = (tmp_path / "a.ksplat").read_bytes()
    row = 12 + 12 + 16 + 4 + 4 * 24
    assert len(data) == 4096 + 1024 + 3 * row and data[:2] == b"\0\1"
    assert np.frombuffer(data, "<u4", 4, 4).tolist() == [1, 1, 3, 3]
    assert np.frombuffer(data, "<u4", 4, 4096).tolist() == [3, 3, 0, 0]
    assert np.frombuffer(data, "<u2", 1, 4096 + 40).item() == 2
    second = data[5120 + row :]
    np.testing.assert_array_equal(np.frombuffer(second, "<f4", 3), a.means[1])
    np.testing.assert_array_equal(np.frombuffer(second, "<f4", 4, 24), a.quats[1])
    rest = np.frombuffer(second, "<f4", 24, 44)
    np.testing.assert_array_equal(rest[:9].reshape(3, 3).T, a.sh[1, 1:4])
    np.testing.assert_array_equal(rest[9:].reshape(3, 5).T, a.sh[1, 4:9])


@pytest.mark.parametrize("name", ["splat", "ksplat"])
def test_colours_beyond_bytes_are_counted(name: str, tmp_path: Path) -> None:
    a = scene(50, degree=0)
    a.sh[3, 0, 1], a.sh[9, 0, 0] = 3, -2
    _, lost = there_and_back(a, name, tmp_path)
    assert lost == ("colors brighter or darker than a screen's (2 splats)",)


@pytest.mark.parametrize("name", ["ply", "gltf", "usd"])
def test_what_is_not_packed_keeps_its_numbers(name: str, tmp_path: Path) -> None:
    a = make(50, 16)
    a.extra["weight"] = np.linspace(0, 1, 50, dtype=np.float32)
    b, lost = there_and_back(a, name, tmp_path)
    for key in ("means", "sh"):
        np.testing.assert_array_equal(getattr(a, key), getattr(b, key))
    np.testing.assert_allclose(a.log_scales, b.log_scales, atol=1e-6)
    np.testing.assert_allclose(opacities_of(a), opacities_of(b), atol=1e-6)
    np.testing.assert_allclose(a.quats, b.quats, atol=1e-6)
    assert not lost and b.extra["label"].dtype == np.int32
    for key, values in a.extra.items():
        np.testing.assert_array_equal(values, b.extra[key])


@pytest.mark.parametrize("degree", [0, 3])
def test_what_is_compressed_already_comes_out_as_it_was(degree: int, tmp_path: Path) -> None:
    first, second = tmp_path / "a.compressed.ply", tmp_path / "b.compressed.ply"
    files.write(first, scene(2000, degree), BY_NAME["compressed-ply"])
    files.write(second, files.read(first), BY_NAME["compressed-ply"])
    a, b = files.read(first), files.read(second)
    np.testing.assert_allclose(a.means, b.means, atol=1e-5)
    np.testing.assert_allclose(np.abs((a.quats * b.quats).sum(1)), 1, atol=1e-6)
    np.testing.assert_array_equal(a.sh[:, 1:], b.sh[:, 1:])
    words = [ply.read_vertices(path) for path in (first, second)]
    for key in ("packed_position", "packed_scale", "packed_color"):
        assert np.count_nonzero(words[0][key] != words[1][key]) < 10  # rounding at a half


@pytest.mark.parametrize("name", [f.name for f in FORMATS])
def test_what_splats_say_is_kept_or_named(name: str, tmp_path: Path) -> None:
    """The filter they were trained with, the light they blend in, what is up, labels."""
    upright = np.diag([2.0, -2.0, -2.0, 1.0])
    upright[:3, 3] = 1, 2, 3
    notes = SplatNotes(blend="linear", antialiased=True, upright=upright)
    a = replace(make(40, 4), notes=notes)
    b, lost = there_and_back(a, name, tmp_path)
    known, text = BY_NAME[name], "; ".join(lost)
    assert b.notes.antialiased == known.antialiased != ("antialiased" in text)
    assert (b.notes.blend == "linear") == known.notes != ("linear light" in text)
    assert (b.notes.upright is not None) == known.notes != ("what is up" in text)
    assert bool(b.extra) == known.properties != ("the properties label" in text)
    if b.notes.upright is not None:
        np.testing.assert_allclose(b.notes.upright, upright, rtol=1e-6)
        np.testing.assert_allclose(like(a, b).means, a.means, atol=6e-3)


@pytest.mark.parametrize("name", [f.name for f in FORMATS])
@pytest.mark.parametrize("count", [1, 2, 255, 256, 257])
def test_few_splats(name: str, count: int, tmp_path: Path) -> None:
    a = replace(make(count, 4), extra={})
    b, _ = there_and_back(a, name, tmp_path)
    assert len(b) == count
    np.testing.assert_allclose(like(a, b).means, a.means, atol=6e-3)


@pytest.mark.parametrize("name", [f.name for f in FORMATS])
def test_all_alike_at_one_place(name: str, tmp_path: Path) -> None:
    """No span to divide by."""
    a = take(make(1, 4), np.zeros(300, int))
    b, _ = there_and_back(replace(a, extra={}), name, tmp_path)
    np.testing.assert_allclose(b.means, a.means, atol=2e-3)
    np.testing.assert_allclose(b.log_scales, a.log_scales, atol=0.04)


@pytest.mark.parametrize("name", [f.name for f in FORMATS])
def test_opaque_stays_opaque_and_flat_stays_flat(name: str, tmp_path: Path) -> None:
    a = replace(make(60, 1), extra={})
    a.opacity_logits[:] = 20
    a.log_scales[:, 2] = -49.5
    b, _ = there_and_back(a, name, tmp_path)
    assert len(b) == 60 and (opacities_of(b) > 0.999).all()
    assert (b.log_scales[:, 2] <= -9.9).all()


@pytest.mark.parametrize(("size", "bits"), [(1.0, 12), (3000.0, 11), (5e5, 4), (4e6, 1)])
def test_spz_reaches_as_far_as_the_splats(size: float, bits: int, tmp_path: Path) -> None:
    """Coordinates of maps: places get coarser, and where that shows it is said."""
    a = replace(make(50, 1), extra={})
    a.means[:] *= size / np.abs(a.means).max()
    a.log_scales[:] = -1
    b, lost = there_and_back(a, "spz", tmp_path)
    np.testing.assert_allclose(a.means, b.means, atol=2.0 ** -(bits + 1) + size * 1e-7)
    assert not lost
    a.log_scales[:] = -4
    _, lost = there_and_back(a, "spz", tmp_path)
    assert any("places finer than" in text for text in lost) == (bits < 5)


def test_places_beyond_spz_are_counted(tmp_path: Path) -> None:
    a = replace(make(50, 1), extra={})
    a.means[3], a.log_scales[5] = [1e9, 0, 0], 7
    _, lost = there_and_back(a, "spz", tmp_path)
    assert any("1 splats, too far" in text for text in lost)
    assert any("1 splats, too large" in text for text in lost)


@pytest.mark.parametrize("name", ["gltf", "usd"])
def test_whoever_moved_the_node_moved_the_splats(name: str, tmp_path: Path) -> None:
    """The file says how the splats stand; in other axes they are turned with their colours."""
    upright = np.eye(4)
    upright[:3, :3] = 3 * np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    a = replace(make(30, 16), notes=SplatNotes(upright=upright), extra={})
    path = tmp_path / f"a{BY_NAME[name].suffixes[0]}"
    files.write(path, a, BY_NAME[name])
    if name == "gltf":
        data = path.read_bytes().replace(b'"splatsmith"', b'"somebodyes"')
        path.write_bytes(data)
    else:
        from pxr import Sdf

        layer = Sdf.Layer.FindOrOpen(str(path))
        layer.GetPrimAtPath("/Splats").ClearInfo("customData")
        layer.Save()
    b = files.read(path)
    y_up = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    wanted = splat_moves.moved(a, np.diag([1.0, -1, -1, 1]) @ y_up @ upright)
    np.testing.assert_allclose(b.means, wanted.means, atol=1e-5)
    np.testing.assert_allclose(b.sh, wanted.sh, atol=1e-4)
    np.testing.assert_allclose(b.log_scales, wanted.log_scales, atol=1e-4)


def test_sog_beside_its_description(tmp_path: Path) -> None:
    """A folder, or the meta.json in it."""
    a = scene(500)
    files.write(tmp_path / "meta.json", a, files.format_of(tmp_path / "meta.json"))
    assert {p.name for p in tmp_path.iterdir()} >= {"meta.json", "means_l.webp", "shN_labels.webp"}
    for path in (tmp_path, tmp_path / "meta.json"):
        assert psnr(pictures(a), pictures(files.read(path))) > 40
    (tmp_path / "quats.webp").unlink()
    with pytest.raises(InputError, match=r"quats\.webp is missing"):
        files.read(tmp_path)


def test_names_say_the_format(tmp_path: Path) -> None:
    for name, format_name in (
        ("A.PLY", "ply"),
        ("a.compressed.ply", "compressed-ply"),
        ("model (1).splat", "splat"),
        ("x/meta.json", "sog"),
        ("b.glb", "gltf"),
        ("c.usda", "usd"),
    ):
        assert files.format_of(Path(name)).name == format_name
    for name in ("a.obj", "a", "ply", "a.ply.txt"):
        with pytest.raises(InputError, match="no splat file"):
            files.format_of(Path(name))
    with pytest.raises(InputError, match="only read"):
        files.write(tmp_path / "a.gltf", make(), BY_NAME["gltf"])
    with pytest.raises(InputError, match="no splats to write"):
        files.write(tmp_path / "a.ply", take(make(), np.zeros(0, int)), BY_NAME["ply"])


def test_a_compressed_file_may_be_called_ply(tmp_path: Path) -> None:
    files.write(tmp_path / "a.ply", scene(300), BY_NAME["compressed-ply"])
    assert len(files.read(tmp_path / "a.ply")) == 300
    with pytest.raises(InputError, match="no Gaussian splats"):
        splat_ply.read(tmp_path / "a.ply")


def test_fewer_harmonics_and_the_order_along_a_curve() -> None:
    assert with_degree(scene(), 1).sh.shape[1] == 4 and with_degree(scene(9, 0), 3).sh.shape[1] == 1
    points = np.array([[0, 0, 0], [9, 9, 9], [0.1, 0, 0], [9, 9, 8.9]], np.float32)
    assert along_a_curve(points).tolist() in ([0, 2, 3, 1], [0, 2, 1, 3])
