"""What is selected, and what the viewports look at, once something new is in the scene."""

import bpy


def select_alone(context: bpy.types.Context, chosen: bpy.types.Object) -> None:
    """Selected and active, and nothing else."""
    for other in context.selected_objects:
        other.select_set(False)
    chosen.select_set(True)
    context.view_layer.objects.active = chosen


def frame_selected(context: bpy.types.Context) -> None:
    """Every 3D viewport shows the selection whole, from where it looks."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type != "VIEW_3D":
                continue
            region = next(r for r in area.regions if r.type == "WINDOW")
            with context.temp_override(window=window, area=area, region=region):
                bpy.ops.view3d.view_selected()
