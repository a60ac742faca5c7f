"""A mesh that stands still, made of splats: one native object with a texture, in their place."""

from pathlib import Path

import bpy

from ....backend.formats import mesh_sequence as sequences
from . import mesh_sequence
from .mesh_materials import new_material


def add(
    folder: Path, name: str, collection: bpy.types.Collection, cloud: bpy.types.Object | None
) -> bpy.types.Object:
    """Of the result in a folder; where the splats stand that it was made of, which go out of
    sight: both at once are neither seen well.
    """
    sequence = sequences.read(folder / sequences.NAME)
    mesh = bpy.data.meshes.new(name)
    mesh_sequence.fill(mesh, sequence)
    mesh.materials.append(new_material(name, "Color", folder / sequences.TEXTURE))
    still = bpy.data.objects.new(name, mesh)
    collection.objects.link(still)
    if cloud is not None:
        still.parent, still.matrix_parent_inverse = cloud.parent, cloud.matrix_parent_inverse
        still.matrix_basis = cloud.matrix_basis
        cloud.hide_render = True
        cloud.hide_set(True)
    return still
