"""A textured mesh of splats, and meshes that stand still for game engines."""

from pathlib import Path

import bpy
import numpy as np

from ...backend.dynamic_mesh.still.surface_verb import SurfaceOptions
from ...backend.formats import splat_ply
from ...backend.protocol import InputError, Request
from .. import preferences
from ..blender_types import ExportHelper, OperatorResult
from ..jobs import folders
from ..properties.splat_properties import PAINTS
from ..scene.captures import collections
from ..scene.meshes import mesh_lods, mesh_sequence, moving
from ..scene.splats import marks, splats
from .common import active_object, compute_ready, guarded, run_in_folder


class SPLATSMITH_OT_splats_to_mesh(bpy.types.Operator):
    """Make a textured mesh of the splats that are shown, or of those that are selected"""

    bl_idname = "splatsmith.splats_to_mesh"
    bl_label = "Splats to Mesh"
    bl_options = {"REGISTER"}  # the undo step comes with the result

    closed: bpy.props.BoolProperty(
        name="Closed",
        default=False,
        description="Take what no camera has seen to be empty for solid: no holes, but undersides "
        "and backs are guesses",
    )
    paint: bpy.props.EnumProperty(
        name="Paint From", items=PAINTS, description="What the texture is painted from"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if splats.chosen(context) is None:
            cls.poll_message_set("Train or import splats first")
            return False
        return compute_ready(cls)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        settings, cloud = context.scene.splatsmith, splats.demand(context)
        folder = folders.new_folder("surface", cloud.name)
        every = splats.read(cloud)
        shown = ~(marks.read(cloud, marks.HIDDEN) | marks.read(cloud, marks.FILTERED))
        selected = marks.read(cloud, marks.SELECTED) & shown
        wanted = selected if selected.any() else shown
        splats.export_ply(splat_ply.take(every, np.asarray(wanted)), folder / "splats.ply")
        options = SurfaceOptions(capture=_capture_of(cloud), closed=self.closed, paint=self.paint)
        request = Request(
            verb="surface",
            input=str(folder / "splats.ply"),
            options=options,
            preset=settings.preset,
            device=preferences.get().device,
            title=cloud.name,
            context={"object": cloud.name},
        )
        return run_in_folder(self, context, request.checked(), folder)


def _capture_of(cloud: bpy.types.Object) -> str:
    """The folder of the capture that splats hang from; empty for those that came alone."""
    holder = cloud.parent
    while holder is not None:
        folder = bpy.path.abspath(str(holder.get(collections.ROOT_KEY, "")))
        if folder and (Path(folder) / "transforms.json").is_file():
            return folder
        holder = holder.parent
    return ""


class SPLATSMITH_OT_export_still(ExportHelper, bpy.types.Operator):
    """Write the active mesh, which stands still, for a game engine, with coarser copies"""

    bl_idname = "splatsmith.export_still"
    bl_label = "Export with LODs"
    bl_options = {"REGISTER"}

    kind: bpy.props.EnumProperty(
        name="Kind",
        items=[
            (".glb", "glTF", "For every engine (.glb)"),
            (".fbx", "FBX", "For Unity and Unreal, as one group of levels (.fbx)"),
            (".usdc", "USD", "For other programs (.usdc)"),
        ],
    )
    levels: bpy.props.IntProperty(
        name="Levels",
        default=3,
        min=1,
        max=6,
        description="Of detail: each has four tenths of the triangles of the one before",
    )
    filename_ext = ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not mesh_sequence.is_animated_mesh(context.object) or moving.moves(context.object):
            cls.poll_message_set("Select a mesh that stands still")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if not self.filepath:
            self.filepath = f"{active_object(context).name}{self.kind}"
        return ExportHelper.invoke(self, context, event)

    def check(self, _context: bpy.types.Context) -> bool:
        wanted = str(Path(self.filepath).with_suffix(self.kind))
        changed, self.filepath = wanted != self.filepath, wanted
        return changed

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        if context.mode != "OBJECT":
            raise InputError("The mesh is being edited.", "Leave that mode first (Tab).")
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(self.kind)
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}.", "Choose another place.")
        counts = mesh_lods.write(context, active_object(context), path, self.levels)
        written = ", ".join(f"{count:,}" for count in counts)
        self.report(
            {"INFO"}, f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {written} triangles"
        )
        return {"FINISHED"}


CLASSES = (SPLATSMITH_OT_splats_to_mesh, SPLATSMITH_OT_export_still)
