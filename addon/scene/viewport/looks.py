"""Which colours the panel wants to be seen of some splats."""

import bpy
import numpy as np

from ..objects import objects
from ..objects.object_item import group_of
from ..splats import marks
from .splat_colors import Look, to_srgb

NO_OBJECT = (0.2, 0.2, 0.2)  # sRGB of splats that are of no object
Style = tuple[str, tuple[tuple[float, ...], ...]]  # the panel's view, and the objects' colours


def style_of(cloud: bpy.types.Object) -> Style:
    """What the colours in the viewport depend on besides the splats."""
    view = bpy.context.scene.splatsmith.splat_view if cloud.splatsmith_objects else "OWN"
    colors = tuple(object_colors(cloud).values()) if view == "OBJECTS" else ()
    return view, colors


def object_colors(cloud: bpy.types.Object) -> dict[int, tuple[float, ...]]:
    """sRGB by the objects' numbers: that of the object that their group is called after."""
    colors = {item.number: to_srgb(tuple(item.color)) for item in cloud.splatsmith_objects}
    return {
        item.number: colors.get(group_of(item), colors[item.number])
        for item in cloud.splatsmith_objects
    }


def look_of(cloud: bpy.types.Object, view: str) -> Look:
    """What lies over the splats' own colors in the panel's view of them."""
    by_object = None
    if view == "OBJECTS" and objects.LABEL in cloud.data.attributes:
        by_object = objects.of_each(cloud, object_colors(cloud), NO_OBJECT, np.float32, 3)
    fit = marks.fit(cloud) if view == "FIT" else None
    hidden = marks.stored(cloud, marks.HIDDEN) | marks.stored(cloud, marks.FILTERED)
    return Look(marks.read(cloud, marks.SELECTED), hidden, by_object, fit)
