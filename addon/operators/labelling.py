"""Objects mended by hand: merged, split, made of a selection, recolored, masked in renders."""

import bpy
import numpy as np

from ...backend.protocol import InputError
from ..blender_types import OperatorResult
from ..scene.objects import mask_nodes, neighbors, object_edits, objects
from ..scene.splats import marks, pointclouds
from .common import guarded
from .objects import OnObjects

TO = [
    ("NEW", "New Object", "An object of their own"),
    ("ACTIVE", "Active Object", "Part of the active object"),
]


class SPLATSMITH_OT_merge_objects(OnObjects, bpy.types.Operator):
    """Make one object of all that are ticked; it takes the name of the first"""

    bl_idname = "splatsmith.merge_objects"
    bl_label = "Merge Objects"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_segmented(context)
        items = objects.chosen_items(cloud)
        if len(items) < 2:
            raise InputError("Merging takes two objects or more.", "Tick them in the list.")
        if any(item.lock for item in items):
            raise InputError("One of them is locked.", "Open its lock in the list.")
        object_edits.merge(cloud, items)
        return {"FINISHED"}


class SPLATSMITH_OT_split_object(OnObjects, bpy.types.Operator):
    """Make parts of the active object that do not touch objects of their own"""

    bl_idname = "splatsmith.split_object"
    bl_label = "Split Loose Parts"

    reach: bpy.props.FloatProperty(
        name="Gap",
        min=0,
        subtype="DISTANCE",
        options={"SKIP_SAVE"},
        description="Parts this close are one; those twice as far apart are two. 0: Auto, three "
        "hundredths of the object's size",
    )
    smallest: bpy.props.IntProperty(
        name="Smallest", default=50, min=1, description="Splats of the smallest part that counts"
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_segmented(context)
        for item in objects.active_item(cloud):
            points = pointclouds.positions(cloud.data)[objects.of_items(cloud, [item])]
            if not len(points):
                raise InputError("No splats are of the active object.", "Choose another.")
            count = object_edits.split_loose(
                cloud, item, self.reach or 3 * neighbors.typical_reach(points), self.smallest
            )
            self.report(
                {"INFO"},
                f"{count} parts"
                if count > 1
                else "It is all of one piece: a smaller gap may split it",
            )
        return {"FINISHED"}


class SPLATSMITH_OT_label_selection(OnObjects, bpy.types.Operator):
    """Make the selected splats an object, or part of the active one"""

    bl_idname = "splatsmith.label_selection"
    bl_label = "Selection to Object"

    to: bpy.props.EnumProperty(
        name="To",
        options={"SKIP_SAVE"},
        items=TO,
    )

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        return "Selected splats become " + (
            "an object of their own" if properties.to == "NEW" else "part of the active object"
        )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_segmented(context)
        mask = objects.unlocked(cloud, marks.selected(cloud))
        active = objects.active_item(cloud)
        if self.to == "NEW" or not active:
            object_edits.split_off(cloud, mask)
        elif active[0].lock:
            raise InputError(f"{active[0].name} is locked.", "Open its lock in the list.")
        else:
            objects.relabel(cloud, mask, active[0].number)
            object_edits.drop_empty(cloud)
        return {"FINISHED"}


class SPLATSMITH_OT_recolor_objects(OnObjects, bpy.types.Operator):
    """Give the chosen objects another color; light and dark stay"""

    bl_idname = "splatsmith.recolor_objects"
    bl_label = "Recolor Objects"

    color: bpy.props.FloatVectorProperty(
        name="Color", subtype="COLOR_GAMMA", size=3, min=0, max=1, default=(0.8, 0.15, 0.1)
    )
    strength: bpy.props.FloatProperty(name="Strength", default=1, min=0, max=1, subtype="FACTOR")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> OperatorResult:
        return context.window_manager.invoke_props_dialog(self)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_segmented(context)
        mask = objects.of_items(cloud, objects.chosen_items(cloud))
        if not mask.any():
            raise InputError("No splats are of the chosen objects.", "Choose others.")
        object_edits.recolor(cloud, objects.unlocked(cloud, mask), tuple(self.color), self.strength)
        return {"FINISHED"}


class SPLATSMITH_OT_mask_nodes(OnObjects, bpy.types.Operator):
    """Add a geometry-nodes modifier that keeps one object, or what is selected, in renders"""

    bl_idname = "splatsmith.mask_nodes"
    bl_label = "Add Mask Nodes"

    selection: bpy.props.BoolProperty(
        name="Selection",
        options={"SKIP_SAVE"},
        description="The selection instead of the active object",
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_segmented(context)
        active = objects.active_item(cloud)
        number = -1 if self.selection or not active else active[0].number
        if number >= 0 and len(objects.groups_of(cloud, active)[0]) > 1:
            raise InputError(
                f"{active[0].name} is a group of objects.", "Merge it, or raise Granularity."
            )
        if number < 0 and marks.SELECTED not in cloud.data.attributes:
            marks.write(cloud, marks.SELECTED, np.zeros(pointclouds.point_count(cloud.data), bool))
        mask_nodes.add(cloud, number)
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_merge_objects,
    SPLATSMITH_OT_split_object,
    SPLATSMITH_OT_label_selection,
    SPLATSMITH_OT_recolor_objects,
    SPLATSMITH_OT_mask_nodes,
)
