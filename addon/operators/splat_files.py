"""Splat files in and out: File > Import and Export, and files dropped into the viewport."""

from pathlib import Path

import bpy

from ...backend.formats import splat_ply
from ...backend.formats.splat_ply import SplatArrays
from ...backend.formats.splats.files import BY_NAME, FORMATS, SplatFormat, format_of
from ...backend.protocol import InputError
from ..blender_types import ExportHelper, ImportHelper, OperatorResult
from ..scene import results
from ..scene.splats import marks, pointclouds, splat_export, splats
from .common import guarded

ENDS = tuple(
    dict.fromkeys(Path(f"a{s}").suffix for f in FORMATS for s in f.suffixes if s[0] == ".")
)
GLOB = ";".join([*(f"*{end}" for end in ENDS), "meta.json"])
KINDS = [(f.name, f.title, f"Write {f.suffixes[0]}", i) for i, f in enumerate(FORMATS)]


class SPLATSMITH_OT_import_splats(ImportHelper, bpy.types.Operator):
    bl_description = (
        "Import Gaussian splats: PLY, compressed PLY, SPZ, SOG, splat, ksplat, glTF or USD files"
    )
    bl_idname = "splatsmith.import_splats"
    bl_label = "Import Splats"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".ply"
    filter_glob: bpy.props.StringProperty(default=GLOB, options={"HIDDEN"})
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if self.properties.is_property_set("files"):  # dropped
            return self.execute(context)
        return super().invoke(context, event)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        folder = Path(bpy.path.abspath(self.directory))
        paths = [folder / item.name for item in self.files if item.name]
        for path in paths or [Path(bpy.path.abspath(self.filepath))]:
            name = path.parent.name if path.name == "meta.json" else path.name
            title = name.removesuffix(".ply").removesuffix(".compressed")
            title = Path(title).stem if title == name else title
            self.report({"INFO"}, results.import_splats(context, path, title))
        return {"FINISHED"}


class SPLATSMITH_OT_export_splats(ExportHelper, bpy.types.Operator):
    bl_description = (
        "Export the active splats as a PLY that every splat viewer opens, or in another format"
    )
    bl_idname = "splatsmith.export_splats"
    bl_label = "Export Splats"

    filename_ext = ".ply"
    filter_glob: bpy.props.StringProperty(default=GLOB, options={"HIDDEN"})
    kind: bpy.props.EnumProperty(
        name="Format",
        items=KINDS,
        default="ply",
        description="What kind of file to write; what it can't hold is told afterwards",
    )
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

    def check(self, _context: bpy.types.Context) -> bool:
        """Keeps the file's name in step with the format."""
        path = renamed(self.filepath, BY_NAME[self.kind])
        changed = path != self.filepath
        self.filepath = path
        return changed

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = splats.demand(context)
        around = splats.surroundings_of(cloud) if self.surroundings else None
        whole = [c for c in (cloud, around) if c is not None]
        arrays = splat_ply.joined([self._part(c) for c in whole])
        path = Path(bpy.path.abspath(self.filepath))
        chosen = BY_NAME[self.kind]
        if not self.properties.is_property_set("kind"):
            chosen = format_of(path)
        scene_file = chosen.name in ("gltf", "usd")
        arrays = splat_export.told_upright(arrays, cloud, self.in_scene, scene_file)
        lost = splat_export.export(arrays, path, chosen)
        missed = sum(pointclouds.point_count(c.data) for c in whole) - len(arrays)
        hidden = f"; {missed:,} that are hidden were left out" if missed else ""
        parent = "" if self.in_scene or scene_file else splat_export.moved_parent(cloud)
        told = f"; the move of {parent} is left out, As in the Scene writes it" if parent else ""
        self.report({"INFO"}, f"{len(arrays):,} splats written to {self.filepath}{hidden}{told}")
        if lost:
            self.report({"WARNING"}, f"{chosen.title} does not hold: {'; '.join(lost)}")
        return {"FINISHED"}

    def _part(self, cloud: bpy.types.Object) -> SplatArrays:
        arrays = splats.read_moved(cloud, self.in_scene)
        away = marks.away(cloud)
        if self.shown_only and away.all():
            raise InputError(f"All splats of {cloud.name} are hidden.", "Show some again.")
        return splat_ply.take(arrays, ~away) if self.shown_only and away.any() else arrays


def renamed(path: str, chosen: SplatFormat) -> str:
    """The path with the ending of the format, in place of another format's."""
    if path.lower().endswith(chosen.suffixes):
        return path
    ends = sorted((s for f in FORMATS for s in f.suffixes if s[0] == "."), key=len, reverse=True)
    old = next((end for end in ends if path.lower().endswith(end)), "")
    return path[: len(path) - len(old)] + chosen.suffixes[0]


class SPLATSMITH_FH_splats(bpy.types.FileHandler):
    bl_idname = "SPLATSMITH_FH_splats"
    bl_label = "Gaussian Splats"
    bl_import_operator = "splatsmith.import_splats"
    bl_export_operator = "splatsmith.export_splats"
    bl_file_extensions = ";".join(ENDS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type in ("VIEW_3D", "OUTLINER")


CLASSES = (
    SPLATSMITH_OT_import_splats,
    SPLATSMITH_OT_export_splats,
)
