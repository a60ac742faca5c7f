"""Where a finished picture is seen: in an Image Editor that is free for it, else as F12 is."""

from collections.abc import Iterable
from typing import Any

import bpy


def show(context: bpy.types.Context, image: bpy.types.Image) -> bool:
    """Whether the picture is seen now: never without a window, nor where the preferences say
    *Keep User Interface*.
    """
    windows = context.window_manager.windows
    if bpy.app.background or not windows:
        return False
    spaces = free_spaces(windows, image)
    if not spaces:
        with context.temp_override(window=context.window or windows[0]):
            bpy.ops.render.view_show("INVOKE_DEFAULT")
        spaces = free_spaces(windows, image)
    for space in spaces:
        space.image = image
    return bool(spaces)


def free_spaces(windows: Iterable[bpy.types.Window], image: bpy.types.Image) -> list[Any]:
    """Image Editors that show this picture already, a render, or nothing: what else an artist
    looks at is left alone.
    """
    spaces: list[Any] = [
        area.spaces.active
        for window in windows
        for area in window.screen.areas
        if area.type == "IMAGE_EDITOR"
    ]
    return [space for space in spaces if not space.use_image_pin and _is_free(space.image, image)]


def _is_free(shown: bpy.types.Image | None, image: bpy.types.Image) -> bool:
    return shown is None or shown == image or shown.type == "RENDER_RESULT"
