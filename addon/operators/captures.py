"""What can be made of a solved capture: a mesh of its depth, a matchmove clip, a copy for other
programs.
"""

import shutil
import tempfile
from pathlib import Path

import bpy

from ...backend.formats import capture as captures
from ...backend.formats.transforms_json import find_transforms
from ...backend.protocol import InputError
from ...backend.runtime import atomic
from ..blender_types import OperatorMixin, OperatorResult
from ..scene.captures import collections, depth_mesh, movie_clip, picture_times
from .common import FolderChooser, guarded

COPIED = ("transforms.json", "points3D.ply", "tracks.npz", "images", "sparse", "depths", "masks")


def _chosen(
    context: bpy.types.Context,
) -> tuple[bpy.types.Object, bpy.types.Collection, captures.Capture]:
    """Root and collection of the capture in step 3's field, and itself."""
    folder = context.scene.splatsmith.capture
    root = collections.find_root(context.scene, folder)
    if root is None:
        raise InputError(
            "No capture is in this scene.", "Solve the cameras (step 2), or import a capture."
        )
    capture = captures.read(Path(bpy.path.abspath(folder)))
    captures.require_images(capture)
    return root, root.users_collection[0], capture


class _OnCapture(OperatorMixin):
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.splatsmith
        if settings.capture and collections.find_root(context.scene, settings.capture) is not None:
            return True
        cls.poll_message_set("Solve the cameras first (panel 2), or import a capture")
        return False


def _is_inside(path: Path, folder: Path) -> bool:
    """By its name, which may not climb out of the folder."""
    return folder in path.parents and ".." not in path.relative_to(folder).parts


def _copy(capture: captures.Capture, target: Path) -> None:
    """What belongs to a capture, and whatever else its frames name."""
    folder = capture.root
    for name in COPIED:
        if (folder / name).is_dir():
            shutil.copytree(folder / name, target / name)
        elif (folder / name).is_file():
            shutil.copy2(folder / name, target / name)
    named = [path for frame in capture.frames for path in (frame.image, frame.mask, frame.depth)]
    outside = [p for p in (*named, capture.points) if p is not None and not _is_inside(p, folder)]
    if outside:
        raise InputError(
            f"{len(outside)} files of the capture lie outside its folder.",
            "Run Solve Cameras on it: its result is a capture of its own.",
        )
    for path in (*named, capture.points, find_transforms(folder)):
        if path is not None and path.is_file() and not (target / path.relative_to(folder)).exists():
            (target / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / path.relative_to(folder))


class SPLATSMITH_OT_depth_mesh(_OnCapture, bpy.types.Operator):
    bl_description = (
        "Make a mesh of the current frame's depth that wears the picture: something real to place "
        "things on and behind"
    )
    bl_idname = "splatsmith.depth_mesh"
    bl_label = "Depth to Mesh"
    bl_options = {"REGISTER", "UNDO"}

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        root, collection, capture = _chosen(context)
        mesh = depth_mesh.make(collection, root, capture, context.scene.frame_current)
        self.report({"INFO"}, f"{mesh.name}: {len(mesh.data.polygons):,} faces")
        return {"FINISHED"}


class SPLATSMITH_OT_tracks_clip(_OnCapture, bpy.types.Operator):
    """Make a Movie Clip of the capture's pictures with the solver's tracks as markers"""

    bl_idname = "splatsmith.tracks_clip"
    bl_label = "Tracks to Movie Clip"
    bl_options = {"REGISTER", "UNDO"}

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        root, collection, capture = _chosen(context)
        clip = movie_clip.make(capture, collection.name)
        frames = picture_times.frames_of(root, len(capture.frames))
        even = len(frames) < 2 or frames.max() - frames.min() == len(frames) - 1
        apart = "" if even else "; it shows a picture a frame, without the footage's pauses"
        tracks = len(clip.tracking.tracks)
        self.report({"INFO"}, f"{clip.name}: {tracks} tracks, in the Movie Clip Editor{apart}")
        return {"FINISHED"}


class SPLATSMITH_OT_export_capture(_OnCapture, FolderChooser, bpy.types.Operator):
    bl_description = (
        "Copy the capture for other programs: COLMAP's sparse/0 with its tracks, nerfstudio's "
        "transforms.json, pictures, depth"
    )
    bl_idname = "splatsmith.export_capture"
    bl_label = "Export Capture"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        _, collection, capture = _chosen(context)
        target = Path(bpy.path.abspath(self.directory)) / bpy.path.clean_name(collection.name)
        if target.exists():
            raise InputError(
                f"{target.name} is there already.",
                "Choose another folder; nothing was overwritten.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".splatsmith-", dir=target.parent) as part:
            whole = Path(part) / target.name
            whole.mkdir()
            _copy(capture, whole)
            atomic.sync_tree(whole)
            whole.rename(target)
        atomic.sync_folder(target.parent)
        self.report({"INFO"}, f"Capture copied to {target}")
        return {"FINISHED"}


CLASSES = (SPLATSMITH_OT_depth_mesh, SPLATSMITH_OT_tracks_clip, SPLATSMITH_OT_export_capture)
