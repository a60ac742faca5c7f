"""The first numbered panels: source, cameras, splats."""

import bpy

from ...backend.protocol import Preset
from ...backend.verbs import VERBS
from ..blender_types import PanelMixin
from ..jobs import durations
from ..scene.captures import verdict, verdict_light
from ..scene.splats import native, pointclouds, splats
from .job_strip import format_seconds, panel_width, wrap
from .next_step import draw_next


class SidebarPanel(PanelMixin):
    """Where all our panels are: the Splatsmith tab of the 3D viewport's sidebar."""

    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "Splatsmith"
    help_page = ""  # of the manual

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        """A question mark that opens the manual's page, where the panel has one."""
        if self.help_page:
            help_button = self.layout.operator(
                "splatsmith.help", text="", icon="QUESTION", emboss=False
            )
            help_button.page = self.help_page


def draw_estimate(layout: bpy.types.UILayout, verb: str, preset: Preset) -> None:
    """How long it took here the last time, else takes on two cores; while a job runs its time left
    is shown.
    """
    known = durations.last(verb, preset)
    time = f"{format_seconds(known.seconds)} last time" if known else VERBS[verb].estimates[preset]
    layout.label(text=f"{time[0].upper()}{time[1:]}", icon="TIME")


def draw_auto(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, name: str) -> None:
    """A number that is chosen for the user where it is 0: its field says Auto then."""
    row = layout.split(factor=0.4)
    label = row.row()
    label.alignment = "RIGHT"
    label.label(text=settings.bl_rna.properties[name].name)
    row.use_property_split = False
    row.prop(settings, name, text="" if getattr(settings, name) else "Auto")


class SPLATSMITH_PT_source(SidebarPanel, bpy.types.Panel):
    bl_label = "1  Source"
    help_page = "1-source"
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        draw_next(layout, context, "source")
        layout.prop(settings, "source", text="")
        field = {"VIDEO": "video", "PHOTOS": "photos", "SOLVED": "solved"}.get(settings.source)
        if field:
            layout.prop(settings, field, text="")
        else:
            layout.template_ID(settings, "clip", open="clip.open")
        if settings.source == "BLENDER":
            camera = context.scene.camera
            layout.label(
                text=f"Camera: {camera.name}" if camera else "The scene has no camera",
                icon="CAMERA_DATA",
            )
        if not settings.footage():
            layout.operator("splatsmith.demo_clip", icon="SHADERFX")


class SPLATSMITH_PT_cameras(SidebarPanel, bpy.types.Panel):
    bl_label = "2  Cameras"
    help_page = "2-cameras"
    bl_order = 3

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        draw_next(layout, context, "cameras")
        layout.row().prop(settings, "preset", expand=True)
        draw_estimate(layout, "cameras", settings.preset)
        row = layout.row()
        row.scale_y = 1.4
        row.operator("splatsmith.solve_cameras", icon="OUTLINER_OB_CAMERA")
        root = verdict.find(context)
        if root is not None:
            _draw_verdict(layout.box(), root, context)


def _draw_verdict(
    box: bpy.types.UILayout, root: bpy.types.Object, context: bpy.types.Context
) -> None:
    """A traffic light, the reasons, and how well the current frame is known."""
    draw_light(box, root, panel_width(context) - 20)
    value = verdict.confidence_now(context, root)
    if value is not None:
        box.progress(
            factor=value, text=f"Frame {context.scene.frame_current}: confidence {value:.0%}"
        )


def draw_light(layout: bpy.types.UILayout, obj: bpy.types.Object, width: int) -> None:
    """What a job thought of its result, which became this object."""
    level = obj[verdict_light.LEVEL_KEY]
    layout.label(text=verdict_light.WORDS[level], icon=verdict_light.LIGHTS[level])
    for line in obj[verdict_light.REASONS_KEY].splitlines():
        wrap(layout, line, width)


class SPLATSMITH_PT_scene(SidebarPanel, bpy.types.Panel):
    bl_label = "Floor, Scale, Depth"
    bl_parent_id = "SPLATSMITH_PT_cameras"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        row = layout.row(align=True)
        row.operator("splatsmith.pick_floor", icon="GRID")
        row.operator("splatsmith.pick_length", icon="DRIVER_DISTANCE")
        layout.operator("splatsmith.depth_mesh", icon="MESH_GRID")
        layout.operator("splatsmith.tracks_clip", icon="TRACKING")
        layout.operator("splatsmith.export_capture", icon="EXPORT")


class SPLATSMITH_PT_cameras_more(SidebarPanel, bpy.types.Panel):
    bl_label = "Advanced"
    bl_parent_id = "SPLATSMITH_PT_cameras"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        layout.use_property_split, layout.use_property_decorate = True, False
        draw_auto(layout, settings, "frames")
        layout.prop(settings, "solver")
        draw_auto(layout, settings, "focal")
        row = layout.row()
        row.enabled = settings.focal > 0
        row.prop(settings, "lock_focal")
        layout.prop(settings, "masks")
        layout.prop(settings, "depth")
        layout.prop(settings, "depth_model")
        layout.prop(settings, "seed")
        layout.operator("splatsmith.import_capture", icon="IMPORT")


class SPLATSMITH_PT_splats(SidebarPanel, bpy.types.Panel):
    bl_label = "3  Splats"
    help_page = "3-splats"
    bl_order = 4

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        draw_next(layout, context, "splats")
        layout.prop(settings, "capture", text="")
        layout.prop(settings, "blend")
        draw_estimate(layout, "splats", settings.preset)
        row = layout.row()
        row.scale_y = 1.4
        row.operator("splatsmith.train_splats", icon="OUTLINER_OB_POINTCLOUD")
        cloud = splats.chosen(context)
        if cloud is None:
            return
        box = layout.box()
        box.label(
            text=f"{cloud.name}: {pointclouds.point_count(cloud.data):,} splats",
            icon="POINTCLOUD_DATA",
        )
        if not native.is_native(cloud):
            box.prop(settings, "show_overlay")
        modifier = cloud.modifiers.get("Splats in Renders")
        if modifier:
            box.prop(modifier, "show_render", text="Show in F12 Renders")
        camera = context.scene.camera
        if camera is not None and camera.type == "CAMERA" and camera.data.background_images:
            row = box.row(align=True)
            row.prop(settings, "photo", slider=True)
            row.prop(settings, "compare", text="")
        if any(o.splatsmith_objects for o in context.scene.objects):
            row = box.row(align=True)
            row.prop(settings, "render_look", text="")
            row.prop(settings, "render_labels", toggle=True)
        row = box.row(align=True)
        row.operator(
            "splatsmith.render_splats", text="Render", icon="RENDER_STILL"
        ).animation = False
        row.operator(
            "splatsmith.render_splats", text="Animation", icon="RENDER_ANIMATION"
        ).animation = True
        row = box.row(align=True)
        row.operator("splatsmith.turntable", icon="CON_ROTLIKE")
        row.operator("splatsmith.fly_through", icon="CURVE_PATH")


class SPLATSMITH_PT_splats_more(SidebarPanel, bpy.types.Panel):
    bl_label = "Advanced"
    bl_parent_id = "SPLATSMITH_PT_splats"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        layout.use_property_split, layout.use_property_decorate = True, False
        for name in ("steps", "max_splats"):
            draw_auto(layout, settings, name)
        for name in ("refine_cameras", "exposure", "beyond", "seed"):
            layout.prop(settings, name)
        row = layout.row(align=True)
        row.operator("splatsmith.import_splats", text="Import", icon="IMPORT")
        row.operator("splatsmith.export_splats", text="Export", icon="EXPORT")


CLASSES = (
    SPLATSMITH_PT_source,
    SPLATSMITH_PT_cameras,
    SPLATSMITH_PT_scene,
    SPLATSMITH_PT_cameras_more,
    SPLATSMITH_PT_splats,
    SPLATSMITH_PT_splats_more,
)
