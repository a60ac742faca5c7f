"""Splats as Blender 5.3 and later draw them: point clouds of its own type, in Workbench, EEVEE and
Cycles.

One modifier (native_nodes.py) stands between the stored splats and what is drawn. Nothing that is
stored changes.
"""

from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from . import native_nodes, pointclouds
from .native_nodes import TINT
from .splat_nodes import MODIFIER as DISPLAY

TYPE = "GAUSSIAN_SPLAT"
MODIFIER = "Splats"
OLD_GROUP, OLD_LOOK = "Splatsmith Native Splats", "splat_look"  # of files from before the tint
ONLY_BEFORE = ("splat_color", "radius")  # attributes that the older display needs


def is_known() -> bool:
    """Whether this Blender draws splats by itself."""
    kind = bpy.types.PointCloud.bl_rna.properties.get("type")
    return kind is not None and TYPE in kind.enum_items


def is_native(cloud: bpy.types.Object) -> bool:
    """Whether Blender draws these."""
    return cloud.type == "POINTCLOUD" and getattr(cloud.data, "type", "") == TYPE


def is_older(cloud: bpy.types.Object) -> bool:
    """Whether these come from a file of a Blender that did not draw splats, and can be adopted."""
    editable = cloud.is_editable and cloud.data.is_editable
    return is_known() and cloud.type == "POINTCLOUD" and editable and not is_native(cloud)


def adopt(cloud: bpy.types.Object, base: NDArray[np.float32] | None = None) -> bool:
    """Hands the drawing of splats over to Blender, those of older files too; whether it could.
    Nothing changes for those that it draws already, and for those that are linked from other files.
    base (N, 4): the stored coefficients, where they have been read already.
    """
    if not is_known() or cloud.type != "POINTCLOUD":
        return False
    if not (cloud.is_editable and cloud.data.is_editable):
        return False
    data = cast(Any, cloud.data)
    if data.type != TYPE:
        data.type = TYPE
        _modernise(data, base)
        cloud.display_type = "TEXTURED"
    old = cloud.modifiers.get(DISPLAY)
    shown = old is None or old.show_render
    if old is not None:
        cloud.modifiers.remove(old)
    modifier = cloud.modifiers.get(MODIFIER)
    if modifier is None:
        modifier = cloud.modifiers.new(MODIFIER, "NODES")
        modifier.node_group = native_nodes.group()
        cloud.hide_render = cloud.hide_render or not shown
    elif modifier.node_group is not None and modifier.node_group.name == OLD_GROUP:
        modifier.node_group = native_nodes.group()
        if OLD_LOOK in data.attributes:
            data.attributes.remove(data.attributes[OLD_LOOK])
    return True


def _modernise(data: bpy.types.PointCloud, base: NDArray[np.float32] | None) -> None:
    """The attributes as Blender's own importer makes them."""
    base = pointclouds.read_attribute(data, "radiance:base", 4) if base is None else base
    if base is not None:
        pointclouds.write_attributes(data, {"radiance:base": ("FLOAT4", base)})
    for name in ONLY_BEFORE:
        if name in data.attributes:
            data.attributes.remove(data.attributes[name])


def set_tint(cloud: bpy.types.Object, tint: NDArray[np.float32] | None) -> None:
    """tint (N, 3): sRGB colours that the viewport lays over the splats' own; None: it shows these
    alone.
    """
    if tint is not None:
        adopt(cloud)
        pointclouds.write_attributes(cloud.data, {TINT: ("FLOAT_VECTOR", tint)})
    elif TINT in cloud.data.attributes:
        cloud.data.attributes.remove(cloud.data.attributes[TINT])
    else:
        return
    cloud.data.update_tag()
