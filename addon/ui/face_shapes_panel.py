"""Panel 5's part for characters without shape keys: landmarks, and Add ARKit Shapes."""

import bpy

from ...backend.formats.character_file import LANDMARKS
from ..blender_types import Icon
from ..scene.faces import landmarks
from .job_strip import panel_width, wrap
from .panels import SidebarPanel

NAMES = {  # as they fit two to a line
    "eyeOuterLeft": "Eye Outer", "eyeInnerLeft": "Eye Inner",
    "mouthLeft": "Mouth", "browLeft": "Brow",
}  # fmt: skip


class SPLATSMITH_PT_face_shapes(SidebarPanel, bpy.types.Panel):
    bl_label = "Characters without Shape Keys"
    bl_parent_id = "SPLATSMITH_PT_talking"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, obj = self.layout, context.object
        head = obj.parent if obj is not None and landmarks.KEY in obj else obj
        if head is None or head.type != "MESH":
            wrap(layout, "Make the mesh of a character's head active", panel_width(context), "INFO")
            return
        marked = landmarks.marked(head)
        row = layout.row(align=True)
        row.operator("splatsmith.place_landmarks", icon="EMPTY_AXIS")
        row.operator("splatsmith.clear_landmarks", text="", icon="X")
        column = layout.column(align=True)
        for name, text in NAMES.items():
            row = column.row(align=True)
            for side in ("Right", "Left"):  # as one looks at the face
                full = name.replace("Left", side)
                _button(row, full, f"{text} {side[0]}", full in marked)
        row = column.row(align=True)
        for name, text in (("noseTip", "Nose Tip"), ("chin", "Chin")):
            _button(row, name, text, name in marked)
        layout.label(text=f"{len(marked)} of {len(LANDMARKS)} landmarks placed")
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(context.scene.splatsmith, "face_rig")
        layout.operator("splatsmith.add_arkit_shapes", icon="SHAPEKEY_DATA")


def _button(row: bpy.types.UILayout, name: str, text: str, placed: bool) -> None:
    icon: Icon = "CHECKMARK" if placed else "ADD"
    row.operator("splatsmith.mark_landmark", text=text, icon=icon).landmark = name


CLASSES = (SPLATSMITH_PT_face_shapes,)
