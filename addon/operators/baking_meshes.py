"""Animated meshes, written for game engines."""

from pathlib import Path

import bpy

from ...backend.protocol import InputError
from ..blender_types import ExportHelper, OperatorResult
from ..properties.mesh_properties import BAKES
from ..scene.meshes import mesh_bake, mesh_sequence
from .common import active_object, guarded


class SPLATSMITH_OT_bake_mesh(ExportHelper, bpy.types.Operator):
    """Write the animated mesh for a game engine, read the file back, and compare every frame"""

    bl_idname = "splatsmith.bake_mesh"
    bl_label = "Bake for Engine"
    bl_options = {"REGISTER"}

    kind: bpy.props.EnumProperty(
        name="Kind", items=BAKES, default="SKIN_GLB", options={"SKIP_SAVE"}
    )
    filename_ext = ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not mesh_sequence.is_animated_mesh(context.object):
            cls.poll_message_set("Select the animated mesh")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if not self.filepath:
            self.filepath = f"{active_object(context).name}{mesh_bake.KINDS[self.kind]}"
        return ExportHelper.invoke(self, context, event)

    def check(self, _context: bpy.types.Context) -> bool:
        wanted = str(Path(self.filepath).with_suffix(mesh_bake.KINDS[self.kind]))
        changed, self.filepath = wanted != self.filepath, wanted
        return changed

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        if context.mode != "OBJECT":
            raise InputError("The mesh is being edited.", "Leave that mode first (Tab).")
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(mesh_bake.KINDS[self.kind])
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}.", "Choose another place.")
        done = mesh_bake.bake(context, active_object(context), path, self.kind)
        text = (
            f"{path.name}: {done.megabytes:.2f} MB, {done.frames} frames; read back: off by at "
            f"most {done.error:.1e} of its size, {done.seconds:.2f} s"
        )
        notes = list(done.notes)
        if not done.in_time:
            notes.insert(0, f"The scene shows it for {done.wanted:.2f} s")
        good = done.error <= mesh_bake.FITS and not notes
        self.report({"INFO"} if good else {"WARNING"}, ". ".join([text, *notes]))
        return {"FINISHED"}


CLASSES = (SPLATSMITH_OT_bake_mesh,)
