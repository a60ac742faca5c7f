"""The matte material of a moving mesh: a picture, or the colours of its vertices."""

from pathlib import Path

import bpy

ROUGHNESS = 0.9
PLAIN = (0.6, 0.6, 0.6, 1.0)


def new_material(name: str, colors: str, texture: Path | None) -> bpy.types.Material:
    """With a texture, which goes into the .blend, so that it can be painted and stays; else the
    colour attribute called `colors`; else plain grey.
    """
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = ROUGHNESS
    if texture is not None and texture.is_file():
        color = nodes.new("ShaderNodeTexImage")
        color.image = bpy.data.images.load(str(texture))
        color.image.name = f"{name} Texture"
        color.image.pack()
        nodes.active = color  # what Texture Paint paints on
    elif colors:
        color = nodes.new("ShaderNodeVertexColor")
        color.layer_name = colors
    else:
        surface.inputs["Base Color"].default_value = PLAIN
        return material
    color.location = (-320, 280)
    links.new(color.outputs["Color"], surface.inputs["Base Color"])
    return material
