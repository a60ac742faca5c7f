"""Cleaning splats up: crops, floaters, and taking away at last what was hidden."""

import bpy
import numpy as np

from ...backend.protocol import InputError
from ..blender_types import OperatorResult
from ..scene import framing
from ..scene.captures import camera_places
from ..scene.objects import clean, object_edits, objects
from ..scene.splats import filtering, marks
from .common import guarded
from .objects import OnSplats


class SPLATSMITH_OT_add_crop(OnSplats, bpy.types.Operator):
    """Add a cube or a sphere that crops the splats: move, turn and scale it like any object"""

    bl_idname = "splatsmith.add_crop"
    bl_label = "Add Crop"

    shape: bpy.props.EnumProperty(
        name="Shape",
        items=[("BOX", "Box", "Crop by a box"), ("SPHERE", "Sphere", "Crop by a sphere")],
        options={"SKIP_SAVE"},
    )

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_target(context)
        home = cloud.users_collection[0] if cloud.users_collection else context.collection
        empty = filtering.add_crop(cloud, self.shape == "SPHERE", home)
        framing.select_alone(context, empty)
        filtering.refresh(cloud)
        if context.area is not None and context.area.type == "VIEW_3D":
            bpy.ops.wm.tool_set_by_id(name="builtin.transform")
        return {"FINISHED"}


class SPLATSMITH_OT_clean_up(OnSplats, bpy.types.Operator):
    """Hide what does not belong to the scene: loose small parts, splats that hardly any picture
    sees, giants, and what stands right before the cameras. Delete Hidden takes it away"""

    bl_idname = "splatsmith.clean_up"
    bl_label = "Clean Up"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_target(context)
        shapes = filtering.shapes_of(cloud)
        kinds = {
            "floaters": clean.floaters(shapes),
            "giants": clean.giants(shapes),
            "before the cameras": clean.before_lenses(shapes, camera_places.of(cloud)),
        }
        shown = ~marks.away(cloud)
        locked = objects.locked(cloud)
        free = shown if locked is None else shown & ~locked
        strays = np.logical_or.reduce(list(kinds.values())) & free
        if strays.sum() == free.sum():
            raise InputError(
                "Clean Up would hide all splats that are shown.",
                "Use the filters instead.",
            )
        marks.hide(cloud, marks.read(cloud, marks.HIDDEN) | strays)
        parts = ", ".join(f"{int((m & free).sum()):,} {name}" for name, m in kinds.items())
        self.report({"INFO"}, f"{int(strays.sum()):,} splats hidden: {parts}")
        return {"FINISHED"}


class SPLATSMITH_OT_isolate_largest(OnSplats, bpy.types.Operator):
    """Hide all splats but the largest part that hangs together"""

    bl_idname = "splatsmith.isolate_largest"
    bl_label = "Isolate Largest"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_target(context)
        shown = ~marks.away(cloud)
        if not shown.any():
            raise InputError("All splats are hidden.", "Show some again.")
        shapes = filtering.shapes_of(cloud)
        kept = np.zeros(len(shown), bool)
        kept[shown] = clean.largest(clean.of_some(shapes, shown))
        marks.hide(cloud, marks.read(cloud, marks.HIDDEN) | (shown & ~kept))
        self.report(
            {"INFO"}, f"{int(kept.sum()):,} splats are left, {int((shown & ~kept).sum()):,} hidden"
        )
        return {"FINISHED"}


class SPLATSMITH_OT_clear_filters(OnSplats, bpy.types.Operator):
    """Switch all filters of the splats off and remove their crops"""

    bl_idname = "splatsmith.clear_filters"
    bl_label = "Clear Filters"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_target(context)
        filtering.clear(cloud)
        framing.select_alone(context, cloud)
        return {"FINISHED"}


class SPLATSMITH_OT_delete_hidden(OnSplats, bpy.types.Operator):
    """Take away what is hidden or filtered out, and the crops with it"""

    bl_idname = "splatsmith.delete_hidden"
    bl_label = "Delete Hidden"

    @guarded
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        cloud = objects.demand_target(context)
        away = marks.away(cloud)
        if not away.any():
            raise InputError("No splats are hidden.", "Hide or filter some first.")
        away = objects.unlocked(cloud, away)
        if away.all():
            raise InputError("That would leave no splats.", "Show some again first.")
        object_edits.keep(cloud, ~away)
        object_edits.drop_empty(cloud)
        filtering.clear(cloud)
        framing.select_alone(context, cloud)
        self.report({"INFO"}, f"{int(away.sum()):,} splats were taken away")
        return {"FINISHED"}


CLASSES = (
    SPLATSMITH_OT_add_crop,
    SPLATSMITH_OT_clean_up,
    SPLATSMITH_OT_isolate_largest,
    SPLATSMITH_OT_clear_filters,
    SPLATSMITH_OT_delete_hidden,
)
