"""Panel 6: a moving object as one animated mesh, and the files that game engines read."""

import bpy

from ..scene.captures import verdict_light
from ..scene.meshes import mesh_frames, mesh_sequence, moving
from .job_strip import panel_width
from .panels import SidebarPanel, draw_auto, draw_estimate, draw_light


class SPLATSMITH_PT_animated_mesh(SidebarPanel, bpy.types.Panel):
    bl_label = "6  Animated Mesh"
    help_page = "6-animated-mesh"
    bl_order = 7
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        layout.prop(settings, "capture", text="")
        column = layout.column(align=True)
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(settings, "mesh_masks", text="Masks")
        column.prop(settings, "mesh_splats", text="or Splats", icon="OUTLINER_OB_POINTCLOUD")
        column.prop(settings, "mesh_outline", text="or Outlines")
        if settings.mesh_outline is not None:
            column.operator("splatsmith.mask_frame", icon="MOD_MASK")
        layout.row().prop(settings, "mesh_mode", expand=True)
        layout.row().prop(settings, "preset", expand=True)
        draw_estimate(layout, "mesh", settings.preset)
        row = layout.row()
        row.scale_y = 1.4
        row.operator("splatsmith.make_mesh", icon="OUTLINER_OB_MESH")
        animated = context.object
        if not mesh_sequence.is_animated_mesh(animated):
            return
        if not moving.moves(animated):
            box = layout.box()
            box.label(text=f"{animated.name} stands still", icon="MESH_DATA")
            box.operator("splatsmith.export_still", icon="EXPORT")
            return
        box = layout.box()
        box.label(
            text=f"{animated.name}: {len(animated.data.vertices):,} vertices", icon="MESH_DATA"
        )
        if verdict_light.LEVEL_KEY in animated:
            draw_light(box, animated, panel_width(context) - 20)
        if mesh_frames.FRAMES_KEY in animated:
            box.operator("splatsmith.one_mesh", icon="MOD_MESHDEFORM")
            box.operator("splatsmith.bake_mesh", text="Bake as USD", icon="EXPORT").kind = "USD"
            return
        box.prop(settings, "bake_kind", text="")
        if settings.bake_kind.startswith("SKIN") and mesh_sequence.SEQUENCE_KEY not in animated:
            box.operator("splatsmith.find_bones", icon="BONE_DATA")
            return
        box.operator("splatsmith.bake_mesh", icon="EXPORT").kind = settings.bake_kind


class SPLATSMITH_PT_animated_mesh_more(SidebarPanel, bpy.types.Panel):
    bl_label = "Advanced"
    bl_parent_id = "SPLATSMITH_PT_animated_mesh"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column()
        column.enabled = settings.mesh_mode == "tracked"
        draw_auto(column, settings, "mesh_faces")
        draw_auto(column, settings, "mesh_texture")
        draw_auto(layout, settings, "mesh_fps")
        layout.prop(settings, "seed")
        column = layout.column(align=True)
        column.operator("splatsmith.import_mesh", text="Import Result", icon="IMPORT")
        column.operator("splatsmith.import_mesh_files", text="Import Files", icon="FILE_FOLDER")
        column.operator("splatsmith.import_mesh_cache", text="Import Cache", icon="FILE_CACHE")


CLASSES = (SPLATSMITH_PT_animated_mesh, SPLATSMITH_PT_animated_mesh_more)
