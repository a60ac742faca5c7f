"""The geometry nodes that carry Gaussians along with a head's triangles: in the viewport, in
playback and in renders alike.

What the backend does in gaussian_head/binding.py and model.py, in nodes. Each point knows its
triangle's three vertices and its place, turn and size in that triangle's frame. The latent pose is
a sum over the mesh's vertices of how far each has moved, along a vector that the importer worked
out (gaussian_head.py), so that it follows whatever moves the mesh.
"""

import bpy

from ..splats.splat_nodes import Graph, named_attribute, new_group

Socket = bpy.types.NodeSocket
INVENTED = "Invented"
INVENTED_TOLD = "How much is shown of what the footage never showed"


def vector(
    graph: Graph, operation: str, a: Socket, b: Socket | None = None, scale: Socket | None = None
) -> Socket:
    """Vector math; the value where the operation gives one."""
    node = graph.add("ShaderNodeVectorMath", operation=operation)
    graph.link(a, node.inputs[0])
    if b is not None:
        graph.link(b, node.inputs[1])
    if scale is not None:
        graph.link(scale, node.inputs["Scale"])
    return node.outputs["Value" if operation in ("DOT_PRODUCT", "LENGTH") else "Vector"]


def build(name: str, head: bpy.types.Object, bias: list[float]) -> bpy.types.NodeTree:
    """A tree for one head. `bias` has a number for each shape of the latent pose."""
    tree = new_group(name)
    _add_slider(tree)
    graph = Graph(tree)
    start, end = graph.add("NodeGroupInput"), graph.add("NodeGroupOutput")
    info = graph.add("GeometryNodeObjectInfo", transform_space="ORIGINAL")
    info.inputs["Object"].default_value = head
    mesh = info.outputs["Geometry"]
    mixed = [_latent(graph, mesh, k, value) for k, value in enumerate(bias)]
    origin, rotation, grown = _frame(graph, mesh)
    local = _shaped(
        graph, named_attribute(graph, "local_mean", "FLOAT_VECTOR"), "mean_shape", mixed
    )
    turned = graph.add("FunctionNodeRotateVector")
    graph.link(vector(graph, "SCALE", local, scale=grown), turned.inputs["Vector"])
    graph.link(rotation, turned.inputs["Rotation"])
    placed = graph.add("GeometryNodeSetPosition")
    graph.link(start.outputs[0], placed.inputs["Geometry"])
    graph.link(vector(graph, "ADD", origin, turned.outputs[0]), placed.inputs["Position"])
    whole = graph.add("FunctionNodeRotateRotation", rotation_space="LOCAL")
    graph.link(rotation, whole.inputs[0])
    graph.link(named_attribute(graph, "local_rotation", "QUATERNION"), whole.inputs[1])
    kept = _kept(graph, start.outputs[INVENTED])
    scale = vector(
        graph,
        "SCALE",
        named_attribute(graph, "local_scale", "FLOAT_VECTOR"),
        scale=graph.math("MULTIPLY", grown, kept),
    )
    color = _shaped(
        graph, named_attribute(graph, "local_color", "FLOAT_VECTOR"), "color_shape", mixed
    )
    geometry = placed.outputs[0]
    for target, kind, value in (
        ("rotation", "QUATERNION", whole.outputs[0]),
        ("scale", "FLOAT_VECTOR", scale),
        ("head_color", "FLOAT_VECTOR", color),
        ("splat_color", "FLOAT_COLOR", _linear(graph, color, kept)),
    ):
        geometry = _store(graph, geometry, target, kind, value)
    graph.link(geometry, end.inputs[0])
    return tree


def _add_slider(tree: bpy.types.NodeTree) -> None:
    """How much is shown of what no frame of the footage did."""
    slider = tree.interface.new_socket(
        INVENTED, in_out="INPUT", socket_type="NodeSocketFloat", description=INVENTED_TOLD
    )
    slider.subtype, slider.min_value, slider.max_value = "FACTOR", 0.0, 1.0
    slider.default_value = 1.0


def _kept(graph: Graph, slider: Socket) -> Socket:
    """What is left of a splat's size and opacity: 1, but for invented ones as the slider says."""
    gone = graph.math("SUBTRACT", 1.0, slider)
    taken = graph.math("MULTIPLY", named_attribute(graph, "invented", "FLOAT"), gone)
    return graph.math("SUBTRACT", 1.0, taken)


def _store(graph: Graph, geometry: Socket, name: str, kind: str, value: Socket) -> Socket:
    node = graph.add("GeometryNodeStoreNamedAttribute", data_type=kind, domain="POINT")
    node.inputs["Name"].default_value = name
    graph.link(geometry, node.inputs["Geometry"])
    graph.link(value, next(s for s in node.inputs if s.enabled and s.name == "Value"))
    return node.outputs[0]


def _latent(graph: Graph, mesh: Socket, k: int, bias: float) -> Socket:
    """tanh(sum over vertices + bias) - tanh(bias)."""
    moved = vector(
        graph,
        "SUBTRACT",
        graph.add("GeometryNodeInputPosition").outputs[0],
        named_attribute(graph, "head_rest", "FLOAT_VECTOR"),
    )
    total = graph.add("GeometryNodeAttributeStatistic", data_type="FLOAT", domain="POINT")
    graph.link(mesh, total.inputs["Geometry"])
    product = vector(
        graph, "DOT_PRODUCT", moved, named_attribute(graph, f"latent_{k}", "FLOAT_VECTOR")
    )
    graph.link(product, next(s for s in total.inputs if s.enabled and s.name == "Attribute"))
    outcome = next(s for s in total.outputs if s.enabled and s.name == "Sum")
    return graph.math(
        "SUBTRACT", graph.math("TANH", graph.math("ADD", outcome, bias)), graph.math("TANH", bias)
    )


def _corner(graph: Graph, mesh: Socket, number: int) -> Socket:
    """Where the point's triangle has its corner now."""
    sample = graph.add("GeometryNodeSampleIndex", data_type="FLOAT_VECTOR", domain="POINT")
    graph.link(mesh, sample.inputs["Geometry"])
    graph.link(
        graph.add("GeometryNodeInputPosition").outputs[0],
        next(s for s in sample.inputs if s.enabled and s.name == "Value"),
    )
    graph.link(named_attribute(graph, f"corner_{number}", "INT"), sample.inputs["Index"])
    return next(s for s in sample.outputs if s.enabled)


def _frame(graph: Graph, mesh: Socket) -> tuple[Socket, Socket, Socket]:
    """Origin, rotation and growth of the point's triangle: its first axis along the edge, its
    second along the normal.
    """
    first, second, third = (_corner(graph, mesh, number) for number in range(3))
    edge, other = vector(graph, "SUBTRACT", second, first), vector(graph, "SUBTRACT", third, first)
    along = vector(graph, "NORMALIZE", edge)
    normal = vector(graph, "NORMALIZE", vector(graph, "CROSS_PRODUCT", along, other))
    across = vector(graph, "CROSS_PRODUCT", along, normal)
    height = graph.math("ABSOLUTE", vector(graph, "DOT_PRODUCT", across, other))
    size = graph.math("MULTIPLY", graph.math("ADD", vector(graph, "LENGTH", edge), height), 0.5)
    axes = graph.add("FunctionNodeAxesToRotation", primary_axis="Y", secondary_axis="X")
    graph.link(normal, axes.inputs[0])
    graph.link(along, axes.inputs[1])
    total = vector(graph, "ADD", vector(graph, "ADD", first, second), third)
    third_part = graph.math("ADD", 1 / 3, 0.0)
    grown = graph.math("DIVIDE", size, named_attribute(graph, "rest_size", "FLOAT"))
    return vector(graph, "SCALE", total, scale=third_part), axes.outputs[0], grown


def _shaped(graph: Graph, base: Socket, shape: str, mixed: list[Socket]) -> Socket:
    for k, weight in enumerate(mixed):
        base = vector(
            graph,
            "ADD",
            base,
            vector(
                graph, "SCALE", named_attribute(graph, f"{shape}_{k}", "FLOAT_VECTOR"), scale=weight
            ),
        )
    return base


def _linear(graph: Graph, color: Socket, kept: Socket) -> Socket:
    """sRGB to linear light, and the opacity; black comes out at 0.0008, which spares a switch."""
    parts, joined = graph.add("ShaderNodeSeparateXYZ"), graph.add("FunctionNodeCombineColor")
    graph.link(color, parts.inputs[0])
    for channel in range(3):
        value = graph.math(
            "DIVIDE",
            graph.math("ADD", graph.math("MAXIMUM", parts.outputs[channel], 0.0), 0.055),
            1.055,
        )
        graph.link(graph.math("POWER", value, 2.4), joined.inputs[channel])
    opacity = graph.math("MULTIPLY", named_attribute(graph, "local_opacity", "FLOAT"), kept)
    graph.link(opacity, joined.inputs[3])
    return joined.outputs[0]
