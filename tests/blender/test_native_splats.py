"""Splats as Blender draws them itself, from 5.3 on: ours, those of older files, and the user's own
imports.
"""

from pathlib import Path
from typing import Any

import bpy as blender_python
import numpy as np
import pytest

from backend.formats import splat_ply

pytestmark = pytest.mark.skipif(
    blender_python.app.version < (5, 3, 0), reason="Blender draws splats from 5.3 on"
)


def values(data: Any, name: str, width: int) -> np.ndarray:
    attribute = data.attributes[name]
    found = np.empty(len(attribute.data) * width, np.float32)
    key = {"FLOAT_COLOR": "color", "FLOAT4": "vector", "FLOAT_VECTOR": "vector"}
    attribute.data.foreach_get(key.get(attribute.data_type, "value"), found)
    return found.reshape(-1, width)


def shown(bpy: Any, cloud: Any) -> Any:
    bpy.context.view_layer.update()
    return cloud.evaluated_get(bpy.context.evaluated_depsgraph_get()).data


@pytest.fixture
def foreign(bpy: Any, splat_file: Path) -> Any:
    """The user's own import, by Blender's importer."""
    bpy.ops.wm.ply_import(filepath=str(splat_file))
    return bpy.context.object


def test_imported_splats_are_blenders_own(bpy: Any, splat_file: Path, rooms: Any) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    cloud = bpy.context.object
    assert cloud.data.type == "GAUSSIAN_SPLAT" and cloud.display_type == "TEXTURED"
    assert [m.name for m in cloud.modifiers] == ["Splats"]
    assert not {"splat_color", "radius"} & {a.name for a in cloud.data.attributes}
    assert rooms("scene.splats.native").is_native(cloud)


def test_what_is_stored_is_what_blenders_importer_stores(
    bpy: Any, foreign: Any, splat_file: Path
) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    ours = bpy.context.object
    assert {a.name for a in foreign.data.attributes} <= {a.name for a in ours.data.attributes}
    for attribute in foreign.data.attributes:
        width = {"FLOAT4": 4, "QUATERNION": 4}.get(attribute.data_type, 3)
        np.testing.assert_allclose(
            values(ours.data, attribute.name, width),
            values(foreign.data, attribute.name, width),
            atol=1e-5,
        )


def test_a_file_of_an_older_blender_is_taken_over(
    bpy: Any, splat_file: Path, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    native, looks = rooms("scene.splats.native"), rooms("scene.viewport.native_looks")
    with monkeypatch.context() as older:
        older.setattr(native, "is_known", lambda: False)
        bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    cloud = bpy.context.object
    assert cloud.data.type == "POINTS" and cloud.modifiers[0].name == "Splats in Renders"
    base = values(cloud.data, "radiance:base", 4)
    cloud.modifiers[0].show_render = False
    looks.on_load()
    assert cloud.data.type == "GAUSSIAN_SPLAT" and [m.name for m in cloud.modifiers] == ["Splats"]
    assert cloud.hide_render, "what was not rendered still is not"
    assert "splat_color" not in cloud.data.attributes
    np.testing.assert_array_equal(values(cloud.data, "radiance:base", 4), base)


def test_splats_of_other_files_are_left_to_those(
    bpy: Any, splat_file: Path, rooms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(rooms("scene.splats.native"), "is_known", lambda: False)
        bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    bpy.data.libraries.write(str(tmp_path / "other.blend"), {bpy.context.object})
    bpy.data.objects.remove(bpy.context.object)
    with bpy.data.libraries.load(str(tmp_path / "other.blend"), link=True) as (there, here):
        here.objects = there.objects[:1]
    linked = here.objects[0]
    bpy.context.scene.collection.objects.link(linked)
    rooms("scene.viewport.native_looks").on_load()
    assert linked.data.type == "POINTS", "and nothing failed"
    bpy.data.libraries.remove(linked.library)


def test_points_that_are_no_splats_are_left_alone(bpy: Any, rooms: Any, foreign: Any) -> None:
    plain = bpy.data.objects.new("Plain", bpy.data.pointclouds.new("Plain"))
    bpy.context.scene.collection.objects.link(plain)
    rooms("scene.viewport.native_looks").on_load()
    assert plain.data.type == "POINTS" and not plain.modifiers
    assert not foreign.modifiers, "the user's own import stays as it is until it is worked on"


def test_hidden_splats_are_not_drawn_and_stay_stored(bpy: Any, foreign: Any, rooms: Any) -> None:
    marks = rooms("scene.splats.marks")
    before = values(foreign.data, "radiance:base", 4)
    hidden = np.arange(200) < 150
    marks.hide(foreign, hidden)
    seen = values(shown(bpy, foreign), "radiance:base", 4)
    assert not seen[hidden, 3].any()
    np.testing.assert_allclose(seen[~hidden], before[~hidden], atol=1e-6)
    np.testing.assert_array_equal(values(foreign.data, "radiance:base", 4), before)


def test_the_selection_is_orange_in_the_viewport_alone(bpy: Any, foreign: Any, rooms: Any) -> None:
    marks = rooms("scene.splats.marks")
    before, chosen = values(foreign.data, "radiance:base", 4), np.arange(200) % 4 == 0
    marks.select(foreign, chosen, "SET")
    bpy.context.view_layer.update()  # the handler sees the change, and makes the look
    seen = values(shown(bpy, foreign), "radiance:base", 4)
    rgb = seen[:, :3] * 0.28209479177387814 + 0.5
    orange = np.array([1.0, 0.5, 0.05])
    own = before[:, :3] * 0.28209479177387814 + 0.5
    closer = np.abs(rgb - orange).sum(1) < np.abs(own - orange).sum(1)
    assert closer[chosen].mean() > 0.9
    np.testing.assert_allclose(seen[~chosen], before[~chosen], atol=1e-6)
    np.testing.assert_array_equal(values(foreign.data, "radiance:base", 4), before)
    marks.select(foreign, chosen, "SUBTRACT")
    bpy.context.view_layer.update()
    np.testing.assert_allclose(values(shown(bpy, foreign), "radiance:base", 4), before, atol=1e-6)


def test_objects_have_their_colors(bpy: Any, cloud: Any, rooms: Any) -> None:
    native = rooms("scene.splats.native_nodes")
    bpy.context.scene.splatsmith.splat_view = "OBJECTS"
    cloud.splatsmith_objects[0].color = (1, 0, 0)
    look = values(cloud.data, native.TINT, 3)
    assert (look[:120, 0] > look[:120, 1]).all()
    cloud.splatsmith_objects[0].color = (0, 1, 0)
    assert (values(cloud.data, native.TINT, 3)[:120, 1] > look[:120, 1]).all()
    bpy.context.scene.splatsmith.splat_view = "OWN"
    assert native.TINT not in cloud.data.attributes


def test_every_splat_operator_works_on_the_users_own_import(
    bpy: Any, foreign: Any, splat_file: Path, tmp_path: Path, rooms: Any
) -> None:
    ops = bpy.ops.splatsmith
    assert ops.selection(action="ALL") == {"FINISHED"}
    rooms("scene.splats.marks").select(foreign, np.arange(200) < 50, "SET")
    assert ops.selection(action="GROW") == {"FINISHED"}
    rooms("scene.splats.marks").select(foreign, np.arange(200) < 50, "SET")
    assert ops.extract_objects(what="SELECTION", rest=False) == {"FINISHED"}
    fresh = bpy.data.objects["random Selection"]
    assert fresh.data.type == "GAUSSIAN_SPLAT" and len(fresh.data.points) == 50
    assert ops.hide_splats(what="SELECTED") == {"FINISHED"}
    assert ops.hide_splats(what="NONE") == {"FINISHED"}
    bpy.context.view_layer.objects.active = foreign
    rooms("scene.splats.marks").select(foreign, np.arange(200) < 50, "SET")
    assert ops.delete_objects(what="SELECTION") == {"FINISHED"}
    assert foreign.data.type == "GAUSSIAN_SPLAT" and len(foreign.data.points) == 150
    assert ops.export_splats(filepath=str(tmp_path / "out.ply")) == {"FINISHED"}
    before, after = splat_ply.read(splat_file), splat_ply.read(tmp_path / "out.ply")
    np.testing.assert_array_equal(after.means, before.means[50:])
    np.testing.assert_allclose(after.sh, before.sh[50:], atol=1e-6)
    np.testing.assert_allclose(after.opacity_logits, before.opacity_logits[50:], atol=1e-4)


def test_a_fourth_degree_of_the_users_import_is_kept_and_turns(
    bpy: Any, tmp_path: Path, rooms: Any
) -> None:
    """Blender's importer reads it; nothing of it is left behind, or unmoved."""
    g = np.random.default_rng(5)

    def numbers(*shape: int) -> np.ndarray:
        return 0.3 * g.normal(size=(9, *shape)).astype(np.float32)

    arrays = splat_ply.SplatArrays(
        means=numbers(3),
        quats=numbers(4),
        log_scales=numbers(3),
        opacity_logits=numbers(),
        sh=numbers(25, 3),
    )
    splat_ply.write(tmp_path / "in.ply", arrays)
    bpy.ops.wm.ply_import(filepath=str(tmp_path / "in.ply"))
    cloud, splats = bpy.context.object, rooms("scene.splats.splats")
    np.testing.assert_allclose(splats.read(cloud).sh, arrays.sh, atol=1e-5)
    cloud.rotation_euler = 0.4, 1.1, 2.0
    bpy.context.view_layer.update()
    moved = splats.read_moved(cloud).sh
    assert np.abs(moved[:, 16:] - arrays.sh[:, 16:]).max() > 0.1
    splats.apply_transform(cloud)
    np.testing.assert_allclose(splats.read(cloud).sh, moved, atol=1e-5)


def test_flat_splats_are_thick_enough_for_cycles(bpy: Any, tmp_path: Path, rooms: Any) -> None:
    """Discs a billionth as thick as wide are drawn thicker, and stored as they are."""
    g, f = np.random.default_rng(0), np.float32
    count = 30 * 25
    arrays = splat_ply.SplatArrays(
        means=(g.uniform(-1, 1, (count, 3)) * [1, 0.01, 1]).astype(f),
        quats=np.tile(np.array([1, 0, 0, 0], f), (count, 1)),
        log_scales=np.tile(np.array([-1.5, -22, -1.5], f), (count, 1)),
        opacity_logits=np.full(count, -1.0, f),
        sh=np.zeros((count, 1, 3), f),
    )
    splat_ply.write(tmp_path / "wall.ply", arrays)
    bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / "wall.ply"))
    cloud = bpy.context.object
    shapes = values(shown(bpy, cloud), "scale", 3)
    np.testing.assert_allclose(shapes.min(1), 0.01 * shapes.max(1), rtol=1e-4)
    stored = rooms("scene.splats.splats").read(cloud)
    np.testing.assert_allclose(stored.log_scales, arrays.log_scales, atol=1e-3)


def test_the_nodes_lay_over_what_the_overlay_lays_over(bpy: Any, cloud: Any, rooms: Any) -> None:
    """The objects' colours, and the selection over them, to the last digits."""
    colors, radiance = rooms("scene.viewport.splat_colors"), rooms("scene.splats.radiance")
    looks, marks = rooms("scene.viewport.looks"), rooms("scene.splats.marks")
    bpy.context.scene.splatsmith.splat_view = "OBJECTS"
    cloud.splatsmith_objects[0].color = (0.1, 0.2, 1)
    marks.select(cloud, np.arange(200) % 3 == 0, "SET")
    marks.hide(cloud, np.arange(200) < 20)
    own = values(cloud.data, "radiance:base", 4)
    expected = colors.displayed(own[:, :3] * radiance.SH_C0 + 0.5, looks.look_of(cloud, "OBJECTS"))
    seen = values(shown(bpy, cloud), "radiance:base", 4)
    np.testing.assert_allclose(seen[:, :3] * radiance.SH_C0 + 0.5, expected[:, :3], atol=1e-5)
    np.testing.assert_allclose(seen[:, 3], own[:, 3] * expected[:, 3], atol=1e-6)


def test_a_selection_makes_no_work(
    bpy: Any, foreign: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blender's nodes read it: nothing is computed, and nothing stored besides."""
    rooms("scene.splats.marks").select(foreign, np.arange(200) % 2 == 0, "SET")
    before = {a.name for a in foreign.data.attributes}
    monkeypatch.setattr(
        rooms("scene.splats.later"), "do", lambda *given: pytest.fail(f"work: {given}")
    )
    rooms("scene.splats.marks").select(foreign, np.arange(200) % 3 == 0, "SET")
    bpy.context.view_layer.update()
    assert {a.name for a in foreign.data.attributes} == before


def test_a_file_from_before_the_tint_is_taken_over(bpy: Any, foreign: Any, rooms: Any) -> None:
    native, nodes = rooms("scene.splats.native"), rooms("scene.splats.native_nodes")
    native.adopt(foreign)
    old = bpy.data.node_groups.new(native.OLD_GROUP, "GeometryNodeTree")
    foreign.modifiers[native.MODIFIER].node_group = old
    foreign.data.attributes.new(native.OLD_LOOK, "FLOAT_COLOR", "POINT")
    foreign[rooms("scene.splats.splats").MARK] = "from a file"
    rooms("scene.viewport.native_looks").on_load()
    assert foreign.modifiers[native.MODIFIER].node_group.name == nodes.GROUP
    assert native.OLD_LOOK not in foreign.data.attributes


def test_a_tint_comes_in_slices_and_whole(
    bpy: Any, cloud: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a Blender with a window; new numbers of objects are followed, also while it works."""
    later, objects = rooms("scene.splats.later"), rooms("scene.objects.objects")
    name, pointclouds = rooms("scene.splats.native_nodes").TINT, rooms("scene.splats.pointclouds")
    settings = bpy.context.scene.splatsmith
    settings.splat_view = "OBJECTS"
    whole = values(cloud.data, name, 3)
    settings.splat_view = "OWN"
    monkeypatch.setattr(later, "at_once", lambda: False)
    monkeypatch.setattr(later, "SLICE", 0.0)
    settings.splat_view = "OBJECTS"
    slices = 0
    while later.pending():
        assert name not in cloud.data.attributes
        later.tick()
        slices += 1
    assert slices > 2
    np.testing.assert_array_equal(values(cloud.data, name, 3), whole)
    for number in (1, 0):
        labels = np.full(200, number, np.int32)
        pointclouds.write_attributes(cloud.data, {objects.LABEL: ("INT", labels)})
        cloud.data.update_tag()
        bpy.context.view_layer.update()
        assert later.pending()
        later.tick()
    while later.pending():
        later.tick()
        bpy.context.view_layer.update()
    np.testing.assert_array_equal(values(cloud.data, name, 3), whole[[0] * 200])
    settings.splat_view = "OWN"
    bpy.data.objects.remove(cloud)
    while later.tick() is not None:
        pass


def test_a_tint_follows_undo(
    bpy: Any, cloud: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blender keeps steps in which the tint was still to come."""
    later, nodes = rooms("scene.splats.later"), rooms("scene.splats.native_nodes")
    monkeypatch.setattr(later, "at_once", lambda: False)
    monkeypatch.setattr(later, "SLICE", 0.0)
    bpy.context.preferences.edit.use_global_undo = True
    bpy.context.scene.splatsmith.splat_view, name = "OBJECTS", cloud.name
    ops, tints = bpy.ops.ed, {}

    def tint() -> np.ndarray:
        bpy.context.view_layer.update()
        while later.tick() is not None:
            bpy.context.view_layer.update()
        return values(bpy.data.objects[name].data, nodes.TINT, 3)

    for color in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        bpy.data.objects[name].splatsmith_objects[0].color = color
        ops.undo_push(message=str(color))
        tints[color] = tint()
    ops.undo_push(message="something else")
    if not ops.undo.poll():
        pytest.skip("this Blender has no undo without a window")
    steps = [(ops.undo, color) for color in ((0, 0, 1), (0, 1, 0), (1, 0, 0))]
    for step, color in (*steps, (ops.redo, (0, 1, 0))):
        step()
        np.testing.assert_array_equal(tint(), tints[color])
    bpy.context.scene.splatsmith.splat_view = "OWN"
    later.finish()
