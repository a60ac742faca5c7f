"""A head from head.npz as a mesh with shape keys, looking along -y as Blender's characters do, in
metres.
"""

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.formats.head_file import Head
from ....backend.geometry.arrays import Floats
from ..splats import radiance

METRES = 0.01  # a centimetre
MATERIAL = "Splatsmith Head"


def to_blender(points: Floats) -> Floats:
    """(..., 3) of y up, z out of the face -> z up, -y out of the face; the unit stays."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)


def import_head(head: Head, name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    """The mesh object, with a shape key for each of the head's shapes and its colours."""
    mesh = bpy.data.meshes.new(name)
    rest = to_blender(head.vertices) * METRES
    _faces(mesh, rest, head.faces)
    colors = np.ones((len(rest), 4), np.float32)
    colors[:, :3] = radiance.srgb_to_linear(head.colors)
    mesh.attributes.new("Color", "FLOAT_COLOR", "POINT").data.foreach_set("color", colors.ravel())
    mesh.materials.append(_material())
    head_object = bpy.data.objects.new(name, mesh)
    collection.objects.link(head_object)
    head_object.shape_key_add(name="Basis", from_mix=False)
    for shape, moved, lowest in zip(head.names, to_blender(head.shapes), head.lowest, strict=True):
        key = head_object.shape_key_add(name=shape, from_mix=False)
        key.data.foreach_set("co", (rest + moved * METRES).ravel())
        key.slider_min, key.value = float(lowest), 0.0  # Blender 5.2 begins with 1
    return head_object


def _faces(mesh: bpy.types.Mesh, rest: Floats, faces: NDArray[np.int32]) -> None:
    """All at once: from_pydata takes seconds for a detailed head."""
    there = faces >= 0
    sizes = there.sum(1).astype(np.int32)
    mesh.vertices.add(len(rest))
    mesh.vertices.foreach_set("co", rest.ravel())
    mesh.loops.add(int(sizes.sum()))
    mesh.loops.foreach_set("vertex_index", faces[there])
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.cumsum(sizes) - sizes)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    mesh.update(calc_edges=True)
    mesh.validate()


def _material() -> bpy.types.Material:
    """Shows the colours of the vertices."""
    existing = bpy.data.materials.get(MATERIAL)
    if existing is not None:
        return existing
    new = bpy.data.materials.new(MATERIAL)
    new.use_nodes = True
    nodes = new.node_tree.nodes
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = 0.55
    color = nodes.new("ShaderNodeVertexColor")
    color.layer_name = "Color"
    new.node_tree.links.new(color.outputs["Color"], surface.inputs["Base Color"])
    return new
