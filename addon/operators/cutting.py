"""Objects cut clean out of their splats: extracted, one file each, and what they hid closed."""

from pathlib import Path

import bpy
import numpy as np

from ...backend.cutting.clean_cut import CleanCut, clean_cut, summed
from ...backend.formats import semantics_file, splat_moves, splat_ply
from ...backend.formats.splat_ply import SplatArrays
from ...backend.geometry.arrays import Flags
from ...backend.protocol import InputError
from ..blender_types import OperatorMixin, OperatorResult
from ..scene.captures import collections
from ..scene.objects import cutting, object_edits, objects
from ..scene.splats import marks, splats
from .common import guarded
from .objects import OnObjects, OnSome

PARTS = [
    ("LARGEST", "Largest", "The largest connected part of each object"),
    ("ALL", "All but Small Ones", "All parts of each object that hold a hundredth of it or more"),
]


class CleanlyCut(OperatorMixin):
    """How objects are cut out."""

    clean: bpy.props.BoolProperty(
        name="Clean",
        default=True,
        description="Leave floaters and haze behind, and cut splats that reach into other objects",
    )
    parts: bpy.props.EnumProperty(name="Parts", items=PARTS)

    def cut(self, cloud: bpy.types.Object) -> list[CleanCut]:
        """Each of the chosen objects, or groups of them."""
        groups = [objects.of_items(cloud, group) for group in objects.chosen_groups(cloud)]
        things = [mask for mask in groups if mask.any()]
        return cutting.cuts_of(cloud, things, self.parts == "LARGEST")


class SPLATSMITH_OT_extract_objects(OnSome, CleanlyCut, bpy.types.Operator):
    """Copy the splats, or all others, to a splat object and a collection of their own"""

    bl_idname = "splatsmith.extract_objects"
    bl_label = "Extract Objects"

    rest: bpy.props.BoolProperty(
        name="Others", description="Everything but these", options={"SKIP_SAVE"}
    )
    fill: bpy.props.BoolProperty(
        name="Fill Behind",
        default=False,
        options={"SKIP_SAVE"},
        description="Of the others: continue their surfaces across the hole, in plain colors",
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud, mask, name = self.wanted(context)
        whole, name = (~mask, f"{cloud.name} Others") if self.rest else (mask, name)
        if not whole.any():
            raise InputError("That is all splats: nothing is left over.", "Choose fewer.")
        # a selection is what was asked for, splat by splat
        is_clean = self.clean and not self.rest and self.what == "OBJECTS"
        cuts = self.cut(cloud) if is_clean else []
        filling = cutting.fill(cloud, mask) if self.rest and self.fill else None
        collection = collections.new_collection(context.scene, name)
        if is_clean:
            fresh, told = cutting.extract(cloud, cuts, name, collection), summed(cuts).told()
        else:
            fresh = object_edits.extract(cloud, whole, name, collection)
            told = f"{int(whole.sum()):,} splats are in it now"
        if filling is not None:
            cutting.close(fresh, filling)
            told += f"; {cutting.told(filling, cloud)}"
        marks.write(fresh, marks.SELECTED, np.zeros(len(marks.read(fresh, marks.SELECTED)), bool))
        self.report({"INFO"}, f"{fresh.name}: {told}")
        return {"FINISHED"}

    def draw(self, _context: bpy.types.Context) -> None:
        column = self.layout.column()
        if self.rest:
            column.prop(self, "fill")
        elif self.what == "OBJECTS":
            column.prop(self, "clean")
            row = column.row()
            row.active = self.clean
            row.prop(self, "parts", expand=True)


class SPLATSMITH_OT_fill_behind(OnSome, bpy.types.Operator):
    """Continue the surfaces behind the objects across the hole that they leave, as a splat object
    of their own: a plain background for when they are moved or hidden"""

    bl_idname = "splatsmith.fill_behind"
    bl_label = "Fill Behind"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_segmented(context)
        _, mask, name = self.wanted(context)
        filling = cutting.fill(cloud, mask)
        told = cutting.told(filling, cloud)
        if filling.arrays is None:
            raise InputError(
                f"Behind {name}, {told}.", "Its surroundings have no hole, or no surface around it."
            )
        home = cloud.users_collection[0] if cloud.users_collection else context.collection
        fresh = object_edits.like(cloud, cutting.columns_of(filling, cloud), f"{name} Behind", home)
        self.report({"INFO"}, f"{fresh.name}: {told}")
        return {"FINISHED"}


class SPLATSMITH_OT_export_each_object(OnObjects, CleanlyCut, bpy.types.Operator):
    """Export every object as a plain 3DGS PLY file of its own: those that are ticked, or all"""

    bl_idname = "splatsmith.export_each_object"
    bl_label = "Export Each Object"
    bl_options = {"REGISTER"}

    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_segmented(context)
        folder = Path(bpy.path.abspath(self.directory))
        folder.mkdir(parents=True, exist_ok=True)
        arrays, labels = splats.read(cloud), objects.numbers_of(cloud)
        groups = objects.groups_of(cloud, objects.ticked(cloud) or list(cloud.splatsmith_objects))
        cuts = []
        for group in groups:
            mask = objects.of_items(cloud, group)
            if mask.any():
                cut = self._cut(arrays, mask, (labels >= 0) & ~mask)
                moved = splat_moves.moved(cut.arrays, np.array(cloud.matrix_basis))
                name = semantics_file.safe_name(group[0].number, group[0].name)
                splats.export_ply(moved, folder / f"{name}.ply", extras=False)
                cuts.append(cut)
        if not cuts:
            raise InputError("No splats are of these objects.", "Tick others.")
        told = f": {summed(cuts).told()}" if self.clean else ""
        self.report({"INFO"}, f"{len(cuts)} files are in {folder}{told}")
        return {"FINISHED"}

    def _cut(self, arrays: SplatArrays, mine: Flags, others: Flags) -> CleanCut:
        if self.clean:
            return clean_cut(arrays, mine, others, self.parts == "LARGEST")
        return CleanCut.plain(splat_ply.take(arrays, mine), np.flatnonzero(mine))


CLASSES = (
    SPLATSMITH_OT_extract_objects,
    SPLATSMITH_OT_fill_behind,
    SPLATSMITH_OT_export_each_object,
)
