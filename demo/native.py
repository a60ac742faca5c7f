"""Splats as Blender 5.3 draws them by itself, in Cycles. Runs under its `bpy` module.

python demo/native.py FOLDER   # splats.ply and cameras/transforms.json in, native.png out
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from demo.blender import load_addon

SAMPLES = 6


def _settings(scene: Any, record: dict[str, Any], path: Path) -> None:
    render, scene.cycles.samples = scene.render, SAMPLES
    render.engine = "CYCLES"  # not transparent: the denoiser would leave specks
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = True
    render.resolution_x, render.resolution_y = record["w"], record["h"]
    render.resolution_percentage, render.filepath = 100, str(path)
    render.image_settings.media_type, render.image_settings.file_format = "IMAGE", "PNG"
    scene.view_settings.view_transform = "Standard"  # the photos have their look already


def main(folder: Path) -> None:
    """One picture, from the place called native."""
    bpy = load_addon()
    from mathutils import Matrix

    text = (folder / "cameras" / "transforms.json").read_text(encoding="utf-8")
    record = next(r for r in json.loads(text)["frames"] if "native" in r["file_path"])
    for leftover in list(bpy.data.objects):
        bpy.data.objects.remove(leftover)
    scene, data = bpy.context.scene, bpy.data.cameras.new("Camera")
    scene.camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(scene.camera)
    data.sensor_fit, data.sensor_width, data.clip_end = "HORIZONTAL", 36.0, 1e5
    data.lens = record["fl_x"] / record["w"] * 36.0
    _settings(scene, record, folder / "native.png")
    bpy.ops.splatsmith.import_splats(filepath=str(folder / "splats.ply"))
    for root in [o for o in bpy.data.objects if o.type == "EMPTY"]:
        root.matrix_world = Matrix.Identity(4)  # where they stood in the demo's scene
    scene.camera.matrix_world = Matrix(record["transform_matrix"])
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main(Path(sys.argv[-1]).resolve())
