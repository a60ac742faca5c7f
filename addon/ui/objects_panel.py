"""Panel 4: the objects of the splats."""

import bpy

from ..scene import objects


class SPLATSMITH_UL_objects(bpy.types.UIList):
    """Colour, name, size, and how sure."""

    def draw_item(self, _context, layout, _data, item, _icon, _active_data, _active_property, _index=0) -> None:  # type: ignore[no-untyped-def]
        row = layout.row(align=True)
        row.prop(item, "chosen", text="")
        swatch = row.row()
        swatch.scale_x = 0.35
        swatch.prop(item, "color", text="")
        row.prop(item, "name", text="", emboss=False)
        label = row.row()
        label.alignment = "RIGHT"
        label.label(text=f"{item.count:,}  {item.score:.0%}")


class SPLATSMITH_PT_objects(bpy.types.Panel):
    bl_label = "4  Objects"
    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "Splatsmith"
    bl_order = 5

    def draw(self, context: bpy.types.Context) -> None:
        layout, cloud = self.layout, objects.segmented(context)
        row = layout.row()
        row.scale_y = 1.4
        row.operator("splatsmith.segment", icon="OUTLINER_OB_GROUP_INSTANCE")
        if cloud is None:
            layout.label(text="By shape and colour; no model needed", icon="INFO")
            return
        layout.label(text=cloud.name, icon="POINTCLOUD_DATA")
        layout.template_list("SPLATSMITH_UL_objects", "", cloud, "splatsmith_objects", cloud, "splatsmith_object", rows=6)
        row = layout.row(align=True)
        row.operator("splatsmith.extract_objects", icon="DUPLICATE").rest = False
        row.operator("splatsmith.extract_objects", text="Extract the Rest").rest = True
        row = layout.row(align=True)
        row.operator("splatsmith.merge_objects", icon="AUTOMERGE_ON")
        row.operator("splatsmith.delete_objects", icon="TRASH")


class SPLATSMITH_PT_objects_more(bpy.types.Panel):
    bl_label = "Advanced"
    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "Splatsmith"
    bl_parent_id = "SPLATSMITH_PT_objects"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        layout.use_property_split = True
        layout.prop(settings, "regions")
        layout.prop(settings, "clip_model")


CLASSES = (SPLATSMITH_UL_objects, SPLATSMITH_PT_objects, SPLATSMITH_PT_objects_more)
