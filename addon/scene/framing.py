"""What is selected, where it stands and what the viewports look at, once something new is in the
scene.
"""

from typing import Any

import bpy

CORNERS = {(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)}  # of the default cube
CLEAR = 1.5  # metres before the middle of the default cube


def select_alone(context: bpy.types.Context, chosen: bpy.types.Object) -> None:
    """Selected and active, and nothing else."""
    for other in context.selected_objects:
        other.select_set(False)
    chosen.select_set(True)
    context.view_layer.objects.active = chosen


def frame_selected(context: bpy.types.Context, keep_camera: bool = False) -> None:
    """Every 3D viewport shows the selection whole, from where it looks.

    A viewport whose view is locked to its camera is left as it is, for the camera would be moved;
    with `keep_camera` every one that looks through a camera.
    """
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type != "VIEW_3D" or _is_kept(area.spaces.active, keep_camera):
                continue
            region = next(r for r in area.regions if r.type == "WINDOW")
            with context.temp_override(window=window, area=area, region=region):
                bpy.ops.view3d.view_selected()


def look_through_camera(context: bpy.types.Context) -> None:
    """Through the footage's camera a result is recognised at once; from outside it is a cloud."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.spaces.active.region_3d.view_perspective = "CAMERA"


def _is_kept(space: Any, keep_camera: bool) -> bool:
    through_camera = space.region_3d.view_perspective == "CAMERA"
    return through_camera and (keep_camera or space.lock_camera)


def place_clear(scene: bpy.types.Scene, placed: bpy.types.Object) -> str:
    """Moves what would be hidden inside Blender's untouched default cube before it; a line about
    that, empty where there is no such cube.
    """
    cube = next((other for other in scene.objects if is_default_cube(other)), None)
    if cube is None:
        return ""
    placed.location.y -= CLEAR
    return f"in front of {cube.name}, which would hide it"


def hide_default_cube(scene: bpy.types.Scene) -> str:
    """Blender's untouched default cube stands in the middle of what a camera was walked around: it
    is hidden, not deleted; a line about that, empty where there is no such cube.
    """
    cube = next((other for other in scene.objects if is_default_cube(other)), None)
    if cube is None:
        return ""
    cube.hide_set(True)
    cube.hide_render = True
    return f"{cube.name}, which would stand in the picture, is hidden"


def is_default_cube(thing: bpy.types.Object) -> bool:
    """Two metres wide around the origin, as a new file has it, and seen."""
    if thing.type != "MESH" or len(thing.data.vertices) != len(CORNERS) or not thing.visible_get():
        return False
    corners = (thing.matrix_world @ vertex.co for vertex in thing.data.vertices)
    return {tuple(round(value, 4) for value in corner) for corner in corners} == CORNERS
