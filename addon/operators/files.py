"""Captures in, and transforms applied to splats."""

from pathlib import Path

import bpy

from ..blender_types import OperatorResult
from ..scene import results
from ..scene.objects import objects
from ..scene.splats import splats
from .common import FolderChooser, guarded
from .objects import OnSplats


class SPLATSMITH_OT_import_capture(FolderChooser, bpy.types.Operator):
    bl_description = (
        "Import the cameras, points and footage of a capture: a folder with transforms.json and "
        "its pictures"
    )
    bl_idname = "splatsmith.import_capture"
    bl_label = "Import Capture"
    bl_options = {"REGISTER", "UNDO"}

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        folder = Path(bpy.path.abspath(self.directory))
        self.report({"INFO"}, results.import_capture(context, folder, folder.name or "Capture"))
        return {"FINISHED"}


class SPLATSMITH_OT_apply_transform(OnSplats, bpy.types.Operator):
    """Make the object's location, rotation and scale the splats' own: their shapes and the colors
    that follow the view are turned too, which Blender's own Apply leaves as they were"""

    bl_idname = "splatsmith.apply_transform"
    bl_label = "Apply Transform to Splats"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        chosen = [o for o in context.selected_objects if splats.is_splats(o)]
        for cloud in chosen or [objects.demand_target(context)]:
            splats.apply_transform(cloud)
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_import_capture,
    SPLATSMITH_OT_apply_transform,
)
