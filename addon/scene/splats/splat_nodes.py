"""Splats in EEVEE and Cycles: a geometry-nodes modifier that puts an ellipsoid at every point, and
its material.

The material gives each ray the opacity that a 3D Gaussian has along it. With p the hit and v the
ray's direction, both in the ellipsoid's own space where one unit is one sigma, the ray passes the
centre at b^2 = |p|^2 - (p . v)^2 and the Gaussian peaks there at exp(-b^2 / 2), whatever the shape
of the shell. Half of that opacity lies on the shell's front and half on its back, so that on the
mean it stands where the Gaussian's centre is.
"""

import bpy

GROUP, MATERIAL, MODIFIER = "Splatsmith Display 3", "Splatsmith Splat", "Splats in Renders"
# radius in sigmas of the icosahedron: at its faces 2.6, where a Gaussian is down to 3 %
SHELL = 3.3


Operand = bpy.types.NodeSocket | float


class Graph:
    """A few words that make node code readable."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree

    def add(self, kind: str, **settings: object) -> bpy.types.Node:
        """A new node with these of its properties set."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        return node

    def link(self, source: bpy.types.NodeSocket, target: bpy.types.NodeSocket) -> None:
        """From an output to an input."""
        self.tree.links.new(source, target)

    def math(self, operation: str, a: Operand, b: Operand | None = None) -> bpy.types.NodeSocket:
        """A math node of sockets or numbers; its output."""
        node = self.add("ShaderNodeMath", operation=operation)
        for socket, value in zip(node.inputs, (a, b), strict=False):
            if isinstance(value, (int, float)):
                socket.default_value = value
            elif value is not None:
                self.link(value, socket)
        return node.outputs[0]


def _shader(graph: Graph) -> None:
    color = graph.add(
        "ShaderNodeAttribute", attribute_type="INSTANCER", attribute_name="splat_color"
    )
    position = graph.add("ShaderNodeTexCoord").outputs["Object"]
    geometry = graph.add("ShaderNodeNewGeometry")
    ray = graph.add(
        "ShaderNodeVectorTransform", vector_type="VECTOR", convert_from="WORLD", convert_to="OBJECT"
    )
    graph.link(geometry.outputs["Incoming"], ray.inputs[0])
    unit = graph.add("ShaderNodeVectorMath", operation="NORMALIZE")
    graph.link(ray.outputs[0], unit.inputs[0])

    def dot(first: bpy.types.NodeSocket, second: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        node = graph.add("ShaderNodeVectorMath", operation="DOT_PRODUCT")
        graph.link(first, node.inputs[0])
        graph.link(second, node.inputs[1])
        return node.outputs["Value"]

    along = dot(position, unit.outputs[0])
    miss = graph.math("SUBTRACT", dot(position, position), graph.math("MULTIPLY", along, along))
    falloff = graph.math("EXPONENT", graph.math("MULTIPLY", miss, -0.5))
    whole = graph.math("MULTIPLY", falloff, color.outputs["Alpha"])
    alpha = graph.math("SUBTRACT", 1.0, graph.math("SQRT", graph.math("SUBTRACT", 1.0, whole)))
    emission, clear = graph.add("ShaderNodeEmission"), graph.add("ShaderNodeBsdfTransparent")
    mix, out = graph.add("ShaderNodeMixShader"), graph.add("ShaderNodeOutputMaterial")
    graph.link(color.outputs["Color"], emission.inputs["Color"])
    graph.link(alpha, mix.inputs[0])
    graph.link(clear.outputs[0], mix.inputs[1])
    graph.link(emission.outputs[0], mix.inputs[2])
    graph.link(mix.outputs[0], out.inputs["Surface"])


def material() -> bpy.types.Material:
    """The shared splat material."""
    existing = bpy.data.materials.get(MATERIAL)
    if existing is not None:
        return existing
    new = bpy.data.materials.new(MATERIAL)
    new.use_nodes = True
    new.node_tree.nodes.clear()
    new.surface_render_method = "DITHERED"  # EEVEE: needs no sorting
    _shader(Graph(new.node_tree))
    return new


def named_attribute(graph: Graph, name: str, kind: str) -> bpy.types.NodeSocket:
    """The output of an attribute by name; `kind` is Blender's type of it."""
    node = graph.add("GeometryNodeInputNamedAttribute", data_type=kind)
    node.inputs["Name"].default_value = name
    return next(s for s in node.outputs if s.enabled and s.name == "Attribute")


def shown_points(graph: Graph) -> bpy.types.NodeSocket:
    """True for points that are neither hidden nor filtered out."""
    shown = graph.add("FunctionNodeBooleanMath", operation="NOR")
    for socket, name in zip(shown.inputs, ("hidden", "filtered"), strict=False):
        graph.link(named_attribute(graph, name, "BOOLEAN"), socket)
    return shown.outputs[0]


def new_group(name: str) -> bpy.types.NodeTree:
    """A modifier's tree with geometry in and geometry out."""
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    tree.is_modifier = True
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    return tree


def group() -> bpy.types.NodeTree:
    """The shared node group: points in, ellipsoids out."""
    existing = bpy.data.node_groups.get(GROUP)
    if existing is not None:
        return existing
    tree = new_group(GROUP)
    graph = Graph(tree)
    start, end = graph.add("NodeGroupInput"), graph.add("NodeGroupOutput")
    sphere = graph.add("GeometryNodeMeshIcoSphere")
    sphere.inputs["Radius"].default_value, sphere.inputs["Subdivisions"].default_value = SHELL, 1
    smooth, paint = graph.add("GeometryNodeSetShadeSmooth"), graph.add("GeometryNodeSetMaterial")
    paint.inputs["Material"].default_value = material()
    instances = graph.add("GeometryNodeInstanceOnPoints")
    graph.link(sphere.outputs["Mesh"], smooth.inputs[0])
    graph.link(smooth.outputs[0], paint.inputs["Geometry"])
    graph.link(start.outputs[0], instances.inputs["Points"])
    graph.link(paint.outputs[0], instances.inputs["Instance"])
    graph.link(shown_points(graph), instances.inputs["Selection"])
    graph.link(named_attribute(graph, "rotation", "QUATERNION"), instances.inputs["Rotation"])
    graph.link(named_attribute(graph, "scale", "FLOAT_VECTOR"), instances.inputs["Scale"])
    graph.link(instances.outputs[0], end.inputs[0])
    return tree


def add_modifier(cloud: bpy.types.Object) -> None:
    """On in renders, off in the viewport, where the overlay draws."""
    modifier = cloud.modifiers.new(MODIFIER, "NODES")
    modifier.node_group = group()
    modifier.show_viewport, modifier.show_render = False, True


def refresh(cloud: bpy.types.Object) -> None:
    """Splats from older files get the group that knows of hidden ones."""
    modifier = cloud.modifiers.get(MODIFIER)
    if modifier is not None and modifier.node_group is not group():
        modifier.node_group = group()


def prepare_scene(scene: bpy.types.Scene) -> None:
    """Cycles must let a ray pass more splats than its default allows."""
    if hasattr(scene, "cycles"):
        scene.cycles.transparent_max_bounces = max(scene.cycles.transparent_max_bounces, 256)
