"""Selecting and hiding splats in Blender: by mode, fit, words, tools and masks."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .selections import selected


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


def test_fits_mix_along_edges(bpy: Any, cloud: Any, rooms: Any) -> None:
    objects = rooms("scene.objects.objects")
    cloud.data.attributes["object_second"].data[0].value = 1
    cloud.data.attributes["object_share"].data[0].value = 0.75
    objects.take_fits(cloud, np.array([0.2, 1.0, 0.0], np.float32))
    assert rooms("scene.splats.marks").fit(cloud)[0] == pytest.approx(0.75 * 0.2 + 0.25 * 1.0)


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
        return lines.Scores(
            id=number, prompts=["lamp", "bed"], objects=[[0.2, 0.8, 0.4], [0.7, 0.1, 0.3]]
        )

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
        lambda self, number, seconds: lines.Scores(id=number, error="It broke.", advice="Mend it."),
    )
    with pytest.raises(RuntimeError, match="It broke"):
        bpy.ops.splatsmith.select_words()
    monkeypatch.setattr(lines.WordsProcess, "wait", lambda self, number, seconds: None)
    with pytest.raises(RuntimeError, match="No answer came"):
        bpy.ops.splatsmith.select_words()


def test_a_process_really_answers(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    """A folder that is no segmentation: the real process says so, from the real environment."""
    process = rooms("words.process").WordsProcess()
    question = rooms("words.process").Question(id=7, folder=str(tmp_path), prompt="lamp")
    process.ask(rooms("compute.state").require(), rooms("preferences").ROOT, question)
    found = process.wait(7, 60)
    assert found is not None and "is no segmentation" in found.error and process.alive
    process.stop()
    assert not process.alive


def test_the_viewport_shows_objects_selections_and_fits(bpy: Any, cloud: Any, rooms: Any) -> None:
    looks, colors, marks = (
        rooms("scene.viewport.looks"),
        rooms("scene.viewport.splat_colors"),
        rooms("scene.splats.marks"),
    )
    cloud.splatsmith_objects[0].color = (1.0, 0.0, 0.0)
    cloud.splatsmith_objects[1].color = (0.0, 0.21404, 0.0)  # linear; half in sRGB
    look = looks.look_of(cloud, "OBJECTS")
    np.testing.assert_allclose(
        look.objects[[0, 130]], np.array([[1, 0, 0], [0, 0.5, 0]]), atol=1e-3
    )
    gray = np.full((200, 3), 0.5, np.float32)
    shown = colors.displayed(gray, look)
    assert (
        (shown[:120, 0] > 2 * shown[:120, 1]).all()
        and (shown[120:170, 1] > 2 * shown[120:170, 0]).all()
        and (shown[:, 3] == 1).all()
    )
    marks.select(cloud, np.arange(200) < 10, "SET")
    cloud.splatsmith_objects[1].hide = True
    shown = colors.displayed(gray, looks.look_of(cloud, "OWN"))
    assert (shown[:10, 0] > shown[:10, 2] + 0.3).all() and (shown[10:120, :3] == 0.5).all()
    assert (shown[120:170, 3] == 0).all() and (shown[:120, 3] == 1).all()
    rooms("scene.objects.objects").take_fits(cloud, np.array([0.0, 0.0, 1.0], np.float32))
    shown = colors.displayed(gray, colors.Look(fit=looks.look_of(cloud, "FIT").fit))
    assert shown[180, 0] > 0.4 > shown[0, 0] and shown[0, 2] > shown[0, 0]


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
