"""Work on splats in slices: a crop is moved, and Blender saves, renders, undoes, opens another file
or deletes the splats before it has followed. What is seen is the state before or the one after,
never one between.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backend.formats import splat_ply

PLACE = (0.4, 0.1, 0.0)


@pytest.fixture
def later(bpy: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """As in a Blender with a window, where every slice is one step."""
    module = rooms("scene.splats.later")
    module.forget()
    monkeypatch.setattr(module, "at_once", lambda: False)
    monkeypatch.setattr(module, "SLICE", 0.0)
    yield module
    module.forget()


@pytest.fixture
def cropped(later: Any, bpy: Any, plain_splat_file: Path, rooms: Any) -> Any:
    """Splats with a crop of a ball, which they have followed."""
    bpy.ops.splatsmith.import_splats(filepath=str(plain_splat_file))
    cloud = bpy.context.object
    bpy.ops.splatsmith.add_crop(shape="SPHERE")
    settle(bpy, later)
    assert 0 < stored(rooms, cloud).sum() < 200
    return cloud


def settle(bpy: Any, later: Any) -> int:
    """Until nothing waits; how many slices it took."""
    bpy.context.view_layer.update()
    slices = 0
    while later.pending():
        later.tick()
        slices += 1
        bpy.context.view_layer.update()
    return slices


def stored(rooms: Any, cloud: Any) -> np.ndarray:
    """What Blender draws as filtered out now."""
    marks = rooms("scene.splats.marks")
    return np.asarray(marks.stored(cloud, marks.FILTERED))


def right(rooms: Any, cloud: Any) -> np.ndarray:
    """What must be filtered out, by the crop's ball."""
    crop = rooms("scene.splats.filtering").crops_of(cloud)[0]
    points = rooms("scene.splats.pointclouds").positions(cloud.data)
    matrix = np.array(crop.matrix_world.inverted() @ cloud.matrix_world)
    local = points @ matrix[:3, :3].T + matrix[:3, 3]
    return np.asarray((local**2).sum(1) > 1)


def move(bpy: Any, rooms: Any, cloud: Any, place: tuple[float, ...] = PLACE) -> None:
    """Moves the crop; what is filtered out lags behind then."""
    rooms("scene.splats.filtering").crops_of(cloud)[0].location = place
    bpy.context.view_layer.update()
    assert rooms("scene.splats.later").pending(cloud.session_uid)
    assert (stored(rooms, cloud) != right(rooms, cloud)).any()


def test_splats_follow_slice_by_slice(bpy: Any, later: Any, cropped: Any, rooms: Any) -> None:
    before = stored(rooms, cropped)
    move(bpy, rooms, cropped)
    after = right(rooms, cropped)
    while later.pending():
        np.testing.assert_array_equal(stored(rooms, cropped), before)
        later.tick()
    np.testing.assert_array_equal(stored(rooms, cropped), after)
    assert later.tick() is None


def test_the_last_state_wins(bpy: Any, later: Any, cropped: Any, rooms: Any) -> None:
    move(bpy, rooms, cropped)
    later.tick()
    crop = rooms("scene.splats.filtering").crops_of(cropped)[0]
    crop.location = (-0.5, 0.2, 0.1)
    cropped.splatsmith_filters.opacity = 0.5
    settle(bpy, later)
    faint = rooms("scene.splats.splats").base_of(cropped)[:, 3] < 0.5
    np.testing.assert_array_equal(stored(rooms, cropped), right(rooms, cropped) | faint)


def test_a_crop_that_is_dragged_waits_for_no_slice(
    bpy: Any, later: Any, cropped: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(bpy, rooms, cropped)
    worked: list[float] = []
    monkeypatch.setattr(later, "_work", worked.append)
    move(bpy, rooms, cropped, (0.5, 0.1, 0.0))
    assert not worked


def test_whoever_asks_gets_the_end(bpy: Any, cropped: Any, rooms: Any, tmp_path: Path) -> None:
    move(bpy, rooms, cropped)
    bpy.ops.splatsmith.export_splats(filepath=str(tmp_path / "out.ply"))
    kept = ~right(rooms, cropped)
    assert 0 < kept.sum() == len(splat_ply.read(tmp_path / "out.ply")) < 200


def test_what_is_saved_is_whole(
    bpy: Any, later: Any, cropped: Any, rooms: Any, tmp_path: Path
) -> None:
    move(bpy, rooms, cropped)
    name, after = cropped.name, right(rooms, cropped)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), copy=True)
    later.forget()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    np.testing.assert_array_equal(stored(rooms, bpy.data.objects[name]), after)


def test_what_a_file_lacks_is_made_good(
    bpy: Any, later: Any, cropped: Any, rooms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blender saves by itself without telling anyone."""
    move(bpy, rooms, cropped)
    name, after = cropped.name, right(rooms, cropped)
    monkeypatch.setattr(later, "finish", lambda uid=None: None)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    cloud = bpy.data.objects[name]
    assert (stored(rooms, cloud) != after).any() and later.pending(cloud.session_uid)
    settle(bpy, later)
    np.testing.assert_array_equal(stored(rooms, cloud), after)
    assert rooms("scene.splats.filtering").FILTERING not in cloud


def test_what_a_file_says_of_a_disabled_crop_stays(
    bpy: Any, later: Any, cropped: Any, rooms: Any, tmp_path: Path
) -> None:
    """Blender does not work out where it stands."""
    cropped[rooms("scene.splats.filtering").FILTERING] = True
    rooms("scene.splats.filtering").crops_of(cropped)[0].hide_viewport = True
    name, before = cropped.name, stored(rooms, cropped)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    settle(bpy, later)
    np.testing.assert_array_equal(stored(rooms, bpy.data.objects[name]), before)


def test_what_is_rendered_is_whole(bpy: Any, cropped: Any, rooms: Any) -> None:
    scene, seen = bpy.context.scene, []
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 4
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    move(bpy, rooms, cropped)

    def look(*_arguments: object) -> None:
        seen.append(np.array_equal(stored(rooms, cropped), right(rooms, cropped)))

    bpy.app.handlers.render_pre.append(look)
    try:
        bpy.ops.render.render()
    finally:
        bpy.app.handlers.render_pre.remove(look)
    assert seen == [True]


def test_a_render_in_its_own_thread_waits(bpy: Any, later: Any, cropped: Any, rooms: Any) -> None:
    """As F12 renders: data is changed in the main thread alone."""
    move(bpy, rooms, cropped)
    seen: list[bool] = []

    def render() -> None:
        later.on_render()
        seen.append(later.pending())

    thread = threading.Thread(target=render)
    thread.start()
    time.sleep(0.05)
    assert thread.is_alive() and not seen and later.pending()
    settle(bpy, later)
    thread.join(5)
    assert seen == [False]


def test_another_file_ends_it(bpy: Any, later: Any, cropped: Any, rooms: Any) -> None:
    move(bpy, rooms, cropped)
    bpy.ops.wm.read_homefile(use_empty=True)
    assert not later.pending() and later.tick() is None


def test_splats_that_are_deleted_meanwhile_end_it(
    bpy: Any, later: Any, cropped: Any, rooms: Any
) -> None:
    move(bpy, rooms, cropped)
    for _ in range(2):
        later.tick()
    data = cropped.data
    bpy.data.objects.remove(cropped)
    rooms("scene.splats.pointclouds").discard(data)
    settle(bpy, later)
    assert not later.pending()


def test_splats_that_are_replaced_meanwhile_are_filtered_anew(
    bpy: Any, later: Any, cropped: Any, rooms: Any
) -> None:
    move(bpy, rooms, cropped)
    for _ in range(2):
        later.tick()
    rooms("scene.objects.object_edits").keep(cropped, np.arange(200) % 2 == 0)
    settle(bpy, later)
    assert len(stored(rooms, cropped)) == 100
    np.testing.assert_array_equal(stored(rooms, cropped), right(rooms, cropped))


def test_undo_and_redo_are_followed(bpy: Any, later: Any, cropped: Any, rooms: Any) -> None:
    """The step that Blender keeps of a move lacks what was still to be filtered out."""
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    name = cropped.name
    move(bpy, rooms, cropped)
    bpy.ops.ed.undo_push(message="moved")
    settle(bpy, later)
    bpy.context.scene.frame_start = 7
    bpy.ops.ed.undo_push(message="something else")
    if not bpy.ops.ed.undo.poll():
        pytest.skip("this Blender has no undo without a window")
    for step in (bpy.ops.ed.undo, bpy.ops.ed.undo, bpy.ops.ed.redo, bpy.ops.ed.redo):
        step()
        settle(bpy, later)
        cloud = bpy.data.objects[name]
        np.testing.assert_array_equal(stored(rooms, cloud), right(rooms, cloud))


def test_undo_to_a_step_that_lacks_what_a_filter_takes(
    bpy: Any, later: Any, cropped: Any, rooms: Any
) -> None:
    bpy.ops.splatsmith.clear_filters()
    settle(bpy, later)
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    name = cropped.name
    cropped.splatsmith_filters.opacity = 0.5
    bpy.ops.ed.undo_push(message="filter")
    settle(bpy, later)
    after = stored(rooms, cropped)
    bpy.context.scene.frame_start = 8
    bpy.ops.ed.undo_push(message="something else")
    if not bpy.ops.ed.undo.poll():
        pytest.skip("this Blender has no undo without a window")
    undo, redo, none = bpy.ops.ed.undo, bpy.ops.ed.redo, np.zeros(200, bool)
    for step, wanted in ((undo, after), (undo, none), (redo, after), (redo, after)):
        step()
        settle(bpy, later)
        np.testing.assert_array_equal(stored(rooms, bpy.data.objects[name]), wanted)


def test_undo_takes_a_crop_and_a_filter_back(
    bpy: Any, later: Any, cropped: Any, rooms: Any
) -> None:
    bpy.ops.splatsmith.clear_filters()
    settle(bpy, later)
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    name = cropped.name
    bpy.ops.splatsmith.add_crop(shape="SPHERE")
    bpy.ops.ed.undo_push(message="crop")
    settle(bpy, later)
    cloud = bpy.data.objects[name]
    crops = [right(rooms, cloud)]
    cloud.splatsmith_filters.opacity = 0.5
    bpy.ops.ed.undo_push(message="filter")
    settle(bpy, later)
    crops.append(stored(rooms, bpy.data.objects[name]))
    if not bpy.ops.ed.undo.poll():
        pytest.skip("this Blender has no undo without a window")
    assert crops[0].any() and (crops[0] != crops[1]).any()
    undo, redo, none = bpy.ops.ed.undo, bpy.ops.ed.redo, np.zeros(200, bool)
    for step, wanted in ((undo, crops[0]), (undo, none), (redo, crops[0]), (redo, crops[1])):
        step()
        settle(bpy, later)
        np.testing.assert_array_equal(stored(rooms, bpy.data.objects[name]), wanted)


def test_an_undo_while_it_works(bpy: Any, later: Any, cropped: Any, rooms: Any) -> None:
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    name, before = cropped.name, stored(rooms, cropped)
    move(bpy, rooms, cropped)
    bpy.ops.ed.undo_push(message="moved")
    if not bpy.ops.ed.undo.poll():
        pytest.skip("this Blender has no undo without a window")
    later.tick()
    bpy.ops.ed.undo()
    settle(bpy, later)
    np.testing.assert_array_equal(stored(rooms, bpy.data.objects[name]), before)


def test_work_that_fails_is_dropped_and_told(later: Any, caplog: pytest.LogCaptureFixture) -> None:
    def failing() -> Iterator[bool]:
        yield False
        raise later.SplatsmithError("Something is gone.", "Bring it back.")

    later.do("test", 1, failing())
    assert later.tick() is None and not later.pending()
    assert "Something is gone. Bring it back." in caplog.text


def test_the_status_bar_tells_of_long_work(
    bpy: Any, later: Any, cropped: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str | None] = []
    window = SimpleNamespace(workspace=SimpleNamespace(status_text_set=said.append))
    context = SimpleNamespace(window_manager=SimpleNamespace(windows=[window]))
    move(bpy, rooms, cropped)
    monkeypatch.setattr(later, "bpy", SimpleNamespace(context=context, app=bpy.app))
    later.tick()
    assert not said, "it has only begun"
    monkeypatch.setattr(later, "SHOWN", 0.0)
    while later.tick() is not None:
        pass
    assert said == [later.LINE, None]


def test_switching_the_add_on_off_leaves_nothing_half_done(
    bpy: Any, later: Any, cropped: Any, rooms: Any
) -> None:
    move(bpy, rooms, cropped)
    later.stop()
    try:
        np.testing.assert_array_equal(stored(rooms, cropped), right(rooms, cropped))
        assert later.on_save not in bpy.app.handlers.save_pre
        assert not bpy.app.timers.is_registered(later.tick)
    finally:
        later.start()
