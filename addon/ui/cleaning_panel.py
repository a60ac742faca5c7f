"""Under panel 3: filters, crops and cleaning of the splats."""

import bpy

from ..scene.objects import objects
from ..scene.splats import filtering, splats
from .panels import SidebarPanel

LIMITS = ("opacity", "size", "elongation", "distance", "views")


class SPLATSMITH_PT_cleaning(SidebarPanel, bpy.types.Panel):
    bl_label = "Clean Up"
    bl_parent_id = "SPLATSMITH_PT_splats"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return splats.chosen(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout, cloud = self.layout, objects.target(context)
        if cloud is None:
            return
        row = layout.row(align=True)
        row.operator("splatsmith.clean_up", icon="BRUSH_DATA")
        row.operator("splatsmith.isolate_largest")
        column = layout.column(align=True)
        for name in LIMITS:
            _draw_limit(column, cloud.splatsmith_filters, name, "views" in cloud.data.attributes)
        row = layout.row(align=True)
        row.operator("splatsmith.add_crop", text="Crop Box", icon="CUBE").shape = "BOX"
        row.operator("splatsmith.add_crop", text="Crop Sphere", icon="SPHERE").shape = "SPHERE"
        for empty in filtering.crops_of(cloud):
            row = layout.row(align=True)
            row.prop(empty.splatsmith_crop, "use", text=empty.name)
            row.prop(empty.splatsmith_crop, "outside", text="", icon="MOD_BOOLEAN")
        row = layout.row(align=True)
        row.operator("splatsmith.clear_filters")
        row.operator("splatsmith.hide_splats", text="Show All").what = "NONE"
        layout.operator("splatsmith.delete_hidden", icon="TRASH")


def _draw_limit(
    column: bpy.types.UILayout, limits: bpy.types.PropertyGroup, name: str, has_views: bool
) -> None:
    """A number whose label says when it is off."""
    label = limits.bl_rna.properties[name].name
    row = column.row()
    row.enabled = name != "views" or has_views
    row.prop(limits, name, text=label if getattr(limits, name) else f"{label} (Off)")


CLASSES = (SPLATSMITH_PT_cleaning,)
