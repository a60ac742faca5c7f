"""Animated meshes, brought in: the backend's own, folders of files, Alembic and USD."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...backend.dynamic_mesh.register_verb import RegisterOptions
from ...backend.formats import mesh_frames as frames
from ...backend.geometry.arrays import Doubles
from ...backend.protocol import InputError, Request, SplatsmithError
from ..blender_types import ImportHelper, OperatorResult
from ..compute import state
from ..jobs import folders
from ..scene import mesh_results
from ..scene.meshes import (
    mesh_files,
    mesh_playback,
    mesh_sequence,
    numbered_files,
    outside_mesh,
    seen_colors,
    timeline,
)
from ..scene.meshes.mesh_files import Keeper, OpenSequence
from ..scene.meshes.outside_mesh import Gathered
from ..scene.meshes.read_mesh import ReadMesh
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
        bring_in = (
            mesh_results.import_frames if path.name == frames.NAME else mesh_results.import_mesh
        )
        self.report({"INFO"}, bring_in(context, path, path.parent.name or path.stem))
        return {"FINISHED"}


FOLLOW = (
    "One of the meshes follows the others where they are not one mesh that moves (needs computing)"
)
FOLLOWED = "materials and pictures became vertex colors, for one mesh follows the others"


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
        numbered = numbered_files.files_of(folder)
        opened = mesh_files.open_files(numbered, timeline.rate(context.scene))
        return _finish(self, context, _read(folder.name, opened))


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
        with mesh_files.opened_cache(path) as opened:
            read = _read(path.stem, opened)
        return _finish(self, context, read)


_Importer = SPLATSMITH_OT_import_mesh_files | SPLATSMITH_OT_import_mesh_cache


@dataclass(frozen=True, kw_only=True)
class _Read:
    """All that there is to know of a sequence when its file is closed again. `meshes` are those
    that are not empty; of a sequence too large to hold, its cache.
    """

    name: str
    gathered: Gathered
    meshes: list[ReadMesh] | Path
    seconds: Doubles
    keep: Keeper
    notes: list[str]
    texture: Path | None


def _read(name: str, opened: OpenSequence) -> _Read:
    """Reads all frames; or, where they are too large to hold, writes them into a cache."""
    try:
        gathered, frames = outside_mesh.begin(opened)
        frames = _told(frames, len(opened.seconds))
        first, begun = gathered.first, len(gathered.times) - 1
        meshes: list[ReadMesh] | Path
        if len(first.vertices) * len(opened.seconds) <= mesh_sequence.MOST_KEYED:
            meshes = [mesh for mesh in frames if not mesh.empty]
            seconds = gathered.seconds()
        else:
            meshes, seconds = folders.new_folder("mesh", name) / "mesh.pc2", opened.seconds[begun:]
            moments = outside_mesh.one_mesh(first, frames)
            mesh_playback.write_cache(meshes, moments, len(first.vertices), len(seconds))
    except (SplatsmithError, OSError, RuntimeError):
        opened.keep.drop()
        raise
    return _Read(
        name=name,
        gathered=gathered,
        meshes=meshes,
        seconds=seconds,
        keep=opened.keep,
        notes=opened.notes,
        texture=opened.texture,
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


def _finish(operator: _Importer, context: bpy.types.Context, read: _Read) -> OperatorResult:
    """One object at once where the frames are one mesh that moves, else by a job that makes one of
    them.
    """
    first, meshes, block = read.gathered.first, read.meshes, read.keep.block
    if block is None:
        raise InputError("There is no mesh in any of the frames.", "Export the sequence again.")
    if isinstance(meshes, Path) or all(mesh.fits(first) for mesh in meshes):
        moments = meshes if isinstance(meshes, Path) else [mesh.vertices for mesh in meshes]
        line = mesh_results.import_outside_mesh(
            context,
            block,
            read.gathered,
            moments,
            read.seconds,
            read.name,
            read.notes,
            read.texture,
        )
        operator.report({"INFO"}, line)
        return {"FINISHED"}
    try:
        if not operator.follow:
            for _ in outside_mesh.one_mesh(first, iter(meshes)):
                pass
        state.require()
        colors = seen_colors.seen_colors(block)
    finally:
        read.keep.drop()
    folder = folders.new_folder("register", read.name)
    frames.write(folder / frames.NAME, outside_mesh.as_frames(meshes, read.seconds, colors))
    request = Request(
        verb="register",
        input=str(folder / frames.NAME),
        options=RegisterOptions(),
        title=read.name,
        context={
            "times": read.gathered.times,
            "empty": read.gathered.empty,
            "notes": [*read.notes, *read.gathered.notes(), FOLLOWED],
        },
    )
    return run_in_folder(operator, context, request, folder)


CLASSES = (
    SPLATSMITH_OT_import_mesh,
    SPLATSMITH_OT_import_mesh_files,
    SPLATSMITH_OT_import_mesh_cache,
)
