"""Panel 0: can this machine compute, in one line; and what to press when it can't."""

import bpy

from .. import preferences
from ..compute import state
from ..compute.setup_box import draw_fields, draw_state
from .next_step import draw_next


class SPLATSMITH_PT_compute(bpy.types.Panel):
    bl_label = "0  Compute"
    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "Splatsmith"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 1

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        now = state.current()
        self.layout.label(text=now.line, icon="CHECKMARK" if now.ready else "ERROR")

    def draw(self, context: bpy.types.Context) -> None:
        draw_next(self.layout, context, "compute")
        draw_state(self.layout, preferences.get())
        if not state.current().ready:  # place for the panels below
            draw_fields(self.layout, preferences.get())
        self.layout.operator("splatsmith.help", text="Help", icon="QUESTION").page = "0-compute"


def open_where_needed() -> None:
    """Before the panel is registered: whoever can't compute yet finds it open the first time."""
    ready = state.current().ready
    SPLATSMITH_PT_compute.bl_options = {"DEFAULT_CLOSED"} if ready else set()


CLASSES = (SPLATSMITH_PT_compute,)
