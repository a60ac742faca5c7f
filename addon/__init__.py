"""The Blender side of Splatsmith: the only code that imports bpy. It never computes; the backend
does, in its own process.
"""

import bpy

from . import preferences
from .compute import state
from .jobs import lifecycle
from .operators import CLASSES as OPERATOR_CLASSES, manual, menus
from .properties import filter_properties, scene_properties
from .scene import growing_splats
from .scene.splats import filtering, later
from .scene.viewport import native_looks, photo_wipe, splat_overlay
from .ui import CLASSES as UI_CLASSES, compute_panel, job_strip
from .words import asking, clicking

BEFORE_UI = (
    *preferences.CLASSES,
    *scene_properties.CLASSES,
    *filter_properties.CLASSES,
    *OPERATOR_CLASSES,
)
CLASSES = (*BEFORE_UI, *UI_CLASSES)


def register() -> None:
    """Undone in reverse by `unregister`; an error passes through, so that Blender shows it."""
    state.configure(
        state.Place(preferences.BASE, preferences.ROOT, lambda: preferences.get().python)
    )
    for cls in BEFORE_UI:
        bpy.utils.register_class(cls)
    compute_panel.open_where_needed()
    for shown in UI_CLASSES:
        bpy.utils.register_class(shown)
    scene_properties.attach()
    filter_properties.attach()
    menus.attach()
    manual.attach()
    lifecycle.start()
    lifecycle.show_previews(growing_splats.follow, growing_splats.remove)
    splat_overlay.start()
    photo_wipe.start()
    later.start()
    native_looks.start()
    filtering.start()
    asking.start()


def unregister() -> None:
    """Leaves no class, timer, handler or process behind."""
    clicking.stop()
    asking.stop()
    filtering.stop()
    native_looks.stop()
    later.stop()
    photo_wipe.stop()
    splat_overlay.stop()
    job_strip.unload()
    lifecycle.stop()
    manual.detach()
    menus.detach()
    filter_properties.detach()
    scene_properties.detach()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
