"""A ready geometry-nodes group that keeps one object of the splats, or the selection: for renders,
and to build upon.
"""

import bpy

from ..splats import marks, native
from ..splats.splat_nodes import MODIFIER as DISPLAY, Graph, named_attribute, new_group
from .objects import LABEL

GROUP = "Splatsmith Mask"
NUMBER, INVERT = "Object", "Invert"


def group() -> bpy.types.NodeTree:
    """Points in; out come those of object `Object`, or those that are selected where it is -1; or
    all others.
    """
    existing = bpy.data.node_groups.get(GROUP)
    if existing is not None:
        return existing
    tree = new_group(GROUP)
    number = tree.interface.new_socket(NUMBER, in_out="INPUT", socket_type="NodeSocketInt")
    number.default_value, number.description = (
        -1,
        "Number of the object to keep; -1: what is selected",
    )
    tree.interface.new_socket(
        INVERT, in_out="INPUT", socket_type="NodeSocketBool"
    ).description = "Keep all others instead"
    graph = Graph(tree)
    start, end = graph.add("NodeGroupInput"), graph.add("NodeGroupOutput")
    same = graph.add("FunctionNodeCompare", data_type="INT", operation="EQUAL")
    _link_ints(graph, same, named_attribute(graph, LABEL, "INT"), start.outputs[NUMBER])
    none = graph.add("FunctionNodeCompare", data_type="INT", operation="LESS_THAN")
    _link_ints(graph, none, start.outputs[NUMBER], None)
    switch = graph.add("GeometryNodeSwitch", input_type="BOOLEAN")
    graph.link(none.outputs[0], switch.inputs["Switch"])
    graph.link(same.outputs[0], _enabled(switch, "False"))
    graph.link(named_attribute(graph, marks.SELECTED, "BOOLEAN"), _enabled(switch, "True"))
    flip = graph.add("FunctionNodeBooleanMath", operation="XOR")
    graph.link(next(s for s in switch.outputs if s.enabled), flip.inputs[0])
    graph.link(start.outputs[INVERT], flip.inputs[1])
    separate = graph.add("GeometryNodeSeparateGeometry", domain="POINT")
    graph.link(start.outputs[0], separate.inputs["Geometry"])
    graph.link(flip.outputs[0], separate.inputs["Selection"])
    graph.link(separate.outputs["Selection"], end.inputs[0])
    return tree


def _enabled(node: bpy.types.Node, name: str) -> bpy.types.NodeSocket:
    return next(s for s in node.inputs if s.enabled and s.name == name)


def _link_ints(
    graph: Graph,
    node: bpy.types.Node,
    first: bpy.types.NodeSocket,
    second: bpy.types.NodeSocket | None,
) -> None:
    """To the two integer inputs of a comparison; without a second it compares with 0."""
    a, b = (_enabled(node, name) for name in "AB")
    graph.link(first, a)
    if second is not None:
        graph.link(second, b)


def add(cloud: bpy.types.Object, number: int) -> bpy.types.Modifier:
    """The group as a modifier before the one that shows the splats in renders."""
    modifier = cloud.modifiers.new("Splat Mask", "NODES")
    modifier.node_group = group()
    socket = next(i for i in modifier.node_group.interface.items_tree if i.name == NUMBER)
    if hasattr(modifier, "properties"):  # from 5.2 on
        getattr(modifier.properties.inputs, socket.identifier).value = number
    else:
        modifier[socket.identifier] = number
    for shown in (DISPLAY, native.MODIFIER):
        if (display := cloud.modifiers.find(shown)) >= 0:
            cloud.modifiers.move(len(cloud.modifiers) - 1, display)
    return modifier
