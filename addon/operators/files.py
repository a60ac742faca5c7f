"""Captures and splat files in, splat files out."""

from pathlib import Path

import bpy

from ..blender_types import ExportHelper, ImportHelper, OperatorResult
from ..scene import results
from ..scene.splats import splats
from .common import FolderChooser, guarded


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


class SPLATSMITH_OT_import_splats(ImportHelper, bpy.types.Operator):
    """Import Gaussian splats from a 3DGS PLY file"""

    bl_idname = "splatsmith.import_splats"
    bl_label = "Import Splats"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".ply"
    filter_glob: bpy.props.StringProperty(default="*.ply", options={"HIDDEN"})

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        path = Path(bpy.path.abspath(self.filepath))
        self.report({"INFO"}, results.import_splats(context, path, path.stem))
        return {"FINISHED"}


class SPLATSMITH_OT_export_splats(ExportHelper, bpy.types.Operator):
    """Export the active splats as a 3DGS PLY file that every splat viewer opens"""

    bl_idname = "splatsmith.export_splats"
    bl_label = "Export Splats"

    filename_ext = ".ply"
    filter_glob: bpy.props.StringProperty(default="*.ply", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return splats.chosen(context) is not None

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        count = splats.export_ply(splats.demand(context), Path(bpy.path.abspath(self.filepath)))
        self.report({"INFO"}, f"{count:,} splats written to {self.filepath}")
        return {"FINISHED"}


CLASSES = (SPLATSMITH_OT_import_capture, SPLATSMITH_OT_import_splats, SPLATSMITH_OT_export_splats)
