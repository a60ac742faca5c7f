"""Panel 4: the objects of the splats, and what is selected of them."""

from typing import Any

import bpy

from ..scene.objects import objects
from ..scene.objects.object_item import group_of
from ..scene.splats import splats
from ..words.asking import asking
from ..words.clicking import clicking
from .job_strip import panel_width, wrap
from .panels import SidebarPanel


class SPLATSMITH_UL_objects(bpy.types.UIList):
    """Colour, name, how well the last words fit it or, before any, its size; eye and lock."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        row = layout.row(align=True)
        row.prop(item, "chosen", text="")
        swatch = row.row()
        swatch.scale_x = 0.35
        swatch.prop(item, "color", text="")
        row.prop(item, "name", text="", emboss=False)
        shown = objects.groups_of(data, [item])[0] if item.group >= 0 else [item]
        fit = max(i.fit for i in shown)
        label = row.row()
        label.alignment = "RIGHT"
        label.ui_units_x = 2.0 if fit else 1.6  # the name needs the rest at 300 pixels
        if fit:
            label.progress(factor=fit, text=f"{fit:.2f}")
        else:
            label.label(text=short(sum(i.count for i in shown)))
        row.prop(item, "hide", text="", emboss=False, icon="HIDE_ON" if item.hide else "HIDE_OFF")
        row.prop(item, "lock", text="", emboss=False, icon="LOCKED" if item.lock else "UNLOCKED")

    def filter_items(self, _context: bpy.types.Context, data: Any, property: str | None) -> Any:
        """Of a group, the object that it is called after."""
        items = getattr(data, property or "")
        shown = self.bitflag_filter_item
        flags: list[int] = [shown] * len(items)
        if self.filter_name:
            named: Any = bpy.types.UI_UL_list
            flags = named.filter_items_by_name(self.filter_name, shown, items)
        return [
            flag if group_of(item) == item.number else flag & ~shown
            for flag, item in zip(flags, items, strict=True)
        ], []


def short(count: int) -> str:
    """850, 13k, 1.2M."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1_000_000:.1f}M"


class SPLATSMITH_PT_objects(SidebarPanel, bpy.types.Panel):
    bl_label = "4  Objects"
    help_page = "4-objects"
    bl_order = 5
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, cloud = self.layout, objects.segmented(context)
        row = layout.row()
        row.scale_y = 1.4
        row.operator("splatsmith.segment", icon="OUTLINER_OB_GROUP_INSTANCE")
        if cloud is None:
            layout.label(text="By shape and color; no model needed", icon="INFO")
            return
        layout.row().prop(context.scene.splatsmith, "splat_view", expand=True)
        layout.template_list(
            "SPLATSMITH_UL_objects",
            "",
            cloud,
            "splatsmith_objects",
            cloud,
            "splatsmith_object",
            rows=6,
        )
        layout.prop(cloud, "splatsmith_granularity", slider=True)
        row = layout.row(align=True)
        row.operator("splatsmith.merge_objects", text="Merge")
        row.operator("splatsmith.split_object", text="Split")
        row.operator("splatsmith.recolor_objects", text="Recolor")
        _draw_outputs(layout, "OBJECTS")


def _draw_outputs(layout: bpy.types.UILayout, what: str) -> None:
    row = layout.row(align=True)
    row.operator("splatsmith.extract_objects", text="Extract").what = what
    others = row.operator("splatsmith.extract_objects", text="Extract Others")
    others.what, others.rest = what, True
    row = layout.row(align=True)
    row.operator("splatsmith.export_objects", text="Export").what = what
    row.operator("splatsmith.delete_objects", text="Delete").what = what
    if what == "OBJECTS":
        row = layout.row(align=True)
        row.operator("splatsmith.fill_behind").what = what
        row.operator("splatsmith.export_each_object", text="Export Each")


def _draw_words(
    layout: bpy.types.UILayout, context: bpy.types.Context, cloud: bpy.types.Object
) -> None:
    settings, width = context.scene.splatsmith, panel_width(context) - 20
    if cloud.get(objects.MODEL, ""):
        layout.prop(settings, "prompt", text="", icon="VIEWZOOM", placeholder="chair, stool; lamp")
        layout.prop(settings, "threshold", slider=True)
        if asking.line:
            wrap(layout, asking.line, width, "ERROR" if asking.wrong else "NONE")
    elif settings.clip_model:
        wrap(layout, "Press Find Objects again to select by words.", width, "INFO")
    else:
        wrap(
            layout,
            "Words need a CLIP model: download one, or choose its folder under Advanced. All else "
            "works without.",
            width,
            "INFO",
        )
        layout.operator("splatsmith.get_model", icon="IMPORT")


class SPLATSMITH_PT_selection(SidebarPanel, bpy.types.Panel):
    bl_label = "Select"
    bl_parent_id = "SPLATSMITH_PT_objects"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return splats.chosen(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout, cloud = self.layout, objects.segmented(context)
        if cloud is not None:
            _draw_words(layout, context, cloud)
        row = layout.row(align=True)
        if cloud is not None:
            row.prop(context.scene.splatsmith, "select_mode", text="", expand=True)
            row.operator("splatsmith.select_objects", text="Objects")
        row = layout.row(align=True)
        row.operator("splatsmith.brush", icon="BRUSH_DATA").whole = False
        if cloud is not None:
            row.operator("splatsmith.brush", text="Pick Objects", icon="EYEDROPPER").whole = True
        if cloud is not None or context.scene.splatsmith.sam:
            layout.operator("splatsmith.click_select", icon="RESTRICT_SELECT_OFF")
            if clicking.line:
                wrap(
                    layout,
                    clicking.line,
                    panel_width(context) - 20,
                    "ERROR" if clicking.wrong else "NONE",
                )
        row = layout.row(align=True)
        for shape in ("BOX", "LASSO", "CIRCLE"):
            row.operator("splatsmith.select_area", text=shape.title()).shape = shape
        for actions in (("ALL", "NONE", "INVERT"), ("GROW", "SHRINK", "SIMILAR", "FLOOD")):
            row = layout.row(align=True)
            for action in actions:
                row.operator("splatsmith.selection", text=action.title()).action = action
        row = layout.row(align=True)
        for what, text in (("SELECTED", "Hide"), ("UNSELECTED", "Isolate"), ("NONE", "Show All")):
            row.operator("splatsmith.hide_splats", text=text).what = what
        if cloud is not None:
            row = layout.row(align=True)
            row.operator("splatsmith.label_selection", text="New Object").to = "NEW"
            row.operator("splatsmith.label_selection", text="Add to Active").to = "ACTIVE"
        _draw_outputs(layout, "SELECTION")


class SPLATSMITH_PT_objects_more(SidebarPanel, bpy.types.Panel):
    bl_label = "Advanced"
    bl_parent_id = "SPLATSMITH_PT_objects"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        for name in ("segmenter", "sam", "clip_model", "regions"):
            column.prop(settings, name)
        column.operator("splatsmith.get_model", icon="IMPORT")
        row = layout.row(align=True)
        row.operator("splatsmith.mask_nodes", icon="GEOMETRY_NODES").selection = False
        row.operator("splatsmith.mask_nodes", text="Of Selection").selection = True


CLASSES = (
    SPLATSMITH_UL_objects,
    SPLATSMITH_PT_objects,
    SPLATSMITH_PT_selection,
    SPLATSMITH_PT_objects_more,
)
