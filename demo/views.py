"""What the contact sheet shows, as files: splats in the scene's space, places to look from, and the
splats in the colors of their objects. Runs under the `bpy` module, with the add-on loaded.
"""

import importlib
import json
import math
from pathlib import Path
from typing import Any

from .blender import MODULE

BEYOND, HEIGHT = math.radians(18), math.radians(52)  # past the last camera; above the table


def _part(name: str) -> Any:
    return importlib.import_module(f"{MODULE}.{name}")


def _held_out(capture: Path) -> tuple[int, Path]:
    """A picture that training did not see, near the middle of the path: its index, its file."""
    frames = json.loads((capture / "transforms.json").read_text(encoding="utf-8"))["frames"]
    held = _part("backend.media.holdout").held_out(len(frames), 8) or [len(frames) // 2]
    index = held[(len(held) - 1) // 2]
    return index, capture / frames[index]["file_path"]


def _places(scene: Any, held_out: int) -> dict[str, Any]:
    """camera-to-world by name, for the scene's camera: filmed, and where it never was."""
    from mathutils import Matrix, Vector

    root = next(o for o in scene.objects if "splatsmith_pictures" in o)
    at, filmed = list(root["splatsmith_pictures"]), []  # the frame of each picture
    for index in (-3, -1, held_out, max(0, held_out - 8)):
        scene.frame_set(int(at[index]), subframe=at[index] % 1)
        filmed.append(scene.camera.matrix_world.copy())
    before, last, middle, native = filmed
    travel = before.translation.xy.angle_signed(last.translation.xy, 0.0)
    beyond = Matrix.Rotation(-math.copysign(BEYOND, travel), 4, "Z") @ last
    angle = math.atan2(middle.translation.y, middle.translation.x)
    side, up = math.cos(HEIGHT), math.sin(HEIGHT)
    eye = Vector((side * math.cos(angle), side * math.sin(angle), up)) * middle.translation.length
    turn = (-eye).to_track_quat("-Z", "Y").to_matrix().to_4x4()
    above = Matrix.Translation(eye) @ turn
    return {"splats": middle, "beyond": beyond, "above": above, "native": native}


def write(bpy: Any, capture: Path, folder: Path) -> None:
    """Leaves splats.ply, cameras/transforms.json (a record a place) and photo.txt in the folder."""
    scene = bpy.context.scene
    index, photo = _held_out(capture)
    camera = bpy.data.objects.new("Sheet", scene.camera.data)
    scene.collection.objects.link(camera)
    records = []
    for number, (name, place) in enumerate(_places(scene, index).items()):
        camera.matrix_world = place
        bpy.context.view_layer.update()
        render = scene.render
        size = render.resolution_x, render.resolution_y
        record = _part("addon.scene.captures.solved_camera").pose_record(scene, camera, *size)
        records.append({**record, "file_path": f"{number}-{name}.png"})  # drawn by name
    bpy.data.objects.remove(camera)
    (folder / "cameras").mkdir(parents=True, exist_ok=True)
    text = json.dumps({"frames": records})
    (folder / "cameras" / "transforms.json").write_text(text, encoding="utf-8")
    (folder / "photo.txt").write_text(str(photo), encoding="utf-8")
    _export(bpy, folder / "splats.ply", in_objects_colors=False)


def write_objects(bpy: Any, folder: Path) -> None:
    """Leaves objects.ply: every splat in the color that its object has in the list."""
    _export(bpy, folder / "objects.ply", in_objects_colors=True)


def _export(bpy: Any, path: Path, in_objects_colors: bool) -> None:
    splats, file = _part("addon.scene.splats.splats"), _part("backend.formats.splat_ply")
    shown = []
    for cloud in splats.visible_splats(bpy.context):
        arrays = splats.read_moved(cloud, in_scene=True)
        if in_objects_colors:
            _recolor(cloud, arrays)
        shown.append(arrays)
    splats.export_ply(file.joined(shown), path, extras=False)


def _recolor(cloud: Any, arrays: Any) -> None:
    """What the viewport shows as *Objects*, written into the splats' own color."""
    c0 = _part("addon.scene.splats.radiance").SH_C0
    look = _part("addon.scene.viewport.looks").look_of(cloud, "OBJECTS")
    displayed = _part("addon.scene.viewport.splat_colors").displayed
    arrays.sh[:, 0] = (displayed(arrays.sh[:, 0] * c0 + 0.5, look)[:, :3] - 0.5) / c0
    arrays.sh[:, 1:] = 0
