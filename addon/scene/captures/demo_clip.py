"""A short clip that the add-on renders itself, so that everything can be tried without footage:
a still life of fruit, cloth, books and a vase on a table, filmed on an arc. The true cameras are
written beside it.
"""

import importlib
import json
import math
from pathlib import Path
from typing import Any

import bpy
from mathutils import Vector

from .solved_camera import pose_record
from .still_life import arrangement, studio

FRAMES, WIDTH, HEIGHT, SAMPLES = 48, 480, 320, 3


def _build(scene: bpy.types.Scene) -> None:
    arrangement.arrange(scene)
    studio.wall(scene)
    studio.world(scene)


def _film(scene: bpy.types.Scene) -> bpy.types.Object:
    camera = bpy.data.objects.new("Demo Camera", bpy.data.cameras.new("Demo Camera"))
    camera.data.lens = 38
    scene.collection.objects.link(camera)
    scene.camera = camera
    for frame in range(1, FRAMES + 1):
        share = (frame - 1) / (FRAMES - 1)
        angle = math.radians(-160 + 200 * share)
        camera.location = (
            4.4 * math.cos(angle),
            4.4 * math.sin(angle),
            1.7 + 0.7 * math.sin(2 * math.pi * share),
        )
        camera.rotation_euler = (
            (Vector((0, 0.2, 0.55)) - camera.location).to_track_quat("-Z", "Y").to_euler()
        )
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
    return camera


def _can_denoise() -> bool:
    """Whether this Blender was built with OpenImageDenoise; some of the distributions' are not."""
    try:
        cycles = importlib.import_module("_cycles")
    except ImportError:
        return False
    return bool(getattr(cycles, "with_openimagedenoise", False))


def _light_settings(scene: bpy.types.Scene) -> None:
    """A few samples and the denoiser, or more samples; colors as Blender shows them."""
    cycles, denoise = scene.cycles, _can_denoise()
    scene.render.engine = "CYCLES"
    cycles.samples, cycles.use_denoising = SAMPLES if denoise else 4 * SAMPLES, denoise
    if denoise:
        cycles.denoiser, cycles.denoising_prefilter = "OPENIMAGEDENOISE", "FAST"
        cycles.denoising_quality = "FAST"
    cycles.max_bounces, cycles.use_animated_seed = 2, True
    view: Any = scene.view_settings  # its choices come from a file of Blender's
    view.view_transform, view.look = "AgX", "AgX - Medium High Contrast"


def _settings(scene: bpy.types.Scene, path: Path) -> None:
    _light_settings(scene)
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage, render.fps = (
        WIDTH,
        HEIGHT,
        100,
        24,
    )
    render.use_persistent_data = True
    scene.frame_start, scene.frame_end = 1, FRAMES
    if hasattr(render.image_settings, "media_type"):  # Blender 5
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec, render.ffmpeg.constant_rate_factor = (
        "MPEG4",
        "H264",
        "HIGH",
    )
    render.ffmpeg.gopsize, render.filepath, render.use_file_extension = 1, str(path), False


def make(path: Path) -> Path:
    """Renders the clip to `path` (mp4) and the true cameras to `truth.json` beside it; leaves no
    trace in the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    before = {
        kind: set(getattr(bpy.data, kind))
        for kind in (
            "objects",
            "meshes",
            "materials",
            "images",
            "cameras",
            "lights",
            "worlds",
            "actions",
        )
    }
    scene = bpy.data.scenes.new("Splatsmith Demo")
    try:
        _build(scene)
        camera = _film(scene)
        _settings(scene, path)
        scene.view_layers[0].update()  # else its frames move nothing: no window shows it
        records = []
        for number in range(1, FRAMES + 1):
            scene.frame_set(number)
            records.append(
                {
                    "file_path": f"{number:04d}.png",
                    "time": (number - 1) / 24,
                    **pose_record(scene, camera, WIDTH, HEIGHT),
                }
            )
        bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        # frees what Cycles still holds of the data that goes now
        scene.render.use_persistent_data = False
        bpy.data.scenes.remove(scene)
        for kind, known in before.items():
            for block in set(getattr(bpy.data, kind)) - known:
                getattr(bpy.data, kind).remove(block)
    (path.parent / "truth.json").write_text(json.dumps({"frames": records}), encoding="utf-8")
    return path
