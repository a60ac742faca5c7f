"""Selecting splats: by words, by objects, by what lies around them."""

from collections.abc import Callable

import bpy
import numpy as np

from ...backend.geometry.arrays import Flags
from ..blender_types import OperatorResult
from ..scene.objects import neighbors, object_edits, objects
from ..scene.splats import marks, pointclouds, splat_nodes
from ..words import asking
from .common import compute_ready, guarded
from .objects import OnObjects, OnSplats

Around = Callable[["SPLATSMITH_OT_selection", bpy.types.Object, Flags], Flags]


class SPLATSMITH_OT_select_words(OnObjects, bpy.types.Operator):
    """Select what fits the words; the first time a model is loaded, then it takes milliseconds"""

    bl_idname = "splatsmith.select_words"
    bl_label = "Select by Words"
    bl_options = {"REGISTER"}  # the undo step comes with the answer

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return compute_ready(cls) and super().poll(context)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        asking.ask(context, objects.demand_segmented(context))
        return {"FINISHED"}


class SPLATSMITH_OT_select_objects(OnObjects, bpy.types.Operator):
    """Select the splats of the ticked objects, or of the active one"""

    bl_idname = "splatsmith.select_objects"
    bl_label = "Select Objects"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_segmented(context)
        wanted = objects.of_items(cloud, objects.chosen_items(cloud))
        mode = context.scene.splatsmith.select_mode
        count = marks.select(cloud, wanted, mode, locked=objects.locked(cloud))
        self.report({"INFO"}, f"{count:,} splats are selected")
        return {"FINISHED"}


def _points(cloud: bpy.types.Object) -> neighbors.Points:
    return pointclouds.positions(cloud.data)


def _all(_op: "SPLATSMITH_OT_selection", _cloud: bpy.types.Object, old: Flags) -> Flags:
    return np.ones_like(old)


def _none(_op: "SPLATSMITH_OT_selection", _cloud: bpy.types.Object, old: Flags) -> Flags:
    return np.zeros_like(old)


def _invert(_op: "SPLATSMITH_OT_selection", _cloud: bpy.types.Object, old: Flags) -> Flags:
    return ~old


def _grow(op: "SPLATSMITH_OT_selection", cloud: bpy.types.Object, old: Flags) -> Flags:
    return neighbors.grow(_points(cloud), old, op.near(cloud))


def _shrink(op: "SPLATSMITH_OT_selection", cloud: bpy.types.Object, old: Flags) -> Flags:
    return neighbors.shrink(_points(cloud), old, op.near(cloud))


def _similar(op: "SPLATSMITH_OT_selection", cloud: bpy.types.Object, old: Flags) -> Flags:
    return old | neighbors.alike(object_edits.srgb_of(cloud), old, op.tolerance)


def _flood(op: "SPLATSMITH_OT_selection", cloud: bpy.types.Object, old: Flags) -> Flags:
    colors = object_edits.srgb_of(cloud)
    return neighbors.flood(_points(cloud), colors, old, op.near(cloud), op.tolerance)


ACTIONS: dict[str, tuple[str, str, Around]] = {
    "ALL": ("All", "Select every splat that is not hidden or locked", _all),
    "NONE": ("None", "Select nothing", _none),
    "INVERT": ("Invert", "Select what is not selected, and nothing else", _invert),
    "GROW": ("Grow", "Select splats around the selection too", _grow),
    "SHRINK": ("Shrink", "Leave the border of the selection out", _shrink),
    "SIMILAR": ("Similar", "Select splats of the same colors anywhere", _similar),
    "FLOOD": ("Flood", "Select whatever is connected through splats of its colors", _flood),
}


class SPLATSMITH_OT_selection(OnSplats, bpy.types.Operator):
    """Change which splats are selected"""

    bl_idname = "splatsmith.selection"
    bl_label = "Change Selection"

    action: bpy.props.EnumProperty(
        name="Action", items=[(key, name, text) for key, (name, text, _) in ACTIONS.items()]
    )
    reach: bpy.props.FloatProperty(
        name="Reach",
        min=0,
        subtype="DISTANCE",
        options={"SKIP_SAVE"},
        description="What counts as near, in the splats' own units; 0: Auto, 1 % of the scene",
    )
    tolerance: bpy.props.FloatProperty(
        name="Tolerance", default=0.12, min=0.01, max=1, description="How far colors may differ"
    )

    @classmethod
    def description(
        cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        return ACTIONS[properties.action][1]

    def near(self, cloud: bpy.types.Object) -> float:
        """The reach; chosen for the scene where it is 0, and then shown."""
        self.reach = self.reach or neighbors.typical_reach(_points(cloud))
        return float(self.reach)

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_target(context)
        old = (
            marks.read(cloud, marks.SELECTED)
            if self.action in ("ALL", "NONE", "INVERT")
            else marks.selected(cloud)
        )
        count = marks.select(
            cloud, ACTIONS[self.action][2](self, cloud, old), "SET", locked=objects.locked(cloud)
        )
        self.report({"INFO"}, f"{count:,} splats are selected")
        return {"FINISHED"}


class SPLATSMITH_OT_hide_splats(OnSplats, bpy.types.Operator):
    """Hide splats in the viewport and in renders, or show all again"""

    bl_idname = "splatsmith.hide_splats"
    bl_label = "Hide Splats"

    what: bpy.props.EnumProperty(
        name="What",
        options={"SKIP_SAVE"},
        items=[
            ("SELECTED", "Selected", "Hide what is selected"),
            ("UNSELECTED", "Unselected", "Hide all else"),
            ("NONE", "None", "Show everything again"),
        ],
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_target(context)
        hidden = marks.read(cloud, marks.HIDDEN)
        if self.what == "NONE":
            for item in [i for i in cloud.splatsmith_objects if i.hide]:
                item.hide = False
            marks.hide(cloud, np.zeros_like(hidden))
            return {"FINISHED"}
        selected = marks.selected(cloud)
        splat_nodes.refresh(cloud)
        marks.hide(cloud, hidden | (selected if self.what == "SELECTED" else ~selected))
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_select_words,
    SPLATSMITH_OT_select_objects,
    SPLATSMITH_OT_selection,
    SPLATSMITH_OT_hide_splats,
)
