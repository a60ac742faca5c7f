"""Splats as one web page to send: File > Export, with the scene's camera and its animation."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...backend.formats.capture import Frame
from ...backend.formats.splats import web_page
from ...backend.formats.splats.page_cameras import CameraPath, path_of
from ...backend.formats.splats.web_page import Page
from ...backend.runtime.atomic import atomic_path
from ..blender_types import ExportHelper, OperatorResult
from ..scene.meshes import timeline
from ..scene.splats import file_tools, splats
from .common import guarded
from .render import all_shown, camera_records

MOST_KEYS = 1000  # of a path; what lies between is interpolated


def scene_path(scene: bpy.types.Scene, animation: bool) -> CameraPath | None:
    """The scene camera as it goes through the frame range, or, where it stands still or is not
    asked to, as it is now; None without a camera.
    """
    if scene.camera is None:
        return None
    numbers = [scene.frame_current]
    if animation:
        step = -(-(scene.frame_end + 1 - scene.frame_start) // MOST_KEYS)
        numbers = list(range(scene.frame_start, scene.frame_end, max(step, 1)))
        numbers.append(scene.frame_end)
    frames = [
        _frame(record, (number - numbers[0]) / timeline.rate(scene))
        for number, record in zip(numbers, camera_records(scene, numbers), strict=True)
    ]
    path = path_of(frames, timeline.rate(scene))
    poses = np.concatenate([path.camera_to_world.reshape(-1, 16), path.fovs[:, None]], 1)
    if len(frames) > 1 and np.ptp(poses, axis=0).max() < 1e-6:
        return scene_path(scene, animation=False)
    return path


def _frame(record: dict[str, Any], seconds: float) -> Frame:
    return Frame(
        image=Path(record["file_path"]),
        camera_to_world=np.array(record["transform_matrix"], np.float64),
        fl_x=record["fl_x"],
        fl_y=record["fl_y"],
        cx=record["cx"],
        cy=record["cy"],
        width=record["w"],
        height=record["h"],
        time=seconds,
    )


class SPLATSMITH_OT_export_page(ExportHelper, bpy.types.Operator):
    bl_description = (
        "Export all splats that are shown as one web page that opens in any browser, without a "
        "network: it begins at the scene's camera"
    )
    bl_idname = "splatsmith.export_page"
    bl_label = "Export Web Page"

    filename_ext = ".html"
    filter_glob: bpy.props.StringProperty(default="*.html", options={"HIDDEN"})
    animation: bpy.props.BoolProperty(
        name="Camera Animation",
        default=True,
        description="Play the way of the scene's camera through the frame range. Else the page "
        "begins where the camera is now, and stands still",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return splats.chosen(context) is not None

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        arrays = all_shown(context)
        # they stand as the scene has them
        arrays = replace(arrays, notes=replace(arrays.notes, upright=np.eye(4)))
        path = Path(bpy.path.abspath(self.filepath))
        cameras = scene_path(context.scene, self.animation)
        page = Page(title=path.stem, cameras=cameras)
        with atomic_path(path) as part:
            lost = web_page.write(part, arrays, page, file_tools.tools().webp)
        view = "a view of all, for want of a camera"
        if cameras is not None:
            view = "a start view"
            if (count := len(cameras.seconds)) > 1:
                view = f"{cameras.seconds[-1]:.3g} seconds of camera path ({count} keys)"
        self.report({"INFO"}, f"{len(arrays):,} splats written to {self.filepath}, with {view}")
        if lost:
            self.report({"WARNING"}, f"A web page does not hold: {'; '.join(lost)}")
        return {"FINISHED"}


CLASSES = (SPLATSMITH_OT_export_page,)
