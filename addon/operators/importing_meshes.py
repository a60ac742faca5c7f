"""Animated meshes, brought in: the backend's own, folders of files, Alembic and USD."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...backend.dynamic_mesh.register_verb import RegisterOptions
from ...backend.formats import mesh_frames as frames, mesh_sequence as sequences
from ...backend.protocol import InputError, Request
from ..blender_types import ImportHelper, OperatorResult
from ..compute import state
from ..jobs import folders
from ..scene import results
from ..scene.meshes import mesh_files, mesh_sequence
from ..scene.meshes.mesh_files import ReadMesh
from .common import FolderChooser, guarded, run_in_folder


class SPLATSMITH_OT_import_mesh(ImportHelper, bpy.types.Operator):
    """Bring in a result that was made before: mesh.npz, or mesh_frames.npz of changing topology"""

    bl_idname = "splatsmith.import_mesh"
    bl_label = "Import Animated Mesh"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".npz"
    filter_glob: bpy.props.StringProperty(default="*.npz", options={"HIDDEN"})

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        path = Path(self.filepath)
        bring_in = results.import_frames if path.name == frames.NAME else results.import_mesh
        self.report({"INFO"}, bring_in(context, path, path.parent.name or path.stem))
        return {"FINISHED"}


FOLLOW = (
    "One of the meshes follows the others where they are not one mesh that moves (needs computing)"
)


class SPLATSMITH_OT_import_mesh_files(FolderChooser, bpy.types.Operator):
    """Bring in a folder of meshes, one file a frame (OBJ, PLY, STL, GLB), as one animated object"""

    bl_idname = "splatsmith.import_mesh_files"
    bl_label = "Import Mesh Files"
    bl_options = {"REGISTER", "UNDO"}

    follow: bpy.props.BoolProperty(name="Follow", default=True, description=FOLLOW)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        folder = Path(bpy.path.abspath(self.directory))
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder}.", "Choose another.")
        files = mesh_files.files_of(folder)
        return _finish(
            self,
            context,
            folder.name,
            _gather(folder.name, len(files), mesh_files.frames_of_files(files)),
        )


class SPLATSMITH_OT_import_mesh_cache(ImportHelper, bpy.types.Operator):
    """Bring in an Alembic or USD file as one animated object that needs the file no more"""

    bl_idname = "splatsmith.import_mesh_cache"
    bl_label = "Import Mesh Cache"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ""
    filter_glob: bpy.props.StringProperty(
        default=";".join(f"*{e}" for e in mesh_files.CACHES), options={"HIDDEN"}
    )
    follow: bpy.props.BoolProperty(name="Follow", default=True, description=FOLLOW)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        path = Path(bpy.path.abspath(self.filepath))
        if path.suffix.lower() not in mesh_files.CACHES or not path.is_file():
            raise InputError(
                f"{path.name} is no Alembic or USD file.",
                f"Choose one ({', '.join(mesh_files.CACHES)}).",
            )
        with mesh_files.opened_cache(path) as (count, meshes):
            gathered = _gather(path.stem, count, meshes)
        return _finish(self, context, path.stem, gathered)


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
    alone = mesh_files.of_one_topology([first], render.fps / render.fps_base)
    path = folders.new_folder("mesh", name) / "mesh.pc2"
    return Streamed(
        results.import_large_mesh(
            bpy.context, alone, mesh_files.one_mesh(first, meshes), count, path, name
        ),
        count,
    )


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


def _finish(
    operator: SPLATSMITH_OT_import_mesh_files | SPLATSMITH_OT_import_mesh_cache,
    context: bpy.types.Context,
    name: str,
    gathered: Streamed | list[ReadMesh],
) -> OperatorResult:
    """One object at once where the frames are one mesh that moves, else by a job that makes one of
    them.
    """
    if isinstance(gathered, Streamed):
        context.scene.frame_start, context.scene.frame_end = (
            1,
            gathered.frames,
        )  # a cache that was open has put the old range back
        operator.report({"INFO"}, gathered.line)
        return {"FINISHED"}
    fps = context.scene.render.fps / context.scene.render.fps_base
    sequence = mesh_files.as_sequence(gathered, fps)
    if sequence is not None:
        path = folders.new_folder("mesh", name) / sequences.NAME
        sequences.write(path, sequence)
        operator.report({"INFO"}, results.import_mesh(context, path, name))
        return {"FINISHED"}
    if not operator.follow:
        mesh_files.require_one(gathered)
    state.require()
    folder = folders.new_folder("register", name)
    frames.write(folder / frames.NAME, mesh_files.as_frames(gathered, fps))
    return run_in_folder(
        operator,
        context,
        Request(
            verb="register", input=str(folder / frames.NAME), options=RegisterOptions(), title=name
        ),
        folder,
    )


CLASSES = (
    SPLATSMITH_OT_import_mesh,
    SPLATSMITH_OT_import_mesh_files,
    SPLATSMITH_OT_import_mesh_cache,
)
