"""Captures and splat files in, splat files out."""

from pathlib import Path

import bpy

from ...backend.formats import splat_ply
from ...backend.formats.splat_ply import SplatArrays
from ...backend.protocol import InputError
from ..blender_types import ExportHelper, ImportHelper, OperatorResult
from ..scene import results
from ..scene.objects import objects
from ..scene.splats import marks, pointclouds, splats
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
    surroundings: bpy.props.BoolProperty(
        name="With Surroundings",
        default=True,
        description="Write what lies around the subject into the same file",
    )
    shown_only: bpy.props.BoolProperty(
        name="Shown Only",
        default=True,
        description="Leave out what is hidden or filtered out",
    )
    in_scene: bpy.props.BoolProperty(
        name="As in the Scene",
        default=False,
        description="Where the splats stand in the scene, Z up. Else where their capture has them, "
        "and moved, turned and scaled as their object was",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return splats.chosen(context) is not None

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = splats.demand(context)
        around = splats.surroundings_of(cloud) if self.surroundings else None
        whole = [c for c in (cloud, around) if c is not None]
        parts = [self._part(c) for c in whole]
        count = splats.export_ply(splat_ply.joined(parts), Path(bpy.path.abspath(self.filepath)))
        missed = sum(pointclouds.point_count(c.data) for c in whole) - count
        hidden = f"; {missed:,} that are hidden were left out" if missed else ""
        self.report({"INFO"}, f"{count:,} splats written to {self.filepath}{hidden}")
        return {"FINISHED"}

    def _part(self, cloud: bpy.types.Object) -> SplatArrays:
        arrays = splats.read_moved(cloud, self.in_scene)
        away = marks.away(cloud)
        if self.shown_only and away.all():
            raise InputError(f"All splats of {cloud.name} are hidden.", "Show some again.")
        return splat_ply.take(arrays, ~away) if self.shown_only and away.any() else arrays


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
    SPLATSMITH_OT_import_splats,
    SPLATSMITH_OT_export_splats,
    SPLATSMITH_OT_apply_transform,
)
