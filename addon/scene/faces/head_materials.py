"""Materials of a head's parts: the colours of the vertices, and how each takes the light."""

from dataclasses import dataclass

import bpy

PREFIX = "Splatsmith"


@dataclass(frozen=True)
class Finish:
    """Of a surface; `scatter` in metres, `coat` a clear layer on top."""

    roughness: float = 0.55
    scatter: float = 0.0
    coat: float = 0.0


FINISHES = {
    "Head": Finish(),
    "Skin": Finish(roughness=0.48, scatter=0.004),
    "Hair": Finish(roughness=0.42),
    "Eye": Finish(roughness=0.25, coat=1.0),
    "Teeth": Finish(roughness=0.2, coat=0.4),
    "Tongue": Finish(roughness=0.3, scatter=0.003),
}


def material(kind: str) -> bpy.types.Material:
    """The one of a part; what is there already, an artist may have changed."""
    name = f"{PREFIX} {kind}"
    existing = bpy.data.materials.get(name)
    if existing is not None:
        return existing
    finish = FINISHES.get(kind, FINISHES["Head"])
    new = bpy.data.materials.new(name)
    new.use_nodes = True
    nodes = new.node_tree.nodes
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = finish.roughness
    color = nodes.new("ShaderNodeVertexColor")
    color.layer_name = "Color"
    new.node_tree.links.new(color.outputs["Color"], surface.inputs["Base Color"])
    if finish.scatter:
        surface.inputs["Subsurface Weight"].default_value = 0.35
        surface.inputs["Subsurface Scale"].default_value = finish.scatter
        surface.inputs["Subsurface Radius"].default_value = (1.0, 0.35, 0.2)
    if finish.coat:
        surface.inputs["Coat Weight"].default_value = finish.coat
        surface.inputs["Coat Roughness"].default_value = 0.03
    return new
