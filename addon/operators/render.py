"""Stills and animations by the backend's rasteriser, through the scene camera: the true 3DGS look,
with alpha.
"""

import json

import bpy
import numpy as np

from ...backend.protocol import InputError, Request
from ...backend.splats.render_verb import RenderOptions
from .. import preferences
from ..blender_types import OperatorResult
from ..jobs import folders
from ..scene.captures.solved_camera import pose_record
from ..scene.splats import marks, splats
from .common import compute_ready, guarded, run_in_folder


def _camera_records(
    scene: bpy.types.Scene, cloud: bpy.types.Object, frames: list[int]
) -> list[dict[str, object]]:
    """The scene camera at each frame, in the splats' own space, where one unit may be another
    length.
    """
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
            local = np.linalg.inv(np.array(cloud.matrix_world, np.float64)) @ np.array(
                record["transform_matrix"]
            )
            local[:3, :3] /= np.linalg.norm(local[:3, :3], axis=0)
            records.append(
                {**record, "file_path": f"{number:06d}.png", "transform_matrix": local.tolist()}
            )
    finally:
        scene.frame_set(current)
    return records


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
        scale = cloud.matrix_world.to_scale()
        if cloud.matrix_world.determinant() < 1e-12 or max(scale) > 1.001 * min(scale):
            raise InputError(
                f"{cloud.name} is scaled unevenly, mirrored or to nothing.",
                "Scale it by one factor only.",
            )
        frames = (
            list(range(scene.frame_start, scene.frame_end + 1))
            if self.animation
            else [scene.frame_current]
        )
        records = _camera_records(scene, cloud, frames)
        folder = folders.new_folder("render", cloud.name)
        shown = ~marks.read(cloud, marks.HIDDEN)
        if not shown.any():
            raise InputError(f"All splats of {cloud.name} are hidden.", "Show some again: panel 4.")
        splats.export_ply(cloud, folder / "splats.ply", shown, extras=False)
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
