"""Under panel 3: a mesh of the splats."""

import bpy

from ..scene.splats import splats
from .panels import SidebarPanel, draw_estimate


class SPLATSMITH_PT_surface(SidebarPanel, bpy.types.Panel):
    bl_label = "Mesh"
    bl_parent_id = "SPLATSMITH_PT_splats"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return splats.chosen(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        layout.row().prop(settings, "preset", expand=True)
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(settings, "surface_closed")
        column.prop(settings, "surface_paint")
        draw_estimate(layout, "surface", settings.preset)
        make = layout.operator("splatsmith.splats_to_mesh", icon="OUTLINER_OB_MESH")
        make.closed, make.paint = settings.surface_closed, settings.surface_paint


CLASSES = (SPLATSMITH_PT_surface,)
