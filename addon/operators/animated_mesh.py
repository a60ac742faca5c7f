"""Animated meshes: made from footage, brought in, and baked for game engines."""

from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ...backend.formats import mesh_sequence as sequences
from ...backend.protocol import BonesOptions, InputError, MeshOptions, Request
from .. import preferences
from ..jobs import folders
from ..mesh_properties import BAKES
from ..scene import mesh_bake, mesh_files, mesh_sequence, results
from .common import FolderChooser, capture_ready, chosen_capture, compute_ready, guarded, run_in_folder, run_job


class SPLATSMITH_OT_make_mesh(bpy.types.Operator):
    """Reconstruct the moving object of the solved footage as one animated mesh"""

    bl_idname = "splatsmith.make_mesh"
    bl_label = "Make Animated Mesh"
    bl_options = {"REGISTER"}  # the undo step comes with the result

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return capture_ready(cls, context)

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.splatsmith
        capture, name = chosen_capture(context)
        options = MeshOptions(
            masks=bpy.path.abspath(settings.mesh_masks).rstrip("/\\"), fps=settings.mesh_fps, faces=settings.mesh_faces,
            texture=settings.mesh_texture,
        )  # fmt: skip
        return run_job(self, context, Request("mesh", capture, options, settings.preset, preferences.get().device, settings.seed, name))


class SPLATSMITH_OT_import_mesh(bpy.types.Operator, ImportHelper):
    """Bring in an animated mesh that was made before: the mesh.npz of a result"""

    bl_idname = "splatsmith.import_mesh"
    bl_label = "Import Animated Mesh"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".npz"
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN"})  # type: ignore[valid-type]

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(self.filepath)
        self.report({"INFO"}, results.import_mesh(context, path, path.parent.name or path.stem))
        return {"FINISHED"}


class SPLATSMITH_OT_import_mesh_files(bpy.types.Operator, FolderChooser):
    """Bring in a folder of meshes, one file a frame (OBJ, PLY, STL, GLB), as one animated object"""

    bl_idname = "splatsmith.import_mesh_files"
    bl_label = "Import Mesh Files"
    bl_options = {"REGISTER", "UNDO"}

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        folder, render = Path(bpy.path.abspath(self.directory)), context.scene.render
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.", "Choose another.")
        sequence = mesh_files.read_files(mesh_files.files_of(folder), render.fps / render.fps_base)
        path = folders.new_folder("mesh", folder.name) / sequences.NAME
        sequences.write(path, sequence)
        self.report({"INFO"}, results.import_mesh(context, path, folder.name))
        return {"FINISHED"}


class SPLATSMITH_OT_find_bones(bpy.types.Operator):
    """Find bones that move the active mesh as it moves now, whatever moves it: a cache, shape keys, a simulation"""

    bl_idname = "splatsmith.find_bones"
    bl_label = "Find Bones"
    bl_options = {"REGISTER"}

    bones: bpy.props.IntProperty(name="Bones", default=40, min=1, max=1000, options={"SKIP_SAVE"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not mesh_sequence.is_animated_mesh(context.object):
            cls.poll_message_set("Select the animated mesh")
            return False
        return compute_ready(cls)

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        thing = context.object
        folder = folders.new_folder("bones", thing.name)
        sequences.write(folder / "moving.npz", mesh_sequence.as_sequence(context, thing))
        request = Request("bones", str(folder / "moving.npz"), BonesOptions(self.bones), title=thing.name, context={"object": thing.name})
        return run_in_folder(self, context, request, folder)


class SPLATSMITH_OT_bake_mesh(bpy.types.Operator, ExportHelper):
    """Write the animated mesh for a game engine, read the file back, and compare every frame"""

    bl_idname = "splatsmith.bake_mesh"
    bl_label = "Bake for Engine"
    bl_options = {"REGISTER"}

    kind: bpy.props.EnumProperty(name="Kind", items=BAKES, default="SKIN_GLB", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    filename_ext = ""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not mesh_sequence.is_animated_mesh(context.object):
            cls.poll_message_set("Select the animated mesh")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            self.filepath = f"{context.object.name}{mesh_bake.KINDS[self.kind]}"
        return ExportHelper.invoke(self, context, event)

    def check(self, _context: bpy.types.Context) -> bool:
        wanted = str(Path(self.filepath).with_suffix(mesh_bake.KINDS[self.kind]))
        changed, self.filepath = wanted != self.filepath, wanted
        return changed

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        if context.mode != "OBJECT":
            raise InputError("The mesh is being edited.", "Leave that mode first (Tab).")
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(mesh_bake.KINDS[self.kind])
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}.", "Choose another place.")
        done = mesh_bake.bake(context, context.object, path, self.kind)
        text = f"{path.name}: {done.megabytes:.2f} MB, {done.frames} frames; read back: off by at most {done.error:.1e} of its size"
        self.report({"INFO"} if done.error <= mesh_bake.FITS else {"WARNING"}, text)
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_make_mesh, SPLATSMITH_OT_import_mesh, SPLATSMITH_OT_import_mesh_files, SPLATSMITH_OT_find_bones, SPLATSMITH_OT_bake_mesh,
)  # fmt: skip
