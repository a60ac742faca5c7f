"""What to do next on the way from footage to splats, said in the panel where it is done."""

from typing import Literal

import bpy

from .. import preferences
from ..compute import state
from ..jobs.manager import manager
from ..scene.splats import splats

Step = Literal["compute", "source", "cameras", "splats"]
FOOTAGE = {
    "VIDEO": "Choose a video",
    "PHOTOS": "Choose a folder of photos",
    "SOLVED": "Choose the solved folder",
}


def next_step(context: bpy.types.Context) -> tuple[Step, str] | None:
    """The first panel that needs action, and which; None while a job runs and once splats are
    there.
    """
    settings = context.scene.splatsmith
    if manager.busy:
        return None
    if not state.current().ready:
        return "compute", _set_up()
    if not settings.footage() and not settings.capture:
        return "source", FOOTAGE.get(settings.source, "Choose a clip")
    if not settings.capture:
        return "cameras", "Press Solve Cameras"
    if splats.chosen(context) is None:
        return "splats", "Press Train Splats"
    return None


def draw_next(layout: bpy.types.UILayout, context: bpy.types.Context, step: Step) -> None:
    """A line at the top of the panel whose turn it is."""
    now = next_step(context)
    if now is not None and now[0] == step:
        layout.label(text=now[1], icon="FORWARD")


def _set_up() -> str:
    """What is there to be checked, what was chosen and is gone, or nothing yet."""
    if state.current().python:
        return "Press Check Computing"
    return "Choose another Python" if preferences.get().python else "Press Set Up Computing"
