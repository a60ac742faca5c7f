"""Splat files of every format in Blender: out and in again, dropped, named, told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.formats import splat_moves, splat_ply
from backend.formats.splat_notes import SplatNotes
from backend.formats.splats import files

ENDS = {
    "a.ply": "ply",
    "a.compressed.ply": "compressed-ply",
    "a.spz": "spz",
    "a.sog": "sog",
    "meta.json": "sog",
    "a.splat": "splat",
    "a.glb": "gltf",
    "a.usdc": "usd",
}


def like(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """For every row of a, which of b is nearest."""
    return np.abs(a[:, None] - b[None]).max(2).argmin(1)


@pytest.mark.smoke
@pytest.mark.parametrize("name", ENDS)
def test_out_and_in_again(
    name: str, bpy: Any, rooms: Any, splat_file: Path, tmp_path: Path
) -> None:
    splats = rooms("scene.splats.splats")
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    first = splats.read(bpy.context.object)
    path = tmp_path / name
    assert bpy.ops.splatsmith.export_splats(filepath=str(path)) == {"FINISHED"}
    assert not [p for p in tmp_path.iterdir() if "part" in p.name]
    bpy.ops.splatsmith.import_splats(filepath=str(path))
    cloud = bpy.context.object
    second = splats.read(cloud)
    assert len(second) == len(first) == 200
    assert second.sh_degree == (0 if name == "a.splat" else 3)
    order = like(first.means, second.means)
    np.testing.assert_allclose(second.means[order], first.means, atol=4e-3)
    np.testing.assert_allclose(second.log_scales[order], first.log_scales, atol=0.04)
    np.testing.assert_allclose(second.sh[order, 0], first.sh[:, 0], atol=0.03)
    if hasattr(cloud.data, "type"):
        assert cloud.data.type == "GAUSSIAN_SPLAT"


@pytest.mark.parametrize("name", ["a.glb", "a.usdc"])
def test_scene_files_stand_as_the_scene_has_them(
    name: str, bpy: Any, rooms: Any, splat_file: Path, tmp_path: Path
) -> None:
    """Turned and moved splats under a root: where they are in Blender, they are in the file, whose
    axes are y up; and back.
    """
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    cloud = bpy.context.object
    cloud.parent.rotation_euler, cloud.parent.location = (0.3, 0.2, 1.0), (1, 2, 3)
    cloud.location, cloud.scale = (0.5, 0, -1), (2, 2, 2)
    bpy.context.view_layer.update()
    world = np.array(cloud.matrix_world)
    wanted = splat_moves.moved(rooms("scene.splats.splats").read(cloud), world)
    bpy.ops.splatsmith.export_splats(filepath=str(tmp_path / name))
    bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / name))
    bpy.context.view_layer.update()
    back = bpy.context.object
    found = splat_moves.moved(rooms("scene.splats.splats").read(back), np.array(back.matrix_world))
    np.testing.assert_allclose(found.means, wanted.means, atol=1e-4)
    np.testing.assert_allclose(found.log_scales, wanted.log_scales, atol=1e-4)
    np.testing.assert_allclose(found.sh, wanted.sh, atol=1e-3)


def test_what_stands_in_the_scene_is_not_turned_twice(bpy: Any, tmp_path: Path) -> None:
    arrays = splat_ply.read(_file(tmp_path / "a.ply", np.diag([2.0, -2, -2, 1])))
    bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / "a.ply"))
    bpy.ops.splatsmith.export_splats(filepath=str(tmp_path / "b.ply"), in_scene=True)
    bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / "b.ply"))
    bpy.context.view_layer.update()
    np.testing.assert_allclose(np.array(bpy.context.object.matrix_world), np.eye(4), atol=1e-6)
    found = splat_ply.read(tmp_path / "b.ply").means
    np.testing.assert_allclose(found, arrays.means * [2, -2, -2], atol=1e-5)


def _file(path: Path, upright: np.ndarray | None = None) -> Path:
    g = np.random.default_rng(0)
    arrays = splat_ply.SplatArrays(
        means=g.normal(size=(60, 3)).astype("f4"),
        quats=np.tile(np.array([[1, 0, 0, 0]], "f4"), (60, 1)),
        log_scales=np.full((60, 3), -3, "f4"),
        opacity_logits=np.zeros(60, "f4"),
        sh=np.zeros((60, 1, 3), "f4"),
        notes=SplatNotes(upright=upright),
    )
    splat_ply.write(path, arrays)
    return path


def test_infinite_opacity_comes_in(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    arrays = splat_ply.read(_file(tmp_path / "a.ply"))
    arrays.opacity_logits[:40] = np.inf
    arrays.means[50] = np.nan
    splat_ply.write(tmp_path / "a.ply", arrays)
    results = rooms("scene.results")
    text = results.import_splats(bpy.context, tmp_path / "a.ply", "a")
    assert text == "59 splats; left out: 1 splat whose values are not finite"
    base = rooms("scene.splats.splats").base_of(bpy.context.object)
    assert (base[:40, 3] == 1).all()


def test_several_dropped_at_once(bpy: Any, tmp_path: Path) -> None:
    _file(tmp_path / "one.ply")
    files.write(tmp_path / "two.spz", splat_ply.read(tmp_path / "one.ply"), files.BY_NAME["spz"])
    bpy.ops.splatsmith.import_splats(
        directory=str(tmp_path), files=[{"name": "one.ply"}, {"name": "two.spz"}]
    )
    assert {"one Splats", "two Splats"} <= {o.name for o in bpy.data.objects}
    handler = bpy.types.FileHandler.bl_rna_get_subclass_py("SPLATSMITH_FH_splats")
    assert handler.bl_import_operator == "splatsmith.import_splats"
    for end in (".ply", ".spz", ".sog", ".splat", ".ksplat", ".glb", ".usd", ".usdc"):
        assert end in handler.bl_file_extensions.split(";")


def test_the_name_follows_the_format(rooms: Any) -> None:
    renamed = rooms("operators.splat_files").renamed
    for old, kind, new in (
        ("x/a.ply", "spz", "x/a.spz"),
        ("x/a.compressed.ply", "ply", "x/a.compressed.ply"),
        ("x/a.compressed.ply", "sog", "x/a.sog"),
        ("x/a.ply", "compressed-ply", "x/a.compressed.ply"),
        ("x/a.v2", "gltf", "x/a.v2.glb"),
        ("x/a.usda", "usd", "x/a.usda"),
        ("x/meta.json", "sog", "x/meta.json"),
    ):
        assert renamed(old, files.BY_NAME[kind]) == new


@pytest.mark.parametrize("name", ["a.sog", "a.spz", "a.glb", "a.usdc", "a.ksplat", "a.splat"])
def test_damaged_files_are_told(name: str, bpy: Any, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"not what it is called")
    objects = len(bpy.data.objects)
    with pytest.raises(RuntimeError, match="not a usable"):
        bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / name))
    assert len(bpy.data.objects) == objects and not [i for i in bpy.data.images if "SOG" in i.name]


def test_what_a_format_cannot_hold(bpy: Any, cloud: Any, rooms: Any, tmp_path: Path) -> None:
    """Labels, and the light: named by the writer, as the operator reports it."""
    splats = rooms("scene.splats.splats")
    arrays = replace(splats.read(cloud), notes=SplatNotes(blend="linear"))
    lost = rooms("scene.splats.splat_export").export(
        arrays, tmp_path / "a.splat", files.BY_NAME["splat"]
    )
    assert any("degree 3" in text for text in lost) and any("linear" in text for text in lost)


def test_a_parent_that_was_moved_is_named(bpy: Any, rooms: Any, splat_file: Path) -> None:
    """Its move is none of the splats' own, so that only files of the scene have it."""
    export = rooms("scene.splats.splat_export")
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    cloud = bpy.context.object
    bpy.context.view_layer.update()
    assert export.moved_parent(cloud) == ""
    cloud.location.x = 3
    bpy.context.view_layer.update()
    assert export.moved_parent(cloud) == ""
    cloud.parent.location.x += 1
    bpy.context.view_layer.update()
    assert export.moved_parent(cloud) == cloud.parent.name
    for key in (rooms("scene.splats.splats").ROOTED, rooms("scene.splats.splats").MARK):
        del cloud[key]  # as if Blender itself had imported them
    assert export.moved_parent(cloud) == cloud.parent.name
    cloud.parent = None
    assert export.moved_parent(cloud) == ""
