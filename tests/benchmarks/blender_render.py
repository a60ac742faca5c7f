"""Run by Blender's Python: splats as its renderers draw them, through given cameras, to PNG files.

python blender_render.py job.json  # engine, ply, poses, width, height, focal, samples, seed, folder
"""

import json
import sys
from pathlib import Path
from typing import Any

import bpy as blender
from mathutils import Matrix

bpy: Any = blender  # the add-on's operators are not among its types


def prepare(job: dict[str, Any]) -> Any:
    """The scene with its camera; straight alpha, no view transform but sRGB."""
    scene = bpy.context.scene
    for each in list(bpy.data.objects):
        bpy.data.objects.remove(each)
    data = bpy.data.cameras.new("Camera")
    camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    data.lens, data.clip_end = job["focal"] / job["width"] * 36.0, 1e5
    scene.render.engine = job["engine"]
    scene.eevee.taa_render_samples = scene.cycles.samples = job["samples"]
    scene.cycles.seed = job["seed"]
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = False
    render = scene.render
    render.film_transparent = True
    render.resolution_x, render.resolution_y = job["width"], job["height"]
    render.resolution_percentage = 100
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
    render.image_settings.color_depth = "16"
    scene.view_settings.view_transform = "Standard"
    return camera


def main(path: Path) -> None:
    """One picture a pose."""
    job = json.loads(path.read_text(encoding="utf-8"))
    sys.path.insert(0, job["root"])
    from demo.blender import load_addon

    load_addon(user_folder=Path(job["folder"]) / "user")
    camera = prepare(job)
    bpy.ops.splatsmith.import_splats(filepath=job["ply"])
    for root in [o for o in bpy.data.objects if o.type == "EMPTY"]:
        root.matrix_world = Matrix.Identity(4)  # where the capture has them
    for number, pose in enumerate(job["poses"]):
        camera.matrix_world = Matrix(pose)
        bpy.context.scene.render.filepath = str(Path(job["folder"]) / f"{number:03d}.png")
        bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main(Path(sys.argv[-1]))
