"""Panel 5: a sound or a filmed face, what it moves, and how."""

from typing import Any

import bpy

from ..scene import results
from ..scene.faces import gaussian_head, head_nodes, timing_strips
from .job_strip import panel_width, wrap
from .panels import SidebarPanel

CONSENT = (
    "Whoever is filmed or heard must have agreed. Results are synthetic, and their files say so."
)


class SPLATSMITH_PT_talking(SidebarPanel, bpy.types.Panel):
    bl_label = "5  Talking Face"
    help_page = "5-talking-face"
    bl_order = 6
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        row = layout.row(align=True)
        row.prop(settings, "speech", text="")
        row.operator("splatsmith.sound_of_strip", text="", icon="SEQ_SEQUENCER")
        layout.row().prop(settings, "speech_channel", expand=True)
        layout.prop(settings, "speech_start")
        row = layout.row()
        row.template_list(
            "SPLATSMITH_UL_face_targets",
            "",
            settings,
            "face_targets",
            settings,
            "face_target",
            rows=2,
        )
        column = row.column(align=True)
        column.operator("splatsmith.add_face_targets", text="", icon="ADD")
        column.operator("splatsmith.remove_face_target", text="", icon="REMOVE")
        if not settings.face_targets:
            width = panel_width(context) - 20
            wrap(layout, "Select a mesh with shape keys, and press +", width, "INFO")
            row = layout.row(align=True)
            row.operator("splatsmith.add_head", icon="USER")
            row.prop(settings, "head_variety")
        row = layout.row()
        row.scale_y = 1.4
        row.operator("splatsmith.speak", icon="PLAY_SOUND")
        if timing_strips.any_laid(context.scene):
            row = layout.row()
            row.operator("splatsmith.bake_again", icon="NLA")


class SPLATSMITH_PT_talking_style(SidebarPanel, bpy.types.Panel):
    bl_label = "Style"
    bl_parent_id = "SPLATSMITH_PT_talking"

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column(align=True)
        for name in (
            "speech_intensity",
            "speech_jaw",
            "speech_closure",
            "speech_smoothing",
            "speech_lead",
        ):
            column.prop(settings, name)
        column = layout.column(align=True)
        column.prop(settings, "blinks")
        column.prop(settings, "sway")
        column.prop(settings, "speech_expression")
        column.prop(settings, "speech_gaze")
        layout.prop(settings, "speaker")
        layout.prop(settings, "transcript_text")
        if settings.transcript_text is None:
            layout.prop(settings, "transcript")
            if not settings.transcript:
                layout.prop(settings, "transcript_file")
        row = layout.row()
        told = settings.transcript_text or settings.transcript or settings.transcript_file
        row.active = bool(told)
        row.prop(settings, "language")
        if told:
            layout.prop(settings, "character")
            layout.prop(settings, "trust_transcript")
        layout.prop(settings, "sound_model")
        layout.prop(settings, "voice_model")
        layout.prop(settings, "audio2face")
        if settings.audio2face:
            column = layout.column(align=True)
            column.prop(settings, "emotion")
            row = column.row()
            row.active = settings.emotion != "neutral"
            row.prop(settings, "emotion_strength", slider=True)
        getting = layout.operator("splatsmith.get_model", text="Get a Voice Model", icon="IMPORT")
        getting.name = "wav2vec2-base-960h"
        layout.prop(settings, "assume_speech")


class SPLATSMITH_PT_talking_table(SidebarPanel, bpy.types.Panel):
    bl_label = "Shape Keys, Jaw, Head"
    bl_parent_id = "SPLATSMITH_PT_talking"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        if 0 <= settings.face_target < len(settings.face_targets):
            target = settings.face_targets[settings.face_target]
            if target.obj is not None and target.obj.type == "ARMATURE":
                layout.prop(target, "bones")
            row = layout.row()
            row.template_list("SPLATSMITH_UL_face_rows", "", target, "rows", target, "row", rows=6)
            column = row.column(align=True)
            column.operator("splatsmith.face_row", text="", icon="ADD").remove = False
            column.operator("splatsmith.face_row", text="", icon="REMOVE").remove = True
            column.separator()
            column.operator("splatsmith.match_face", text="", icon="FILE_REFRESH")
            _draw_key(layout, target)
        layout.use_property_split, layout.use_property_decorate = True, False
        layout.prop(settings, "bone_table")
        layout.prop(settings, "head_object")
        layout.prop(settings, "jaw_rig")
        if settings.jaw_rig is not None and settings.jaw_rig.pose is not None:
            layout.prop_search(settings, "jaw_bone", settings.jaw_rig.pose, "bones")
            layout.prop(settings, "jaw_axis", expand=True)
            layout.prop(settings, "jaw_degrees")
        layout.operator("splatsmith.import_motion", icon="IMPORT")


def _draw_key(layout: bpy.types.UILayout, target: Any) -> None:
    """Which shape key the active row's curve moves."""
    if target.obj is None or target.obj.type != "MESH":
        return
    keys = target.obj.data.shape_keys
    if keys and 0 <= target.row < len(target.rows):
        layout.prop_search(target.rows[target.row], "key", keys, "key_blocks", text="Moves")


class SPLATSMITH_PT_talking_face(SidebarPanel, bpy.types.Panel):
    bl_label = "Face Capture"
    bl_parent_id = "SPLATSMITH_PT_talking"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.splatsmith
        wrap(layout, CONSENT, panel_width(context) - 40)
        layout.prop(settings, "consent")
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(settings, "face_rig")
        column.prop(settings, "face_tracker")
        layout.prop(settings, "fetch_tracker")
        _more_videos(layout, settings)
        layout.prop(settings, "paint_head")
        layout.prop(settings, "assume_speech")
        layout.row().prop(settings, "preset", expand=True)
        layout.operator("splatsmith.read_face", icon="OUTLINER_OB_CAMERA")
        layout.operator("splatsmith.import_head", icon="IMPORT")
        layout.operator("splatsmith.talk_video", icon="RENDER_ANIMATION")
        _whole_head(layout, context)


def _more_videos(layout: bpy.types.UILayout, settings: Any) -> None:
    """What is learned from beside the video at the top."""
    layout.label(text="More Videos of This Person")
    row = layout.row()
    row.template_list(
        "SPLATSMITH_UL_face_videos",
        "",
        settings,
        "face_videos",
        settings,
        "face_video",
        rows=2,
    )
    column = row.column(align=True)
    column.operator("splatsmith.add_face_videos", text="", icon="ADD")
    column.operator("splatsmith.remove_face_video", text="", icon="REMOVE")
    if settings.face_videos:
        layout.prop(settings, "trust_videos")


def _whole_head(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What of the active person's head was filmed, and how much of the rest is shown."""
    mesh = results.person(context)
    if mesh is None:
        return
    if gaussian_head.FILMED in mesh:
        least, most = mesh[gaussian_head.FILMED]
        layout.label(text=f"Filmed from {least:.0f}° to {most:.0f}°", icon="INFO")
    fading = gaussian_head.slider(mesh)
    if fading is not None:
        layout.prop(*fading, text=head_nodes.INVENTED, slider=True)


class SPLATSMITH_PT_talking_export(SidebarPanel, bpy.types.Panel):
    bl_label = "Export"
    bl_parent_id = "SPLATSMITH_PT_talking"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, _context: bpy.types.Context) -> None:
        row = self.layout.row(align=True)
        for kind, text in (("GLTF", "glTF"), ("FBX", "FBX"), ("CSV", "Live Link")):
            row.operator("splatsmith.export_face", text=text).kind = kind


CLASSES = (
    SPLATSMITH_PT_talking,
    SPLATSMITH_PT_talking_style,
    SPLATSMITH_PT_talking_table,
    SPLATSMITH_PT_talking_face,
    SPLATSMITH_PT_talking_export,
)
