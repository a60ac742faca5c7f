"""The meshes that a motion moves: listed, their tables filled, exported with their animation."""

from pathlib import Path

import bpy

from ..blender_types import ExportHelper, OperatorResult
from ..scene.faces import face_bones, face_export, face_targets
from .common import guarded

EXPORTS = [
    ("GLTF", "glTF", "One .glb with morph targets"),
    ("FBX", "FBX", "For Unreal and Unity"),
    ("CSV", "Live Link CSV", "A table of coefficients by frame"),
]


class SPLATSMITH_OT_add_face_targets(bpy.types.Operator):
    """Let the selected characters be moved: meshes with shape keys, and face rigs"""

    bl_idname = "splatsmith.add_face_targets"
    bl_label = "Add Selected Characters"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not any(obj.type in ("MESH", "ARMATURE") for obj in context.selected_objects):
            cls.poll_message_set("Select a mesh with shape keys, or a face rig")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        chosen = [obj for obj in context.selected_objects if obj.type in ("MESH", "ARMATURE")]
        able = [obj for obj in chosen if face_targets.shape_keys(obj) or obj.type == "ARMATURE"]
        rigs = [face_bones.armature_of(obj) for obj in chosen if obj not in able]
        able += [rig for rig in dict.fromkeys(rigs) if rig is not None and rig not in able]
        able = able or chosen[:1]
        lines = [face_targets.add_target(context.scene, obj) for obj in able]
        self.report({"INFO"}, "; ".join(lines))
        return {"FINISHED"}


class SPLATSMITH_OT_remove_face_target(bpy.types.Operator):
    """Take the mesh out of the list; its animation stays"""

    bl_idname = "splatsmith.remove_face_target"
    bl_label = "Remove Mesh"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.splatsmith
        return bool(0 <= settings.face_target < len(settings.face_targets))

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings = context.scene.splatsmith
        settings.face_targets.remove(settings.face_target)
        settings.face_target = min(settings.face_target, len(settings.face_targets) - 1)
        return {"FINISHED"}


class SPLATSMITH_OT_match_face(bpy.types.Operator):
    """Fill the table anew from the names of the shape keys"""

    bl_idname = "splatsmith.match_face"
    bl_label = "Match Names"
    bl_options = {"REGISTER", "UNDO"}

    poll = SPLATSMITH_OT_remove_face_target.poll

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings = context.scene.splatsmith
        target = settings.face_targets[settings.face_target]
        self.report({"INFO"}, f"{face_targets.fill(target)} shape keys matched")
        return {"FINISHED"}


class SPLATSMITH_OT_face_row(bpy.types.Operator):
    """Add a row to the table, or take the chosen one out"""

    bl_idname = "splatsmith.face_row"
    bl_label = "Edit Row"
    bl_options = {"REGISTER", "UNDO"}

    remove: bpy.props.BoolProperty(options={"SKIP_SAVE"})

    poll = SPLATSMITH_OT_remove_face_target.poll

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings = context.scene.splatsmith
        target = settings.face_targets[settings.face_target]
        if self.remove:
            target.rows.remove(target.row)
            target.row = max(0, min(target.row, len(target.rows) - 1))
        else:
            target.rows.add().curve = "jawOpen"
            target.row = len(target.rows) - 1
        return {"FINISHED"}


class SPLATSMITH_OT_export_face(ExportHelper, bpy.types.Operator):
    bl_description = (
        "Export the targets with their animation: to game engines with ARKit's names, or as a "
        "table of Live Link Face"
    )
    bl_idname = "splatsmith.export_face"
    bl_label = "Export Face"

    kind: bpy.props.EnumProperty(items=EXPORTS, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not context.scene.splatsmith.face_targets:
            cls.poll_message_set("Choose meshes with shape keys first")
            return False
        return True

    @property
    def filename_ext(self) -> str:  # type: ignore[override]  # Blender only reads it
        """The extension that goes with the chosen format."""
        return {"GLTF": ".glb", "FBX": ".fbx", "CSV": ".csv"}[self.kind]

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        self.report(
            {"INFO"}, face_export.export(context, Path(bpy.path.abspath(self.filepath)), self.kind)
        )
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_add_face_targets,
    SPLATSMITH_OT_remove_face_target,
    SPLATSMITH_OT_match_face,
    SPLATSMITH_OT_face_row,
    SPLATSMITH_OT_export_face,
)
