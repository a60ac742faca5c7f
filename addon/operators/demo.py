"""A clip to try everything with."""

from pathlib import Path

import bpy

from ..blender_types import OperatorResult
from ..jobs import folders
from ..scene.captures import demo_clip
from .common import guarded


class SPLATSMITH_OT_demo_clip(bpy.types.Operator):
    bl_description = (
        "Render a short clip of a still life to try Splatsmith with. Blender is busy for about "
        "a minute meanwhile"
    )
    bl_idname = "splatsmith.demo_clip"
    bl_label = "Make Demo Clip"

    filepath: bpy.props.StringProperty(
        subtype="FILE_PATH", description="Where to write it; empty: into the results folder"
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        path = (
            bpy.path.abspath(self.filepath)
            if self.filepath
            else str(folders.results_folder() / "demo" / "clip.mp4")
        )
        context.scene.splatsmith.video = str(demo_clip.make(Path(path)))
        context.scene.splatsmith.source = "VIDEO"
        self.report({"INFO"}, f"Demo clip written to {path}")
        return {"FINISHED"}


CLASSES = (SPLATSMITH_OT_demo_clip,)
