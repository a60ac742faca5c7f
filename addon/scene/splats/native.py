"""Splats as Blender 5.3 and later draw them: point clouds of its own type, in Workbench, EEVEE and
Cycles.

One modifier stands between the stored splats and what is drawn: it takes hidden splats out, lays
the look that the panel chose over their colours in the viewport, gives splats that ride on a head
the colours of its pose, and makes none too flat for Cycles. Nothing that is stored changes.
"""

from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from . import pointclouds
from .radiance import SH_C0
from .splat_nodes import MODIFIER as DISPLAY, Graph, named_attribute, new_group, shown_points

TYPE = "GAUSSIAN_SPLAT"
GROUP, MODIFIER = "Splatsmith Native Splats", "Splats"
LOOK = "splat_look"  # sRGB by point, and 1 where it counts: what the viewport shows instead
FLATTEST = 0.01  # shortest axis over longest: Cycles of 5.3 does not see what is a tenth of that
ONLY_BEFORE = ("splat_color", "radius")  # attributes that the older display needs


def is_known() -> bool:
    """Whether this Blender draws splats by itself."""
    kind = bpy.types.PointCloud.bl_rna.properties.get("type")
    return kind is not None and TYPE in kind.enum_items


def is_native(cloud: bpy.types.Object) -> bool:
    """Whether Blender draws these."""
    return cloud.type == "POINTCLOUD" and getattr(cloud.data, "type", "") == TYPE


def adopt(cloud: bpy.types.Object) -> bool:
    """Hands the drawing of splats over to Blender, those of older files too; whether it could.
    Nothing changes for those that it draws already, and for those that are linked from other files.
    """
    if not is_known() or cloud.type != "POINTCLOUD":
        return False
    if not (cloud.is_editable and cloud.data.is_editable):
        return False
    data = cast(Any, cloud.data)
    if data.type != TYPE:
        data.type = TYPE
        _modernise(data)
        cloud.display_type = "TEXTURED"
    old = cloud.modifiers.get(DISPLAY)
    shown = old is None or old.show_render
    if old is not None:
        cloud.modifiers.remove(old)
    if cloud.modifiers.get(MODIFIER) is None:
        modifier = cloud.modifiers.new(MODIFIER, "NODES")
        modifier.node_group = _group()
        cloud.hide_render = cloud.hide_render or not shown
    return True


def _modernise(data: bpy.types.PointCloud) -> None:
    """The attributes as Blender's own importer makes them."""
    base = pointclouds.read_attribute(data, "radiance:base", 4)
    if base is not None:
        pointclouds.write_attributes(data, {"radiance:base": ("FLOAT4", base)})
    for name in ONLY_BEFORE:
        if name in data.attributes:
            data.attributes.remove(data.attributes[name])


def set_look(cloud: bpy.types.Object, look: NDArray[np.float32] | None) -> None:
    """look (N, 4): sRGB colours that the viewport shows, and whether they count; None: the splats'
    own.
    """
    if look is not None:
        adopt(cloud)
        pointclouds.write_attributes(cloud.data, {LOOK: ("FLOAT_COLOR", look)})
    elif LOOK in cloud.data.attributes:
        cloud.data.attributes.remove(cloud.data.attributes[LOOK])
    cloud.data.update_tag()


def _group() -> bpy.types.NodeTree:
    """The shared node group: splats in, splats as they are shown out."""
    existing = bpy.data.node_groups.get(GROUP)
    if existing is not None:
        return existing
    tree = new_group(GROUP)
    graph = Graph(tree)
    start, end = graph.add("NodeGroupInput"), graph.add("NodeGroupOutput")
    base = graph.add("FunctionNodeSeparateColor")
    graph.link(named_attribute(graph, "radiance:base", "FLOAT_COLOR"), base.inputs[0])
    own = graph.add("ShaderNodeCombineXYZ")
    for channel in range(3):
        graph.link(base.outputs[channel], own.inputs[channel])
    rides = _exists(graph, "head_color", "FLOAT_VECTOR")
    color = _looked(graph, _where(graph, rides, own.outputs[0], "head_color"))
    parts, joined = graph.add("ShaderNodeSeparateXYZ"), graph.add("FunctionNodeCombineColor")
    graph.link(color, parts.inputs[0])
    for channel in range(3):
        graph.link(parts.outputs[channel], joined.inputs[channel])
    seen = graph.math("MULTIPLY", base.outputs["Alpha"], shown_points(graph))
    graph.link(seen, joined.inputs["Alpha"])
    store = graph.add("GeometryNodeStoreNamedAttribute", data_type="FLOAT_COLOR", domain="POINT")
    store.inputs["Name"].default_value = "radiance:base"
    graph.link(_thickened(graph, start.outputs[0]), store.inputs["Geometry"])
    graph.link(joined.outputs[0], next(s for s in store.inputs if s.enabled and s.name == "Value"))
    graph.link(store.outputs[0], end.inputs[0])
    return tree


def _thickened(graph: Graph, geometry: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """No splat flatter than a hundredth: of walls that training made of discs a billionth as thick
    as wide, rays meet half at most.
    """
    scale = named_attribute(graph, "scale", "FLOAT_VECTOR")
    parts = graph.add("ShaderNodeSeparateXYZ")
    graph.link(scale, parts.inputs[0])
    x, y, z = parts.outputs
    longest = graph.math("MAXIMUM", graph.math("MAXIMUM", x, y), z)
    least = graph.add("ShaderNodeCombineXYZ")
    for socket in least.inputs:
        graph.link(graph.math("MULTIPLY", longest, FLATTEST), socket)
    thick = graph.add("ShaderNodeVectorMath", operation="MAXIMUM")
    graph.link(scale, thick.inputs[0])
    graph.link(least.outputs[0], thick.inputs[1])
    store = graph.add("GeometryNodeStoreNamedAttribute", data_type="FLOAT_VECTOR", domain="POINT")
    store.inputs["Name"].default_value = "scale"
    graph.link(geometry, store.inputs["Geometry"])
    graph.link(thick.outputs[0], next(s for s in store.inputs if s.enabled and s.name == "Value"))
    return store.outputs[0]


def _exists(graph: Graph, name: str, kind: str) -> bpy.types.NodeSocket:
    node = graph.add("GeometryNodeInputNamedAttribute", data_type=kind)
    node.inputs["Name"].default_value = name
    return node.outputs["Exists"]


def _where(
    graph: Graph, condition: bpy.types.NodeSocket, otherwise: bpy.types.NodeSocket, name: str
) -> bpy.types.NodeSocket:
    """The coefficients of an sRGB attribute where the condition holds."""
    away = graph.add("ShaderNodeVectorMath", operation="SUBTRACT")
    graph.link(named_attribute(graph, name, "FLOAT_VECTOR"), away.inputs[0])
    away.inputs[1].default_value = (0.5, 0.5, 0.5)
    scaled = graph.add("ShaderNodeVectorMath", operation="SCALE")
    graph.link(away.outputs[0], scaled.inputs[0])
    scaled.inputs["Scale"].default_value = 1 / SH_C0
    switch = graph.add("GeometryNodeSwitch", input_type="VECTOR")
    graph.link(condition, switch.inputs["Switch"])
    graph.link(otherwise, next(s for s in switch.inputs if s.enabled and s.name == "False"))
    graph.link(scaled.outputs[0], next(s for s in switch.inputs if s.enabled and s.name == "True"))
    return next(s for s in switch.outputs if s.enabled)


def _looked(graph: Graph, color: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """The look instead, in the viewport, where there is one."""
    look = graph.add("FunctionNodeSeparateColor")
    graph.link(named_attribute(graph, LOOK, "FLOAT_COLOR"), look.inputs[0])
    counts = graph.add("FunctionNodeBooleanMath", operation="AND")
    graph.link(graph.add("GeometryNodeIsViewport").outputs[0], counts.inputs[0])
    graph.link(look.outputs["Alpha"], counts.inputs[1])
    return _where(graph, counts.outputs[0], color, LOOK)
