"""The main job, end to end, as `make demo` runs it: footage -> cameras -> splats -> Blender ->
pictures.

Runs under the `bpy` module's Python; the heavy work happens in the backend's environment, as for
every user.
    python demo/run.py --compute .venv/bin/python --out out/demo [--video FILE | --capture DIR]
    [--preset fast]
"""

import argparse
import json
import logging
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from demo import views
from demo.blender import MODULE, ROOT, load_addon

_terminal = os.fdopen(os.dup(1), "w", encoding="utf-8")


def say(text: str) -> None:
    _terminal.write(text + "\n")
    _terminal.flush()


class _Tell(logging.Handler):
    """What the add-on logs while a job runs, as lines under the step."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"   {record.getMessage()}")


def listen(log: Path) -> None:
    """Blender's own chatter goes to a file; the jobs' progress comes here."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(descriptor, 1)
    logger = logging.getLogger(MODULE)
    logger.setLevel(logging.INFO)
    logger.addHandler(_Tell())


def newest(folder: Path, verb: str) -> Path:
    """Result folder of the latest job of a verb."""
    return max(folder.glob(f"[0-9]*-[0-9]*_{verb}_*"), key=lambda p: p.stat().st_mtime) / "result"


def manifest(result: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((result / "manifest.json").read_text(encoding="utf-8"))
    return data


def step(title: str, operator: Any, **arguments: Any) -> float:
    """Runs an operator and says how long it took."""
    start = time.monotonic()
    say(f"== {title} …")
    if operator(**arguments) != {"FINISHED"}:
        raise SystemExit(f"{title} did not finish.")
    seconds = time.monotonic() - start
    say(f"   {seconds:.0f} s")
    return seconds


def orbit(bpy: Any, frames: int = 72) -> None:
    """A camera once around what the footage looked at, on the scene's own axes, as far off as the
    footage was.
    """
    from mathutils import Vector

    scene = bpy.context.scene
    footage = scene.camera
    start = footage.matrix_world.translation.copy()
    camera = bpy.data.objects.new("Orbit", footage.data.copy())
    camera.data.show_background_images = False
    scene.collection.objects.link(camera)
    radius, height, begin = Vector(start[:2]).length, start[2], math.atan2(start[1], start[0])
    swing, last = 0.0, begin
    for number in range(
        scene.frame_start, scene.frame_end + 1
    ):  # added up, since footage may go round more than half
        scene.frame_set(number)
        x, y, _ = footage.matrix_world.translation
        swing += (math.atan2(y, x) - last + math.pi) % (2 * math.pi) - math.pi
        last = math.atan2(y, x)
    for frame in range(
        1, frames + 1
    ):  # there and back over the filmed arc: beyond it nothing was seen
        angle = begin + swing * (0.5 - 0.5 * math.cos(2 * math.pi * (frame - 1) / frames))
        camera.location = (radius * math.cos(angle), radius * math.sin(angle), height)
        camera.rotation_euler = (
            (Vector((0, 0, 0)) - camera.location).to_track_quat("-Z", "Y").to_euler()
        )
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
    scene.camera, scene.frame_start, scene.frame_end = camera, 1, frames


def native_render(folder: Path) -> "subprocess.Popen[bytes] | None":
    """Blender 5.3 at work on its picture, where it is set up."""
    pythons = [ROOT / ".venv-bpy53" / name for name in ("bin/python", "Scripts/python.exe")]
    for python in pythons:
        if python.is_file():
            command = [str(python), str(ROOT / "demo" / "native.py"), str(folder)]
            return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return None


def contact_sheet(bpy: Any, compute: str, capture: Path, out: Path) -> None:
    """sheet.png: the splats beside a photo and from where the camera never was; by Blender 5.3,
    where it is set up; and in the colors of the objects that are found in them.
    """
    folder = out / "sheet"
    shutil.rmtree(folder, ignore_errors=True)
    views.write(bpy, capture, folder)
    native = native_render(folder)
    step("Finding the objects", bpy.ops.splatsmith.segment)
    views.write_objects(bpy, folder)
    start = time.monotonic()
    say("== Making the contact sheet …")
    if native is not None:
        native.wait()
    command = [compute, str(ROOT / "demo" / "sheet.py"), str(folder), str(out / "sheet.png")]
    subprocess.run(command, check=True)
    say(f"   {time.monotonic() - start:.0f} s")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compute", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--video", default="")
    parser.add_argument("--capture", default="")
    parser.add_argument("--preset", default="fast")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    listen(out / "blender.log")
    bpy = load_addon(str(Path(arguments.compute).absolute()))
    jobs = out / "jobs"
    bpy.context.preferences.addons[MODULE].preferences.results = str(jobs)
    for leftover in list(bpy.data.objects):
        bpy.data.objects.remove(leftover)
    settings = bpy.context.scene.splatsmith
    settings.preset = arguments.preset
    operators = bpy.ops.splatsmith
    cached = out / "clip" / "still_life.mp4"
    if arguments.capture:
        settings.source, settings.solved = "SOLVED", str(Path(arguments.capture).resolve())
    elif arguments.video:
        settings.source, settings.video = "VIDEO", str(Path(arguments.video).resolve())
    elif cached.is_file() and (cached.parent / "truth.json").is_file():
        settings.source, settings.video = "VIDEO", str(cached)
    else:
        step("Rendering a demo clip (once)", operators.demo_clip, filepath=str(cached))
    step("Solving the cameras", operators.solve_cameras)
    step("Training the splats", operators.train_splats)
    result = newest(jobs, "splats")
    shutil.copyfile(result / "splats.ply", out / "splats.ply")
    shutil.copyfile(result / "heldout.png", out / "heldout.png")
    compute = str(Path(arguments.compute).absolute())
    contact_sheet(bpy, compute, newest(jobs, "cameras"), out)
    orbit(bpy)
    step("Rendering an orbit", operators.render_splats, animation=True)
    shutil.copyfile(newest(jobs, "render") / "video.mp4", out / "orbit.mp4")
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "demo.blend"), compress=True)
    cameras, splats = manifest(newest(jobs, "cameras")), manifest(result)
    say(f"\nCameras  {cameras['summary']}")
    say(f"Splats   {splats['summary']}")
    say(
        f"Seconds  {time.monotonic() - begin:.0f} in all; peak "
        f"{splats['timings']['peak_megabytes']} MB while training"
    )
    for name, what in (
        ("demo.blend", "open it in Blender"),
        ("splats.ply", "for every splat viewer"),
        ("heldout.png", "photo beside render"),
        ("orbit.mp4", "a look around"),
        ("sheet.png", "all of it at a glance"),
    ):
        say(f"  {out.name}/{name:<12} {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
