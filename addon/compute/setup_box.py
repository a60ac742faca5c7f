"""Whether this machine can compute, and what to press when it can't: drawn in the panel and in the
preferences alike.
"""

from typing import Protocol

import bpy

from . import state


class Settings(Protocol):
    """What of the preferences is drawn here."""

    python: str
    wheels: str


def draw_state(layout: bpy.types.UILayout, preferences: Settings) -> None:
    """The state and the buttons; in the panel and in the preferences alike."""
    now = state.current()
    row = layout.row()
    row.label(text=f"Compute: {now.line}", icon="CHECKMARK" if now.ready else "ERROR")
    column = layout.column(align=True)
    if not now.ready:
        if not preferences.python:
            column.operator("splatsmith.compute_setup", icon="IMPORT")
        if preferences.python or state.environment_python().exists():
            column.operator("splatsmith.compute_check", icon="FILE_REFRESH")
        if not preferences.wheels and not bpy.app.online_access and not preferences.python:
            column.label(text="Blender is offline", icon="INTERNET_OFFLINE")
    if not preferences.python and state.environment().exists():
        layout.operator("splatsmith.compute_remove", icon="TRASH")


def draw_fields(layout: bpy.types.UILayout, preferences: Settings) -> None:
    """Where another Python or the packages are; what is ready needs neither."""
    fields = layout.column(align=True)
    fields.label(text="Python Interpreter (Optional)")
    fields.prop(preferences, "python", text="")
    if not preferences.python:
        fields.label(text="Wheels Folder (Optional)")
        fields.prop(preferences, "wheels", text="")
