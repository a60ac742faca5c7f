"""Selections that become objects, go to others or are taken out, and what of it is protected."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import segmentation
from .selections import count, selected


def test_a_selection_becomes_an_object_and_goes_to_another(
    bpy: Any, cloud: Any, rooms: Any
) -> None:
    marks = rooms("scene.splats.marks")
    marks.select(cloud, np.arange(200) < 40, "SET")
    assert bpy.ops.splatsmith.label_selection(to="NEW") == {"FINISHED"}
    items = cloud.splatsmith_objects
    assert [(i.name, i.count) for i in items] == [
        ("Object 1", 80),
        ("Object 2", 50),
        ("Object 3", 20),
        ("Object 1 Part", 40),
    ]
    assert items[3].parts == "0" and cloud.splatsmith_object == 3
    cloud.splatsmith_object = 1
    marks.select(cloud, np.arange(200) < 80, "SET")
    assert bpy.ops.splatsmith.label_selection(to="ACTIVE") == {"FINISHED"}
    assert [(i.name, i.count) for i in items] == [
        ("Object 1", 40),
        ("Object 2", 130),
        ("Object 3", 20),
    ], "the emptied object goes"
    items[1].lock = True
    marks.select(cloud, np.arange(200) >= 170, "SET")
    with pytest.raises(RuntimeError, match="locked"):
        bpy.ops.splatsmith.label_selection(to="ACTIVE")


def test_merged_and_split_objects_answer_to_the_words_of_their_parts(
    bpy: Any, cloud: Any, rooms: Any
) -> None:
    objects, items = rooms("scene.objects.objects"), cloud.splatsmith_objects
    items[1].chosen = items[2].chosen = True
    bpy.ops.splatsmith.merge_objects()
    objects.take_fits(cloud, np.array([0.1, 0.3, 0.9], np.float32))
    assert [round(i.fit, 3) for i in items] == [0.1, 0.9]
    fit = rooms("scene.splats.marks").fit(cloud)
    np.testing.assert_allclose(fit[[0, 130, 180, 195]], [0.1, 0.9, 0.9, 0.0], atol=1e-6)


def test_loose_parts_are_split(bpy: Any, cloud: Any, rooms: Any) -> None:
    points = np.zeros((200, 3), np.float32)
    points[:, 0] = np.arange(200) * 0.01 + (np.arange(200) >= 60) * 5.0
    cloud.data.attributes["position"].data.foreach_set("vector", points.ravel())
    assert bpy.ops.splatsmith.split_object(reach=0.1, smallest=10) == {"FINISHED"}
    assert [i.count for i in cloud.splatsmith_objects] == [60, 50, 20, 60]


def test_recolouring_keeps_light_and_dark(bpy: Any, cloud: Any, rooms: Any) -> None:
    edits = rooms("scene.objects.object_edits")
    before = edits.srgb_of(cloud)
    assert bpy.ops.splatsmith.recolor_objects(color=(0.9, 0.3, 0.3), strength=1.0) == {"FINISHED"}
    after, light = edits.srgb_of(cloud), before.mean(1)
    np.testing.assert_array_equal(after[120:], before[120:])
    np.testing.assert_allclose(after[:120, 0] / after[:120, 1], 3, rtol=1e-3)
    assert np.corrcoef(after[:120].mean(1), light[:120])[0, 1] > 0.999
    np.testing.assert_allclose(after[:120].mean(0), (0.9, 0.3, 0.3), atol=0.02)


def test_a_plain_file_of_the_selection_is_bit_exact(
    bpy: Any, cloud: Any, rooms: Any, tmp_path: Path
) -> None:
    from backend.formats import splat_ply

    before, mask = rooms("scene.splats.splats").read(cloud), np.arange(200) % 3 == 0
    rooms("scene.splats.marks").select(cloud, mask, "SET")
    for name, rest, expected in (("some", False, mask), ("rest", True, ~mask)):
        path = tmp_path / f"{name}.ply"
        assert bpy.ops.splatsmith.export_objects(
            filepath=str(path), what="SELECTION", rest=rest
        ) == {"FINISHED"}
        found = splat_ply.read(path)
        assert not found.extra
        for field in ("means", "quats", "log_scales", "sh", "opacity_logits"):
            np.testing.assert_array_equal(getattr(found, field), getattr(before, field)[expected])
    assert bpy.ops.splatsmith.export_objects(filepath=str(path), what="OBJECTS", labels=True) == {
        "FINISHED"
    }
    assert set(splat_ply.read(path).extra["object_id"]) == {0}
    assert (
        bpy.ops.splatsmith.delete_objects(what="SELECTION") == {"FINISHED"}
        and count(rooms, cloud) == 133
    )
    assert sum(i.count for i in cloud.splatsmith_objects) == 133 - 7


def test_locks_protect_from_everything(bpy: Any, cloud: Any, rooms: Any) -> None:
    items = cloud.splatsmith_objects
    items[0].chosen = True
    bpy.ops.splatsmith.select_objects()
    items[0].lock = True
    assert not selected(rooms, cloud).any(), "what was selected before is so no longer"
    before = rooms("scene.objects.object_edits").srgb_of(cloud)
    for operator in (bpy.ops.splatsmith.delete_objects, bpy.ops.splatsmith.recolor_objects):
        with pytest.raises(RuntimeError, match="locked"):
            operator()
    items[1].chosen = True
    with pytest.raises(RuntimeError, match="locked"):
        bpy.ops.splatsmith.merge_objects()
    assert bpy.ops.splatsmith.recolor_objects() == {"FINISHED"}
    np.testing.assert_array_equal(
        rooms("scene.objects.object_edits").srgb_of(cloud)[:120], before[:120]
    )
    assert bpy.ops.splatsmith.delete_objects() == {"FINISHED"} and count(rooms, cloud) == 150
    assert [i.name for i in items] == ["Object 1", "Object 3"]


def test_edges_follow_merges_and_numbers_are_not_used_twice(
    bpy: Any, cloud: Any, rooms: Any
) -> None:
    objects, edits = rooms("scene.objects.objects"), rooms("scene.objects.object_edits")
    (
        cloud.data.attributes["object_second"].data[0].value,
        cloud.data.attributes["object_share"].data[0].value,
    ) = 2, 0.55
    objects.take_fits(cloud, np.array([0.8, 0.1, 0.8], np.float32))
    cloud.splatsmith_objects[0].chosen = cloud.splatsmith_objects[2].chosen = True
    cloud.splatsmith_object = 1
    bpy.ops.splatsmith.merge_objects()
    assert cloud.splatsmith_objects[cloud.splatsmith_object].name == "Object 2", (
        "the active one stays active"
    )
    assert objects.fit_of_splats(cloud)[0] == pytest.approx(0.8)
    cloud.data.attributes["object_second"].data[130].value = 9
    assert edits.new_item(cloud, "x", None).number == 10


def test_objects_found_anew_start_afresh(
    bpy: Any, cloud: Any, rooms: Any, splat_file: Path, tmp_path: Path
) -> None:
    objects, marks = rooms("scene.objects.objects"), rooms("scene.splats.marks")
    cloud.splatsmith_objects[0].hide = True
    objects.take_fits(cloud, np.ones(3, np.float32))
    objects.attach(cloud, segmentation(splat_file, tmp_path / "again"))
    assert not marks.read(cloud, "hidden").any() and marks.fit(cloud) is None


def test_meshes_that_stand_in_for_point_clouds_lose_splats_too(
    bpy: Any, cloud: Any, rooms: Any
) -> None:
    """What 4.3 and 4.4 make of splats."""
    pointclouds = rooms("scene.splats.pointclouds")
    attributes = pointclouds.all_attributes(cloud.data)
    mesh = bpy.data.meshes.new("old")
    mesh.vertices.add(200)
    pointclouds.write_attributes(mesh, attributes)
    old = bpy.data.objects.new("old", mesh)
    bpy.context.scene.collection.objects.link(old)
    rooms("scene.objects.object_edits").keep(old, np.arange(200) < 50)
    assert old.type == "MESH" and count(rooms, old) == 50 and "old.001" not in bpy.data.objects
    before, after = (
        attributes["position"][1][:50],
        pointclouds.read_attribute(old.data, "position", 3),
    )
    np.testing.assert_array_equal(after, before)


def test_marks_of_another_kind_are_replaced(bpy: Any, cloud: Any, rooms: Any) -> None:
    cloud.data.attributes.new("selected", "FLOAT", "POINT")
    assert (
        bpy.ops.splatsmith.selection(action="ALL") == {"FINISHED"} and selected(rooms, cloud).all()
    )
    cloud.data.attributes.remove(cloud.data.attributes["object_id"])
    cloud.splatsmith_objects[0].hide = cloud.splatsmith_objects[1].lock = True
    bpy.context.scene.splatsmith.threshold = 0.3
    rooms("scene.viewport.splat_cache").look_of(cloud, "OBJECTS")
    with pytest.raises(RuntimeError, match="has no objects"):
        bpy.ops.splatsmith.select_objects()


def test_a_million_splats_take_a_moment(
    bpy: Any, rooms: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-s` shows the milliseconds. Bounds are several times what two cores need."""
    random, n, f = np.random.default_rng(0), 1_000_000, np.float32
    quats = np.tile(np.array([1, 0, 0, 0], f), (n, 1))
    means = random.normal(size=(n, 3)).astype(f)
    labels = (np.abs(means[:, 0]) * 20).astype(np.int32).clip(0, 59)
    base = random.random((n, 4)).astype(f)
    kind = "FLOAT4" if rooms("scene.splats.pointclouds").has_type("FLOAT4") else "FLOAT_COLOR"
    attributes = {
        "scale": ("FLOAT_VECTOR", np.full((n, 3), 0.01, f)),
        "rotation": ("QUATERNION", quats),
        "radiance:base": (kind, base),
    }
    attributes |= {"object_id": ("INT", labels)}
    new = rooms("scene.splats.pointclouds").new_object(
        "million", bpy.context.scene.collection, means, attributes
    )
    rooms("scene.splats.splats").show(new)
    edits, objects = rooms("scene.objects.object_edits"), rooms("scene.objects.objects")
    for number in range(60):
        item = new.splatsmith_objects.add()
        item.name, item.number, item.parts = f"Object {number}", number, str(number)
    objects.recount(new)
    bpy.context.view_layer.objects.active = new
    marks, cache, colors, looks = (
        rooms("scene.splats.marks"),
        rooms("scene.viewport.splat_cache"),
        rooms("scene.viewport.splat_colors"),
        rooms("scene.viewport.looks"),
    )
    op, context = bpy.ops.splatsmith, bpy.context
    rgb = edits.srgb_of(new)
    steps: list[tuple[str, float, Callable[[], object]]] = [
        ("fits", 1.0, lambda: objects.take_fits(new, random.random(60).astype(f))),
        ("threshold", 1.0, lambda: rooms("words.asking").follow(context, new)),
        ("select objects", 1.0, op.select_objects), ("grow", 3.0,
        lambda: op.selection(action="GROW")),
        ("shrink", 3.0, lambda: op.selection(action="SHRINK")), ("flood", 6.0,
        lambda: op.selection(action="FLOOD")),
        ("hide", 1.5, lambda: op.hide_splats(what="SELECTED")), ("show", 1.5,
        lambda: op.hide_splats(what="NONE")),
        ("viewport colours", 1.0, lambda: colors.displayed(rgb, looks.look_of(new, "OBJECTS"))),
        ("checksum", 1.0, lambda: cache.content(new.data)), ("recolour", 1.0, op.recolor_objects),
        ("extract", 8.0, op.extract_objects), ("delete", 5.0, op.delete_objects),
    ]  # fmt: skip
    for name, bound, step in steps:
        if name == "hide":
            marks.select(new, labels == 5, "SET")
        begun = time.process_time()
        step()
        seconds = time.process_time() - begun
        with capsys.disabled():
            sys.stdout.write(f"\n  a million splats, {name}: {1000 * seconds:.0f} ms")
        assert seconds < bound, name
