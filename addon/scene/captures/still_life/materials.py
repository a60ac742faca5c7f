"""Procedural materials of the still life. All are matt, so that a place looks alike from
everywhere, and grained at every size, so that cameras find points on it.
"""

from collections.abc import Sequence

import bpy

Color = tuple[float, ...]  # red, green, blue, linear
Ramp = Sequence[tuple[float, Color]]


class Coating:
    """A material in the making: nodes are added and joined in one call each."""

    def __init__(self, name: str, coordinates: str = "Object", sheen: float = 0.0) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.nodes = self.material.node_tree.nodes
        self.links = self.material.node_tree.links
        self.surface = next(n for n in self.nodes if n.type == "BSDF_PRINCIPLED")
        if sheen:
            self.surface.inputs["Roughness"].default_value = 0.5
            self.surface.inputs["Specular IOR Level"].default_value = sheen
        else:
            output = self.surface.outputs[0].links[0].to_socket
            self.surface = self.nodes.new("ShaderNodeBsdfDiffuse")
            self.links.new(self.surface.outputs[0], output)
        self.place = self.nodes.new("ShaderNodeTexCoord").outputs[coordinates]

    def feed(self, socket: bpy.types.NodeSocket, value: object) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.links.new(value, socket)
        else:
            socket.default_value = value

    def stretched(self, scale: Color, seed: float = 0.0) -> bpy.types.NodeSocket:
        """Coordinates, scaled and moved; those of every object differ."""
        own = self.nodes.new("ShaderNodeObjectInfo").outputs["Random"]
        moved = self.nodes.new("ShaderNodeVectorMath")
        moved.operation = "MULTIPLY_ADD"
        self.feed(moved.inputs[0], own)
        self.feed(moved.inputs[1], (7.0, 5.0, 9.0))
        self.feed(moved.inputs[2], self.place)
        mapping = self.nodes.new("ShaderNodeMapping")
        self.feed(mapping.inputs["Vector"], moved.outputs[0])
        mapping.inputs["Location"].default_value = (seed, 1.7 * seed, 0.3 * seed)
        mapping.inputs["Scale"].default_value = scale
        return mapping.outputs[0]

    def noise(
        self, scale: float, detail: float, at: bpy.types.NodeSocket | None = None, bend: float = 0
    ) -> bpy.types.NodeSocket:
        node = self.nodes.new("ShaderNodeTexNoise")
        self.feed(node.inputs["Vector"], at or self.stretched((1, 1, 1)))
        node.inputs["Scale"].default_value = scale
        node.inputs["Detail"].default_value = detail
        node.inputs["Roughness"].default_value = 0.6
        node.inputs["Distortion"].default_value = bend
        return node.outputs[0]

    def waves(
        self, kind: str, scale: float, bend: float, at: bpy.types.NodeSocket, axis: str = "X"
    ) -> bpy.types.NodeSocket:
        node = self.nodes.new("ShaderNodeTexWave")
        node.wave_type = kind
        setattr(node, f"{kind.lower()}_direction", axis)
        self.feed(node.inputs["Vector"], at)
        node.inputs["Scale"].default_value = scale
        node.inputs["Distortion"].default_value = bend
        node.inputs["Detail"].default_value = 2.0
        return node.outputs[1]

    def specks(self, scale: float, at: bpy.types.NodeSocket | None = None) -> bpy.types.NodeSocket:
        """Distance to the nearest of many random points."""
        node = self.nodes.new("ShaderNodeTexVoronoi")
        self.feed(node.inputs["Vector"], at or self.stretched((1, 1, 1)))
        node.inputs["Scale"].default_value = scale
        return node.outputs[0]

    def ramp(self, value: bpy.types.NodeSocket, stops: Ramp) -> bpy.types.NodeSocket:
        node = self.nodes.new("ShaderNodeValToRGB")
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, color) in zip(elements, stops, strict=True):
            element.position, element.color = position, (*color, 1)
        self.feed(node.inputs[0], value)
        return node.outputs[0]

    def mix(
        self, share: object, first: object, second: object, how: str = "MIX"
    ) -> bpy.types.NodeSocket:
        node = self.nodes.new("ShaderNodeMix")
        node.data_type, node.blend_type = "RGBA", how
        names = {"Factor_Float": share, "A_Color": first, "B_Color": second}
        for socket in node.inputs:
            if socket.identifier in names:
                value = names[socket.identifier]
                self.feed(socket, (*value, 1) if isinstance(value, tuple) else value)
        return next(s for s in node.outputs if s.identifier == "Result_Color")

    def shade(
        self,
        color: bpy.types.NodeSocket,
        by: bpy.types.NodeSocket,
        span: tuple[float, float],
        dark: float,
        share: float,
    ) -> bpy.types.NodeSocket:
        """The color darkened where `by` is low: to `dark` at the lower end of the span."""
        factor = self.ramp(by, [(span[0], (dark,) * 3), (span[1], (1.0,) * 3)])
        return self.mix(share, color, factor, "MULTIPLY")

    def math(self, operation: str, first: object, second: object = 0.0) -> bpy.types.NodeSocket:
        node = self.nodes.new("ShaderNodeMath")
        node.operation = operation
        self.feed(node.inputs[0], first)
        self.feed(node.inputs[1], second)
        return node.outputs[0]

    def part(self, axis: str) -> bpy.types.NodeSocket:
        node = self.nodes.new("ShaderNodeSeparateXYZ")
        self.feed(node.inputs[0], self.place)
        return node.outputs[axis]

    def done(
        self, color: bpy.types.NodeSocket, height: object = None, depth: float = 0.02
    ) -> bpy.types.Material:
        """The finished material, bumped by `height` where it is given."""
        self.feed(self.surface.inputs[0], color)
        if height is not None:
            bump = self.nodes.new("ShaderNodeBump")
            self.feed(bump.inputs["Height"], height)
            bump.inputs["Distance"].default_value = depth
            self.feed(self.surface.inputs["Normal"], bump.outputs[0])
        return self.material
