"""Animated meshes: made from footage, brought in, and baked for game engines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ...backend.formats import capture as captures, mesh_frames as frames, mesh_sequence as sequences
from ...backend.protocol import BonesOptions, InputError, MeshOptions, RegisterOptions, Request
from .. import preferences
from ..compute import state
from ..jobs import folders
from ..mesh_properties import BAKES
from ..scene import marks, mask_pictures, mesh_bake, mesh_files, mesh_sequence, results, splats
from ..scene.mesh_files import ReadMesh
from ..scene.mesh_frames import FRAMES_KEY
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
        cloud, masks = settings.mesh_splats, bpy.path.abspath(settings.mesh_masks).rstrip("/\\")
        chosen = marks.read(cloud, marks.SELECTED) if cloud is not None else None
        folder = folders.new_folder("mesh", name)
        if cloud is not None and chosen is not None:
            masks = str(folder / "object.ply")
            splats.export_ply(cloud, Path(masks), chosen if chosen.any() else None)
        options = MeshOptions(
            mode=settings.mesh_mode, masks=masks, fps=settings.mesh_fps, faces=settings.mesh_faces, texture=settings.mesh_texture
        )
        request = Request("mesh", capture, options, settings.preset, preferences.get().device, settings.seed, name)
        return run_in_folder(self, context, request.checked(), folder)


class SPLATSMITH_OT_mask_frame(bpy.types.Operator):
    """Say where the object is in this frame, by an outline drawn in the Image Editor's Mask mode over this picture of the capture. A few
    frames are enough: the others' masks are carried over along the motion"""

    bl_idname = "splatsmith.mask_frame"
    bl_label = "Mask This Frame"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.splatsmith
        if not settings.capture or settings.mesh_outline is None:
            cls.poll_message_set("Choose a capture, and a mask with the outline")
            return False
        return True

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        settings, number = context.scene.splatsmith, context.scene.frame_current
        folder = Path(bpy.path.abspath(settings.capture))
        pictures = captures.read(folder).frames
        if not 1 <= number <= len(pictures):
            raise InputError(f"The footage has no frame {number}.", f"Go to one of 1 to {len(pictures)}.")
        frame = pictures[number - 1]
        inside = mask_pictures.picture(settings.mesh_outline, frame.width, frame.height)
        if not inside.any():
            raise InputError(f"The mask {settings.mesh_outline.name} has no outline in the picture.", "Draw one around the object.")
        path = folder / mask_pictures.FOLDER / f"{frame.image.stem}.png"
        mask_pictures.write(path, inside)
        settings.mesh_masks = str(path.parent)
        done = len(list(path.parent.glob("*.png")))
        self.report({"INFO"}, f"Frame {number}: the object covers {inside.mean():.0%} of the picture; {done} frames have masks")
        return {"FINISHED"}


class SPLATSMITH_OT_import_mesh(bpy.types.Operator, ImportHelper):
    """Bring in a result that was made before: mesh.npz, or mesh_frames.npz of changing topology"""

    bl_idname = "splatsmith.import_mesh"
    bl_label = "Import Animated Mesh"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".npz"
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN"})  # type: ignore[valid-type]

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(self.filepath)
        bring_in = results.import_frames if path.name == frames.NAME else results.import_mesh
        self.report({"INFO"}, bring_in(context, path, path.parent.name or path.stem))
        return {"FINISHED"}


FOLLOW = "One of the meshes follows the others where they are not one mesh that moves (needs computing)"


class SPLATSMITH_OT_import_mesh_files(bpy.types.Operator, FolderChooser):
    """Bring in a folder of meshes, one file a frame (OBJ, PLY, STL, GLB), as one animated object"""

    bl_idname = "splatsmith.import_mesh_files"
    bl_label = "Import Mesh Files"
    bl_options = {"REGISTER", "UNDO"}

    follow: bpy.props.BoolProperty(name="Follow", default=True, description=FOLLOW)  # type: ignore[valid-type]

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        folder = Path(bpy.path.abspath(self.directory))
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.", "Choose another.")
        files = mesh_files.files_of(folder)
        return _finish(self, context, folder.name, _gather(folder.name, len(files), mesh_files.frames_of_files(files)))


class SPLATSMITH_OT_import_mesh_cache(bpy.types.Operator, ImportHelper):
    """Bring in an Alembic or USD file as one animated object that needs the file no more"""

    bl_idname = "splatsmith.import_mesh_cache"
    bl_label = "Import Mesh Cache"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ""
    filter_glob: bpy.props.StringProperty(default=";".join(f"*{e}" for e in mesh_files.CACHES), options={"HIDDEN"})  # type: ignore[valid-type]
    follow: bpy.props.BoolProperty(name="Follow", default=True, description=FOLLOW)  # type: ignore[valid-type]

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.abspath(self.filepath))
        if path.suffix.lower() not in mesh_files.CACHES or not path.is_file():
            raise InputError(f"{path.name} is no Alembic or USD file.", f"Choose one ({', '.join(mesh_files.CACHES)}).")
        with mesh_files.opened_cache(path) as (count, meshes):
            found = _gather(path.stem, count, meshes)
        return _finish(self, context, path.stem, found)


@dataclass(frozen=True)
class Streamed:
    """A sequence that was too large to hold is in the scene already; a line about it."""

    line: str
    frames: int


def _gather(name: str, count: int, meshes: Iterator[ReadMesh]) -> Streamed | list[ReadMesh]:
    """All frames; or, where they are too large to hold, they are streamed into an object."""
    meshes = _told(meshes, count)
    first = next(meshes)
    if len(first.vertices) * count <= mesh_sequence.MOST_KEYED:
        return [first, *meshes]
    render = bpy.context.scene.render
    alone = mesh_files.as_sequence([first], render.fps / render.fps_base)
    path = folders.new_folder("mesh", name) / "mesh.pc2"
    return Streamed(results.import_large_mesh(bpy.context, alone, mesh_files.one_mesh(first, meshes), count, path, name), count)


def _told(meshes: Iterator[ReadMesh], count: int) -> Iterator[ReadMesh]:
    """The same, with the cursor telling how far it is."""
    manager = bpy.context.window_manager
    manager.progress_begin(0, count)
    try:
        for number, mesh in enumerate(meshes, 1):
            manager.progress_update(number)
            yield mesh
    finally:
        manager.progress_end()


def _finish(operator: bpy.types.Operator, context: bpy.types.Context, name: str, found: Streamed | list[ReadMesh]) -> set[str]:
    """One object at once where the frames are one mesh that moves, else by a job that makes one of them."""
    if isinstance(found, Streamed):
        context.scene.frame_start, context.scene.frame_end = 1, found.frames  # a cache that was open has put the old range back
        operator.report({"INFO"}, found.line)
        return {"FINISHED"}
    fps = context.scene.render.fps / context.scene.render.fps_base
    sequence = mesh_files.as_sequence(found, fps)
    if sequence is not None:
        path = folders.new_folder("mesh", name) / sequences.NAME
        sequences.write(path, sequence)
        operator.report({"INFO"}, results.import_mesh(context, path, name))
        return {"FINISHED"}
    if not operator.follow:
        mesh_files.require_one(found)
    state.require()
    folder = folders.new_folder("register", name)
    frames.write(folder / frames.NAME, mesh_files.as_frames(found, fps))
    return run_in_folder(operator, context, Request("register", str(folder / frames.NAME), RegisterOptions(), title=name), folder)


class SPLATSMITH_OT_one_mesh(bpy.types.Operator):
    """Make one mesh that moves of the active object, which is another mesh in every frame: its first one follows the others"""

    bl_idname = "splatsmith.one_mesh"
    bl_label = "Make One Mesh"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.object is None or FRAMES_KEY not in context.object:
            cls.poll_message_set("Select meshes of changing topology")
            return False
        return compute_ready(cls)

    @guarded
    def execute(self, context: bpy.types.Context) -> set[str]:
        thing = context.object
        request = Request("register", str(thing[FRAMES_KEY]), RegisterOptions(), title=thing.name, context={"object": thing.name})
        return run_job(self, context, request)


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
    SPLATSMITH_OT_make_mesh, SPLATSMITH_OT_mask_frame, SPLATSMITH_OT_import_mesh, SPLATSMITH_OT_import_mesh_files,
    SPLATSMITH_OT_import_mesh_cache, SPLATSMITH_OT_one_mesh, SPLATSMITH_OT_find_bones, SPLATSMITH_OT_bake_mesh,
)  # fmt: skip
