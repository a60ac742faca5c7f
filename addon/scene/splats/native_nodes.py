"""The nodes between stored splats and what Blender 5.3 draws: they take hidden splats out, give
splats that ride on a head the colours of its pose, make none too flat for Cycles, and lay the tint
that the panel chose, and the selection, over the colours in the viewport.
"""

import bpy

from .radiance import SELECTED, SELECTION, SH_C0, TINTED, Over
from .splat_nodes import Graph, Operand, named_attribute, new_group, shown_points

Socket = bpy.types.NodeSocket
BASE = "radiance:base"
GROUP = "Splatsmith Native Splats 2"
TINT = "splat_tint"  # sRGB by point, of objects or of how well words fit; absent: none
FLATTEST = 0.01  # shortest axis over longest: Cycles of 5.3 does not see what is a tenth of that


def group() -> bpy.types.NodeTree:
    """The shared node group: splats in, splats as they are shown out."""
    existing = bpy.data.node_groups.get(GROUP)
    if existing is not None:
        return existing
    tree = new_group(GROUP)
    graph = Graph(tree)
    start, end = graph.add("NodeGroupInput"), graph.add("NodeGroupOutput")
    base, own = graph.add("FunctionNodeSeparateColor"), graph.add("ShaderNodeCombineXYZ")
    graph.link(named_attribute(graph, BASE, "FLOAT_COLOR"), base.inputs[0])
    joined, parts = graph.add("FunctionNodeCombineColor"), graph.add("ShaderNodeSeparateXYZ")
    graph.link(_tinted(graph, _posed(graph, own.outputs[0])), parts.inputs[0])
    for channel in range(3):
        graph.link(base.outputs[channel], own.inputs[channel])
        graph.link(parts.outputs[channel], joined.inputs[channel])
    seen = graph.math("MULTIPLY", base.outputs["Alpha"], shown_points(graph))
    graph.link(seen, joined.inputs["Alpha"])
    thick = _stored(graph, start.outputs[0], "scale", "FLOAT_VECTOR", _thickened(graph))
    graph.link(_stored(graph, thick, BASE, "FLOAT_COLOR", joined.outputs[0]), end.inputs[0])
    return tree


def _stored(graph: Graph, geometry: Socket, name: str, kind: str, value: Socket) -> Socket:
    store = graph.add("GeometryNodeStoreNamedAttribute", data_type=kind, domain="POINT")
    store.inputs["Name"].default_value = name
    graph.link(geometry, store.inputs["Geometry"])
    graph.link(value, next(s for s in store.inputs if s.enabled and s.name == "Value"))
    return store.outputs[0]


def _posed(graph: Graph, own: Socket) -> Socket:
    """The coefficients of the pose, on a head."""
    posed = named_attribute(graph, "head_color", "FLOAT_VECTOR")
    rides = _exists(graph, "head_color", "FLOAT_VECTOR")
    return _where(graph, rides, _coefficients(graph, posed), own)


def _tinted(graph: Graph, own: Socket) -> Socket:
    """The tint over the coefficients, and the selection over both, in the viewport."""
    color = _vector(graph, "MAXIMUM", _srgb(graph, own), (0.0, 0.0, 0.0))
    has_tint = _exists(graph, TINT, "FLOAT_VECTOR")
    tint = named_attribute(graph, TINT, "FLOAT_VECTOR")
    color = _where(graph, has_tint, _over(graph, color, tint, TINTED), color)
    selected = named_attribute(graph, "selected", "BOOLEAN")
    orange = graph.add("ShaderNodeCombineXYZ")
    for socket, value in zip(orange.inputs, SELECTION.tolist(), strict=True):
        socket.default_value = value
    chosen = _over(graph, color, orange.outputs[0], SELECTED)
    color = _coefficients(graph, _where(graph, selected, chosen, color))
    either = graph.add("FunctionNodeBooleanMath", operation="OR")
    graph.link(has_tint, either.inputs[0])
    graph.link(selected, either.inputs[1])
    counts = graph.add("FunctionNodeBooleanMath", operation="AND")
    graph.link(graph.add("GeometryNodeIsViewport").outputs[0], counts.inputs[0])
    graph.link(either.outputs[0], counts.inputs[1])
    return _where(graph, counts.outputs[0], color, own)


def _vector(
    graph: Graph, operation: str, a: Socket, b: Socket | tuple[float, float, float]
) -> Socket:
    node = graph.add("ShaderNodeVectorMath", operation=operation)
    graph.link(a, node.inputs[0])
    if isinstance(b, tuple):
        node.inputs[1].default_value = b
    else:
        graph.link(b, node.inputs[1])
    return node.outputs["Value" if operation == "DOT_PRODUCT" else "Vector"]


def _scaled(graph: Graph, vector: Socket, factor: Operand) -> Socket:
    node = graph.add("ShaderNodeVectorMath", operation="SCALE")
    graph.link(vector, node.inputs[0])
    if isinstance(factor, float):
        node.inputs["Scale"].default_value = factor
    else:
        graph.link(factor, node.inputs["Scale"])
    return node.outputs[0]


def _srgb(graph: Graph, coefficients: Socket) -> Socket:
    return _vector(graph, "ADD", _scaled(graph, coefficients, SH_C0), (0.5, 0.5, 0.5))


def _coefficients(graph: Graph, srgb: Socket) -> Socket:
    return _scaled(graph, _vector(graph, "SUBTRACT", srgb, (0.5, 0.5, 0.5)), 1 / SH_C0)


def _over(graph: Graph, own: Socket, over: Socket, how: Over) -> Socket:
    """The same as radiance.laid_over."""
    light = _vector(graph, "DOT_PRODUCT", own, (1 / 3, 1 / 3, 1 / 3))
    light = graph.math("MINIMUM", light, 1.0)
    bright = graph.math("ADD", graph.math("MULTIPLY", light, 1 - how.floor), how.floor)
    laid = _scaled(graph, _scaled(graph, over, bright), 1 - how.kept)
    return _vector(graph, "ADD", _scaled(graph, own, how.kept), laid)


def _thickened(graph: Graph) -> Socket:
    """The scales, none flatter than a hundredth: of walls that training made of discs a billionth
    as thick as wide, rays meet half at most.
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
    return thick.outputs[0]


def _exists(graph: Graph, name: str, kind: str) -> Socket:
    node = graph.add("GeometryNodeInputNamedAttribute", data_type=kind)
    node.inputs["Name"].default_value = name
    return node.outputs["Exists"]


def _where(graph: Graph, condition: Socket, then: Socket, otherwise: Socket) -> Socket:
    switch = graph.add("GeometryNodeSwitch", input_type="VECTOR")
    graph.link(condition, switch.inputs["Switch"])
    graph.link(otherwise, next(s for s in switch.inputs if s.enabled and s.name == "False"))
    graph.link(then, next(s for s in switch.inputs if s.enabled and s.name == "True"))
    return next(s for s in switch.outputs if s.enabled)
