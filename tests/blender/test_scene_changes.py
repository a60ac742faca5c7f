"""The scene changes while a job runs or its result waits: another file, undo, the add-on switched
off, other modes, objects that are gone or linked. Nothing crashes; results come in or wait.
"""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend.dynamic_mesh.mesh_verb import MeshOptions
from backend.protocol import Request
from backend.splats.splats_verb import SplatsOptions

from .conftest import COMPUTE, ROOT

LINKED = (
    *("selection", "hide_splats", "add_crop", "clean_up", "isolate_largest", "clear_filters"),
    *("delete_hidden", "apply_transform", "extract_objects", "delete_objects", "merge_objects"),
    *("label_selection", "recolor_objects", "mask_nodes", "split_object"),
)
SLEEP = "import sys; sys.stdin.read()"  # like a worker, until its parent is gone
DONE = 'print(\'{"type": "result", "manifest": "m", "summary": "done", "metrics": {}}\')'


def submitted(rooms: Any, code: str) -> Any:
    """A job whose worker is that program."""
    manager = rooms("jobs.manager")
    manager.manager.jobs.clear()
    request = Request(verb="splats", input="x", options=SplatsOptions(), title="x")
    token = rooms("jobs.lifecycle").file_token()
    job = manager.make_record(request, str(COMPUTE), ROOT, token)
    job.command = [sys.executable, "-c", code]
    return manager.manager.submit(job)


def until_it_ends(rooms: Any, job: Any) -> None:
    while job.active:
        rooms("jobs.manager").manager.pump()
        time.sleep(0.01)


def refusal(operator: Any) -> str:
    """What it says where it refuses; empty where it does not."""
    try:
        operator()
    except RuntimeError as error:
        return str(error)
    return ""


@pytest.fixture
def in_window(rooms: Any, monkeypatch: pytest.MonkeyPatch, bpy: Any) -> list[int]:
    """Jobs whose results were brought in as in a Blender with a window."""
    lifecycle, imported = rooms("jobs.lifecycle"), []

    class App:
        background = False

        def __getattr__(self, name: str) -> Any:
            return getattr(bpy.app, name)

    class Blender:
        app = App()

        def __getattr__(self, name: str) -> Any:
            return getattr(bpy, name)

    operators = SimpleNamespace(
        splatsmith=SimpleNamespace(import_result=lambda *_a, job: imported.append(job))
    )
    monkeypatch.setattr(lifecycle, "bpy", Blender())
    monkeypatch.setattr(lifecycle, "OPERATORS", operators)
    return imported


def finish(job: Any, splat_file: Path) -> None:
    """Its result, as the backend leaves it."""
    job.result.mkdir(exist_ok=True)
    (job.result / "splats.ply").write_bytes(splat_file.read_bytes())
    (job.result / "manifest.json").write_text(json.dumps({"timings": {}}))


def test_a_result_is_not_put_into_another_file(
    bpy: Any, rooms: Any, in_window: list[int], splat_file: Path
) -> None:
    """F4: the job goes on, its result waits for a click."""
    job = submitted(rooms, f"import time; time.sleep(0.5); {DONE}")
    bpy.ops.wm.read_homefile(use_empty=True)
    assert job.status == "running" and rooms("jobs.manager").manager.find(job.number) is job
    finish(job, splat_file)
    until_it_ends(rooms, job)
    assert job.status == "done" and not job.imported and not in_window
    assert bpy.ops.splatsmith.import_result(job=job.number) == {"FINISHED"}
    assert job.imported


def test_a_result_of_this_file_comes_in(bpy: Any, rooms: Any, in_window: list[int]) -> None:
    """So that the test above would notice."""
    job = submitted(rooms, DONE)
    until_it_ends(rooms, job)
    assert in_window == ([job.number] if bpy.context.window_manager.windows else [])


def judged(job: Any, level: str, sequence_file: Path) -> None:
    """Leaves an animated mesh with a verdict as the job's result."""
    job.result.mkdir(exist_ok=True)
    (job.result / "mesh.npz").write_bytes(sequence_file.read_bytes())
    verdict = {"level": level, "reasons": ["it is a lump"], "advice": ["Film it from more sides."]}
    (job.result / "manifest.json").write_text(json.dumps({"timings": {}, "verdict": verdict}))


@pytest.mark.parametrize("level", ["good", "weak", "failed"])
def test_what_failed_waits_for_a_click(
    bpy: Any, rooms: Any, in_window: list[int], sequence_file: Path, level: str
) -> None:
    job = submitted(rooms, f"import time; time.sleep(0.5); {DONE}")
    job.request = Request(verb="mesh", input="x", options=MeshOptions(), title="x")
    judged(job, level, sequence_file)
    until_it_ends(rooms, job)
    failed = level == "failed"
    assert job.held_back == ("It is a lump. Film it from more sides." if failed else "")
    if bpy.context.window_manager.windows:
        assert in_window == ([] if failed else [job.number])
    assert job.folded != failed, "the panel shows the button that brings it in"
    assert bpy.ops.splatsmith.import_result(job=job.number) == {"FINISHED"}
    assert job.imported and not job.held_back
    verdicts = rooms("scene.captures.verdict_light")
    assert bpy.context.object[verdicts.LEVEL_KEY] == level
    assert "Film it from more sides." in bpy.context.object[verdicts.REASONS_KEY]


def test_switching_the_addon_off_ends_its_job(bpy: Any, rooms: Any) -> None:
    """F6: process, timer and handlers are gone, and it can be switched on again."""
    import addon_utils

    from demo.blender import MODULE

    process = submitted(rooms, SLEEP).process._process
    assert process.poll() is None
    addon_utils.disable(MODULE, default_set=True)
    assert process.poll() is not None
    handlers = [
        handler
        for name in dir(bpy.app.handlers)
        if isinstance(listed := getattr(bpy.app.handlers, name), list)
        for handler in listed
    ]
    assert not [h for h in handlers if getattr(h, "__module__", "").startswith(MODULE)]
    assert addon_utils.enable(MODULE, default_set=True)  # type: ignore[func-returns-value]
    assert not rooms("jobs.manager").manager.jobs


@pytest.mark.parametrize("mode", ["EDIT", "SCULPT", "WEIGHT_PAINT", "none", "hidden"])
def test_results_come_in_whatever_the_mode(
    bpy: Any, rooms: Any, splat_file: Path, sequence_file: Path, mode: str
) -> None:
    """F20, by the job strip and by File > Import."""
    if mode == "none":
        bpy.context.view_layer.objects.active = None
    else:
        bpy.ops.mesh.primitive_cube_add()
        if mode == "hidden":
            bpy.context.object.hide_set(True)
        else:
            bpy.ops.object.mode_set(mode=mode)
    assert bpy.ops.splatsmith.import_splats(filepath=str(splat_file)) == {"FINISHED"}
    assert bpy.ops.splatsmith.import_mesh(filepath=str(sequence_file)) == {"FINISHED"}
    job = submitted(rooms, DONE)
    finish(job, splat_file)
    until_it_ends(rooms, job)
    assert bpy.ops.splatsmith.import_result(job=job.number) == {"FINISHED"}
    clouds = [o for o in bpy.data.objects if rooms("scene.splats.splats").is_splats(o)]
    assert len(clouds) == 2
    assert bpy.context.object in clouds and bpy.context.mode == "OBJECT"


def test_undo_takes_an_import_away_and_redo_brings_it_back(
    bpy: Any, rooms: Any, splat_file: Path
) -> None:
    """F5: one step, and the jobs know nothing of it."""
    bpy.context.preferences.edit.use_global_undo = True
    job = submitted(rooms, SLEEP)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    bpy.ops.ed.undo_push(message="import")
    if not bpy.ops.ed.undo.poll():
        rooms("jobs.manager").manager.stop_all()
        pytest.skip("this Blender has no undo without a window")

    def count() -> int:
        return sum(map(rooms("scene.splats.splats").is_splats, bpy.data.objects))

    assert count() == 1
    bpy.ops.ed.undo()
    assert count() == 0
    bpy.ops.ed.redo()
    assert count() == 1
    rooms("jobs.manager").manager.pump()
    assert job.status == "running" and rooms("jobs.manager").manager.find(job.number) is job
    rooms("jobs.manager").manager.stop_all()


def test_what_a_job_was_started_for_may_be_gone(bpy: Any, rooms: Any, splat_file: Path) -> None:
    """F20: bones for a mesh that was deleted are one sentence."""
    from backend.dynamic_mesh.bones_verb import BonesOptions

    manager = rooms("jobs.manager")
    request = Request(
        verb="bones", input="x", options=BonesOptions(), title="b", context={"object": "Gone"}
    )
    job = manager.make_record(request, str(COMPUTE), ROOT, 0)
    job.status = "done"
    manager.manager.jobs.append(job)
    with pytest.raises(RuntimeError, match="Gone is no longer in the scene"):
        bpy.ops.splatsmith.import_result(job=job.number)
    manager.manager.jobs.clear()


def test_linked_splats_are_left_as_they_are(
    bpy: Any, rooms: Any, splat_file: Path, tmp_path: Path
) -> None:
    """F20: handlers and buttons meet splats of another file, which can't be changed."""
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    library = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(library))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(library), link=True) as (there, here):
        here.objects = [name for name in there.objects if name.endswith("Splats")]
    (cloud,) = here.objects
    bpy.context.scene.collection.objects.link(cloud)
    bpy.context.view_layer.objects.active = cloud
    rooms("scene.viewport.native_looks").on_load()
    bpy.context.view_layer.update()
    rooms("scene.splats.filtering").refresh(cloud)
    said = {name: refusal(getattr(bpy.ops.splatsmith, name)) for name in LINKED}
    assert not {name: text for name, text in said.items() if "Traceback" in text}
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "linking.blend"))
    assert cloud.library is not None
