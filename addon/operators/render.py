"""Stills and animations by the backend's rasteriser, through the scene camera: the true 3DGS look,
with alpha.
"""

import json

import bpy

from ...backend.formats import splat_ply
from ...backend.formats.splat_ply import SplatArrays
from ...backend.protocol import InputError, Request
from ...backend.semantics.rendering.render_verb import RenderOptions
from .. import preferences
from ..blender_types import OperatorResult
from ..jobs import folders
from ..scene.captures.solved_camera import pose_record
from ..scene.splats import marks, splats
from .common import compute_ready, guarded, run_in_folder


def camera_records(scene: bpy.types.Scene, frames: list[int]) -> list[dict[str, object]]:
    """The scene camera at each frame, in the scene's own space."""
    scale = scene.render.resolution_percentage / 100
    width, height = (
        max(1, int(side * scale)) for side in (scene.render.resolution_x, scene.render.resolution_y)
    )
    if scene.camera is None:
        raise InputError("The scene has no camera.", "Add one, or make one active.")
    current, records = scene.frame_current, []
    try:
        for number in frames:
            scene.frame_set(number)
            record = pose_record(scene, scene.camera, width, height)
            records.append({**record, "file_path": f"{number:06d}.png"})
    finally:
        scene.frame_set(current)
    return records


def all_shown(context: bpy.types.Context) -> SplatArrays:
    """Every splat that the viewport shows, where it stands in the scene."""
    clouds = [c for c in splats.visible_splats(context) if not c.hide_render]
    shown = [
        splat_ply.take(splats.read_moved(cloud, in_scene=True), ~marks.away(cloud))
        for cloud in clouds
    ]
    if not any(len(each) for each in shown):
        raise InputError("All splats are hidden.", "Show some again: panel 4, or the Outliner.")
    return splat_ply.joined([each for each in shown if len(each)])


class SPLATSMITH_OT_render_splats(bpy.types.Operator):
    bl_description = (
        "Render the splats through the scene camera with the splat rasteriser, with a transparent "
        "background"
    )
    bl_idname = "splatsmith.render_splats"
    bl_label = "Render Splats"

    animation: bpy.props.BoolProperty(
        name="Animation",
        options={"SKIP_SAVE"},
        description="The scene's whole frame range, and a video of it",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not compute_ready(cls):
            return False
        if splats.chosen(context) is None or context.scene.camera is None:
            cls.poll_message_set("Splats and a scene camera are both needed")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        scene, cloud = context.scene, splats.demand(context)
        frames = (
            list(range(scene.frame_start, scene.frame_end + 1))
            if self.animation
            else [scene.frame_current]
        )
        arrays = all_shown(context)
        records = camera_records(scene, frames)
        folder = folders.new_folder("render", cloud.name)
        splats.export_ply(arrays, folder / "splats.ply", extras=False)
        (folder / "cameras").mkdir()
        (folder / "cameras" / "transforms.json").write_text(
            json.dumps({"frames": records}), encoding="utf-8"
        )
        fps = scene.render.fps / scene.render.fps_base if self.animation else 0.0
        options = RenderOptions(capture=str(folder / "cameras"), video=float(fps))
        request = Request(
            verb="render",
            input=str(folder / "splats.ply"),
            options=options,
            device=preferences.get().device,
            title=cloud.name,
        )
        return run_in_folder(self, context, request, folder)


CLASSES = (SPLATSMITH_OT_render_splats,)
