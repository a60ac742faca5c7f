"""Operators that run jobs, the manager under bad luck, and the add-on coming and going."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.formats import capture
from backend.protocol import Request
from backend.splats.splats_verb import SplatsOptions

from .conftest import COMPUTE, ROOT


def test_nothing_starts_without_computing(bpy: Any, capture_folder: Path, rooms: Any) -> None:
    from demo.blender import MODULE

    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.python = str(capture_folder / "no-python")
    assert "not found" in rooms("compute.state").current().line
    bpy.context.scene.splatsmith.capture = str(capture_folder)
    assert not bpy.ops.splatsmith.train_splats.poll()
    assert not bpy.ops.splatsmith.solve_cameras.poll()
    with pytest.raises(RuntimeError, match="does not run"):
        bpy.ops.splatsmith.compute_check()
    preferences.python = ""
    assert rooms("compute.state").current().line == "not set up"


def test_setup_asks_before_it_goes_online(bpy: Any) -> None:
    bpy.context.preferences.system.use_online_access = False
    if bpy.app.online_access:
        pytest.skip("this Blender can't be taken offline")
    with pytest.raises(RuntimeError, match="not allowed to go online"):
        bpy.ops.splatsmith.compute_setup()


def test_setup_with_an_empty_folder_of_wheels(bpy: Any, tmp_path: Path, rooms: Any) -> None:
    """Fails in a sentence, leaves an environment marked incomplete, and Remove takes every byte of
    it away.
    """
    from demo.blender import MODULE

    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.python, preferences.wheels = "", str(tmp_path)
    with pytest.raises(RuntimeError, match="could not be installed"):
        bpy.ops.splatsmith.compute_setup()
    assert rooms("compute.state").current().line == "set-up unfinished"
    folder = rooms("compute.state").folder() / "job"
    assert rooms("jobs.folders").read_own_request(folder)[1], "Start Again asks no question"
    bpy.ops.splatsmith.compute_remove()
    assert not rooms("compute.state").environment().exists()
    preferences.wheels = ""


@pytest.mark.smoke
def test_training_end_to_end(bpy: Any, capture_folder: Path) -> None:
    """Import a capture, train for a moment, find the splats under the capture's root, render
    them.
    """
    bpy.ops.splatsmith.import_capture(directory=str(capture_folder))
    settings = bpy.context.scene.splatsmith
    settings.steps, settings.preset = 60, "fast"
    assert bpy.ops.splatsmith.train_splats() == {"FINISHED"}
    cloud = next(o for o in bpy.data.objects if o.name.endswith("Splats"))
    assert cloud.parent.type == "EMPTY"
    bpy.context.scene.render.resolution_percentage = 50
    assert bpy.ops.splatsmith.render_splats() == {"FINISHED"}
    assert tuple(bpy.data.images["Splat Render"].size) == (80, 60)
    settings.steps = 0


def test_camera_solved_in_blender_becomes_a_capture(bpy: Any, tmp_path: Path) -> None:
    """A clip and an animated scene camera: the backend takes the poses as they are and triangulates
    points.
    """
    code = f"import sys, json; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]\n"
    code += "from helpers import clips; poses = [clips.camera_on_arc(i / 9) for i in range(10)]\n"
    code += "pictures = [clips.ray_cast(p, 300, (320, 240)) for p in poses]\n"
    code += (
        f"from pathlib import Path; clips.write_video(Path({str(tmp_path / 'a.mp4')!r}), "
        f"pictures)\n"
    )
    code += "print(json.dumps([p.tolist() for p in poses]))"
    poses = json.loads(
        subprocess.run(
            [str(COMPUTE), "-c", code], check=True, capture_output=True, text=True
        ).stdout
    )
    from mathutils import Matrix

    scene, settings = bpy.context.scene, bpy.context.scene.splatsmith
    camera = bpy.data.objects.new("Solved", bpy.data.cameras.new("Solved"))
    scene.collection.objects.link(camera)
    scene.camera, scene.frame_start, scene.frame_end = camera, 1, 10
    camera.data.lens = 300 / 320 * 36
    for frame, pose in enumerate(poses, 1):
        camera.matrix_world = Matrix(pose)
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
    settings.source, settings.clip = "BLENDER", bpy.data.movieclips.load(str(tmp_path / "a.mp4"))
    assert bpy.ops.splatsmith.solve_cameras() == {"FINISHED"}
    found = capture.read(Path(settings.capture))
    assert len(found.frames) == 10
    assert found.points is not None
    for solved, pose in zip(found.frames, poses, strict=True):
        np.testing.assert_allclose(solved.camera_to_world, pose, atol=1e-4)
        assert solved.fl_x == pytest.approx(300, rel=1e-5)


def test_errors_of_the_backend_reach_the_user(bpy: Any, tmp_path: Path) -> None:
    settings = bpy.context.scene.splatsmith
    settings.source, settings.video = "VIDEO", str(tmp_path / "text.mp4")
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(RuntimeError, match="not a video"):
        bpy.ops.splatsmith.solve_cameras()
    settings.video = str(tmp_path / "gone.mp4")
    with pytest.raises(RuntimeError, match="no file"):
        bpy.ops.splatsmith.solve_cameras()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_killed_worker_is_shown_and_resumed(
    bpy: Any, capture_folder: Path, rooms: Any, tmp_path: Path
) -> None:
    jobs = rooms("jobs.manager")
    request = Request(
        verb="splats",
        input=str(capture_folder),
        options=SplatsOptions(steps=100_000, max_splats=1000),
        preset="fast",
        device="cpu",
        title="kill",
    )
    job = jobs.make_record(request, str(COMPUTE), ROOT, 0)
    manager = jobs.JobManager()
    manager.submit(job)
    while not (job.total == 100_000 and job.step > 20):
        manager.pump()
        time.sleep(0.02)
    os.kill(job.process._process.pid, signal.SIGKILL)
    while job.active:  # the run's timeout ends this if nobody notices
        manager.pump()
        time.sleep(0.02)
    assert job.status == "crashed"
    assert "stopped unexpectedly" in job.error
    assert "Resume" in job.advice
    assert job.code == "MEMORY", "who else kills a worker"
    assert "the memory ran out" in job.error and "fewer splats" in job.advice
    found = rooms("jobs.folders").find_unfinished()
    assert [u.title for u in found] == ["kill"]
    again = manager.submit(jobs.make_record(request, str(COMPUTE), ROOT, 0, job.folder))
    while not (again.total == 100_000 and again.step > 20):
        manager.pump()
        time.sleep(0.02)
    assert not rooms("jobs.folders").find_unfinished(), "a running job is nobody's to resume"
    process = again.process._process
    manager.stop_all()
    assert process.poll() is not None


@pytest.mark.parametrize(
    ("left", "offered"), [((), 0), ((".state.1.part.safetensors",), 0), (("state.safetensors",), 1)]
)
def test_only_a_checkpoint_that_holds_something_is_offered(
    left: tuple[str, ...], offered: int, bpy: Any, rooms: Any
) -> None:
    """One that was set aside, or half written when the worker was killed, is none."""
    folders = rooms("jobs.folders")
    folder = folders.new_folder("splats", "left")
    request = Request(verb="splats", input="x", options=SplatsOptions(), title="left")
    (folder / "request.json").write_text(request.to_json())
    (folder / "state.json").write_text('{"status": "cancelled"}')
    (folder / "checkpoint-of-another-input").mkdir()
    (folder / "checkpoint").mkdir()
    for name in left:
        (folder / "checkpoint" / name).write_text("x")
    job = rooms("jobs.manager").make_record(request, str(COMPUTE), ROOT, 0, folder)
    job.status = "cancelled"
    assert len([u for u in folders.find_unfinished() if u.title == "left"]) == offered
    assert job.resumable == bool(offered)


def test_worker_that_can_not_start(
    bpy: Any, capture_folder: Path, rooms: Any, tmp_path: Path
) -> None:
    jobs = rooms("jobs.manager")
    request = Request(
        verb="splats", input=str(capture_folder), options=SplatsOptions(steps=5), title="x"
    )
    manager = jobs.JobManager()
    job = manager.submit(jobs.make_record(request, str(tmp_path / "no-python"), ROOT, 0))
    assert job.status == "failed"
    assert "could not be started" in job.error


def test_flood_and_noise_do_not_stall_the_reader(rooms: Any, bpy: Any, tmp_path: Path) -> None:
    """A hundred thousand events, a ten-megabyte line and binary noise: each pump stays short,
    nothing is lost at the end.
    """
    process_room = rooms("jobs.process")
    code = (
        "import os, sys\n"
        'line = b\'{"type": "progress", "step": 1, "total": 2}\\n\'\n'
        "out = sys.stdout.buffer\n"
        "out.write(b'x' * 10_000_000 + b'\\n' + os.urandom(1000).replace(b'\\n', b'') + b'\\n' + "
        "line * 100_000)\n"
        'out.write(b\'{"type": "cancelled"}\\n\')\n'
    )
    process = process_room.JobProcess([sys.executable, "-c", code], tmp_path / "log", tmp_path)
    count, longest = 0, 0.0
    while not process.ended:
        start = time.thread_time()  # of this thread: the reader's own is no stall
        count += len(process.poll())
        longest = max(longest, time.thread_time() - start)
    assert count == 100_001
    assert longest < 0.2
    assert not process.crashed


@pytest.mark.smoke
def test_addon_comes_and_goes(bpy: Any) -> None:
    """Twice off and on: nothing left registered, no policy violation reported."""
    import addon_utils

    from demo.blender import MODULE

    for _ in range(2):
        addon_utils.disable(MODULE, default_set=True)
        assert not hasattr(bpy.types.Scene, "splatsmith")
        assert not hasattr(bpy.types, "SPLATSMITH_PT_source")
        assert addon_utils.enable(MODULE, default_set=True)  # type: ignore[func-returns-value]
    assert not [name for name in sys.modules if name.split(".")[0] == "addon"]
