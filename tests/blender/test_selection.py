"""Selecting, hiding, locking and relabelling splats in Blender, and the files that come of it."""

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import segmentation


def count(rooms: Any, cloud: Any) -> int:
    return rooms("scene.splats.pointclouds").point_count(cloud.data)


def selected(rooms: Any, cloud: Any) -> np.ndarray:
    return rooms("scene.splats.marks").read(cloud, "selected")


def test_modes_combine(blender: Any, rooms: Any) -> None:
    combine = rooms("scene.splats.marks").combine
    old, new = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    for mode, expected in (
        ("SET", [1, 0, 1, 0]),
        ("ADD", [1, 1, 1, 0]),
        ("SUBTRACT", [0, 1, 0, 0]),
        ("INTERSECT", [1, 0, 0, 0]),
    ):
        np.testing.assert_array_equal(combine(old, new, mode), np.array(expected, bool))


def test_objects_are_selected_but_not_locked_or_hidden_ones(
    bpy: Any, cloud: Any, rooms: Any
) -> None:
    items, settings = cloud.splatsmith_objects, bpy.context.scene.splatsmith
    items[0].chosen = items[1].chosen = True
    settings.select_mode = "SET"
    assert (
        bpy.ops.splatsmith.select_objects() == {"FINISHED"} and selected(rooms, cloud).sum() == 170
    )
    items[1].lock = True
    assert (
        bpy.ops.splatsmith.selection(action="ALL") == {"FINISHED"}
        and selected(rooms, cloud).sum() == 150
    )
    items[0].hide = True
    assert (
        selected(rooms, cloud).sum() == 30
        and rooms("scene.splats.marks").read(cloud, "hidden").sum() == 120
    )
    assert bpy.ops.splatsmith.hide_splats(what="NONE") == {"FINISHED"}
    assert not items[0].hide and not rooms("scene.splats.marks").read(cloud, "hidden").any()
    assert (
        bpy.ops.splatsmith.selection(action="NONE") == {"FINISHED"}
        and not selected(rooms, cloud).any()
    )
    assert (
        bpy.ops.splatsmith.selection(action="INVERT") == {"FINISHED"}
        and selected(rooms, cloud).sum() == 150
    )
    for action in ("GROW", "SHRINK", "SIMILAR", "FLOOD"):
        assert bpy.ops.splatsmith.selection(action=action) == {"FINISHED"}
    assert bpy.ops.splatsmith.selection(action="NONE") == {"FINISHED"}
    with pytest.raises(RuntimeError, match="No splats are selected"):
        bpy.ops.splatsmith.selection(action="GROW")


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


def test_fits_mix_along_edges(bpy: Any, cloud: Any, rooms: Any) -> None:
    objects = rooms("scene.objects.objects")
    cloud.data.attributes["object_second"].data[0].value = 1
    cloud.data.attributes["object_share"].data[0].value = 0.75
    objects.take_fits(cloud, np.array([0.2, 1.0, 0.0], np.float32))
    assert rooms("scene.splats.marks").fit(cloud)[0] == pytest.approx(0.75 * 0.2 + 0.25 * 1.0)


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


@pytest.mark.parametrize(("number", "kept"), [(1, 50), (-1, 30)])
def test_mask_nodes_keep_an_object_or_the_selection(
    bpy: Any, cloud: Any, rooms: Any, number: int, kept: int
) -> None:
    rooms("scene.splats.marks").select(cloud, np.arange(200) < 30, "SET")
    cloud.modifiers.clear()
    cloud.splatsmith_object = max(number, 0)
    assert bpy.ops.splatsmith.mask_nodes(selection=number < 0) == {"FINISHED"}
    evaluated = cloud.evaluated_get(bpy.context.evaluated_depsgraph_get())
    assert rooms("scene.splats.pointclouds").point_count(evaluated.data) == kept


def test_undo_brings_a_selection_back(bpy: Any, cloud: Any, rooms: Any) -> None:
    name = cloud.name
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.splatsmith.selection(action="ALL")
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    assert not selected(rooms, bpy.data.objects[name]).any()


def test_words_are_asked_and_followed(
    bpy: Any, cloud: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is another one here; that it answers right is tested where it lives."""
    asking, objects = rooms("words.asking"), rooms("scene.objects.objects")
    settings, lines = bpy.context.scene.splatsmith, rooms("words.process")
    settings.prompt = ""
    with pytest.raises(RuntimeError, match="The prompt is empty"):
        bpy.ops.splatsmith.select_words()
    with contextlib.suppress(RuntimeError):
        settings.prompt = "lamp"  # Enter asks at once
    with pytest.raises(RuntimeError, match="without a CLIP model"):
        bpy.ops.splatsmith.select_words()
    cloud[objects.MODEL] = "some model"
    answers: list[Any] = []
    monkeypatch.setattr(
        lines.WordsProcess, "ask", lambda self, python, root, question: answers.append(question)
    )

    def reply(_self: object, number: int, _seconds: float) -> Any:
        return lines.Scores(number, ["lamp", "bed"], [[0.2, 0.8, 0.4], [0.7, 0.1, 0.3]])

    monkeypatch.setattr(lines.WordsProcess, "wait", reply)
    settings.select_mode, settings.threshold = "SET", 0.6
    settings.prompt = "lamp; bed"
    assert answers[-1].prompt == "lamp; bed" and selected(rooms, cloud).sum() == 170
    settings.threshold = 0.75
    assert selected(rooms, cloud).sum() == 50, "the threshold is followed"
    settings.threshold, settings.select_mode = 0.6, "SET"
    rooms("scene.splats.marks").select(cloud, np.arange(200) < 10, "SET")
    asking.asking.before.clear()
    settings.select_mode = "ADD"
    settings.threshold = 0.75
    assert selected(rooms, cloud).sum() == 60
    monkeypatch.setattr(
        lines.WordsProcess,
        "wait",
        lambda self, number, seconds: lines.Scores(number, error="It broke.", advice="Mend it."),
    )
    with pytest.raises(RuntimeError, match="It broke"):
        bpy.ops.splatsmith.select_words()
    monkeypatch.setattr(lines.WordsProcess, "wait", lambda self, number, seconds: None)
    with pytest.raises(RuntimeError, match="No answer came"):
        bpy.ops.splatsmith.select_words()


def test_a_process_really_answers(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    """A folder that is no segmentation: the real process says so, from the real environment."""
    process = rooms("words.process").WordsProcess()
    question = rooms("words.process").Question(7, str(tmp_path), "lamp")
    process.ask(rooms("compute.state").require(), rooms("preferences").ROOT, question)
    found = process.wait(7, 60)
    assert found is not None and "is no segmentation" in found.error and process.alive
    process.stop()
    assert not process.alive


def test_the_viewport_shows_objects_selections_and_fits(bpy: Any, cloud: Any, rooms: Any) -> None:
    overlay, colors, marks = (
        rooms("scene.viewport.splat_overlay"),
        rooms("scene.viewport.splat_colors"),
        rooms("scene.splats.marks"),
    )
    cloud.splatsmith_objects[0].color = (1.0, 0.0, 0.0)
    cloud.splatsmith_objects[1].color = (0.0, 0.21404, 0.0)  # linear; half in sRGB
    look = overlay._look(cloud, "OBJECTS")
    np.testing.assert_allclose(look.objects[[0, 130]], [[1, 0, 0], [0, 0.5, 0]], atol=1e-3)
    gray = np.full((200, 3), 0.5, np.float32)
    shown = colors.displayed(gray, look)
    assert (
        (shown[:120, 0] > 2 * shown[:120, 1]).all()
        and (shown[120:170, 1] > 2 * shown[120:170, 0]).all()
        and (shown[:, 3] == 1).all()
    )
    marks.select(cloud, np.arange(200) < 10, "SET")
    cloud.splatsmith_objects[1].hide = True
    shown = colors.displayed(gray, overlay._look(cloud, "OWN"))
    assert (shown[:10, 0] > shown[:10, 2] + 0.3).all() and (shown[10:120, :3] == 0.5).all()
    assert (shown[120:170, 3] == 0).all() and (shown[:120, 3] == 1).all()
    rooms("scene.objects.objects").take_fits(cloud, np.array([0.0, 0.0, 1.0], np.float32))
    shown = colors.displayed(gray, colors.Look(fit=overlay._look(cloud, "FIT").fit))
    assert shown[180, 0] > 0.4 > shown[0, 0] and shown[0, 2] > shown[0, 0]


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


def test_tools_work_on_the_active_splats(
    bpy: Any, cloud: Any, rooms: Any, splat_file: Path
) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    other = next(
        o for o in bpy.data.objects if rooms("scene.splats.splats").is_splats(o) and o != cloud
    )
    bpy.context.view_layer.objects.active = other
    bpy.ops.splatsmith.selection(action="ALL")
    assert selected(rooms, other).all() and not selected(rooms, cloud).any()
    assert not bpy.ops.splatsmith.select_objects.poll(), "these have no objects"
    bpy.context.view_layer.objects.active = None
    bpy.ops.splatsmith.selection(action="ALL")
    assert selected(rooms, cloud).all(), "else those that have objects"


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


def test_painting_is_kept_when_the_threshold_moves(bpy: Any, cloud: Any, rooms: Any) -> None:
    objects, marks, settings = (
        rooms("scene.objects.objects"),
        rooms("scene.splats.marks"),
        bpy.context.scene.splatsmith,
    )
    objects.take_fits(cloud, np.array([0.9, 0.5, 0.1], np.float32))
    settings.select_mode = "ADD"
    settings.threshold = 0.8
    assert selected(rooms, cloud).sum() == 120
    settings.threshold = 0.4
    settings.threshold = 0.7
    assert selected(rooms, cloud).sum() == 120, "the slider goes both ways"
    marks.select(cloud, np.arange(200) >= 185, "SET")  # as a brush does
    settings.threshold = 0.75
    assert selected(rooms, cloud).sum() == 135


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
    rooms("scene.viewport.splat_overlay")._look(cloud, "OBJECTS")
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
    edits, objects = rooms("scene.objects.object_edits"), rooms("scene.objects.objects")
    for number in range(60):
        item = new.splatsmith_objects.add()
        item.name, item.number, item.parts = f"Object {number}", number, str(number)
    objects.recount(new)
    bpy.context.view_layer.objects.active = new
    marks, overlay, colors = (
        rooms("scene.splats.marks"),
        rooms("scene.viewport.splat_overlay"),
        rooms("scene.viewport.splat_colors"),
    )
    op, context = bpy.ops.splatsmith, bpy.context
    rgb = edits.srgb_of(new)
    steps: list[tuple[str, float, Callable[[], object]]] = [
        ("fits", 0.3, lambda: objects.take_fits(new, random.random(60).astype(f))),
        ("threshold", 0.3, lambda: rooms("words.asking").follow(context, new)),
        ("select objects", 0.3, op.select_objects), ("grow", 3.0, lambda: op.selection(action="GROW")),
        ("shrink", 3.0, lambda: op.selection(action="SHRINK")), ("flood", 6.0, lambda: op.selection(action="FLOOD")),
        ("hide", 0.5, lambda: op.hide_splats(what="SELECTED")), ("show", 0.5, lambda: op.hide_splats(what="NONE")),
        ("viewport colours", 1.0, lambda: colors.displayed(rgb, overlay._look(new, "OBJECTS"))),
        ("checksum", 1.0, lambda: overlay._content(new.data)), ("recolour", 1.0, op.recolor_objects),
        ("extract", 3.0, op.extract_objects), ("delete", 5.0, op.delete_objects),
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
