"""A head from head.npz as a mesh with shape keys, looking along -y as Blender's characters do, in
metres.
"""

from dataclasses import replace

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.formats.head_file import Head
from ....backend.geometry.arrays import Floats
from ..splats import radiance
from . import head_materials

METRES = 0.01  # a centimetre


def to_blender(points: Floats) -> Floats:
    """(..., 3) of y up, z out of the face -> z up, -y out of the face; the unit stays."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)


def import_pieces(
    head: Head, name: str, collection: bpy.types.Collection
) -> list[bpy.types.Object]:
    """The face's mesh, and those of eyes, teeth, tongue and hair as its children, each with the
    shape keys that move it; all in one where the file does not tell them apart.
    """
    pieces = head.pieces
    if pieces is None:
        return [import_head(head, name, collection)]
    objects: list[bpy.types.Object] = []
    for number, (piece, material) in enumerate(zip(pieces.names, pieces.materials, strict=True)):
        own = pieces.piece == number
        part = _part(head, own, every=number == 0)
        title = name if number == 0 else f"{name.removesuffix(' Head')} {piece}"
        obj = import_head(part, title, collection, head_materials.material(material))
        _lay_out(obj.data, part.faces, pieces.uvs[own])
        if objects:
            obj.parent = objects[0]
        objects.append(obj)
    return objects


def _part(head: Head, own: NDArray[np.bool_], every: bool) -> Head:
    """Of some of its faces (F,); without the shapes that leave them, unless `every` is wanted."""
    faces = head.faces[own]
    numbers = np.unique(faces[faces >= 0])
    place = np.full(len(head.vertices) + 1, -1, np.int32)
    place[numbers] = np.arange(len(numbers))
    shapes = head.shapes[:, numbers]
    moves = [k for k, shape in enumerate(shapes) if every or np.abs(shape).max(initial=0) > 1e-4]
    return replace(
        head,
        vertices=head.vertices[numbers],
        faces=place[faces],
        names=[head.names[k] for k in moves],
        shapes=shapes[moves],
        colors=head.colors[numbers],
        lowest=head.lowest[moves],
        pieces=None,
    )


def _lay_out(mesh: bpy.types.Mesh, faces: NDArray[np.int32], uvs: Floats) -> None:
    """UVs (F, 4, 2) of the faces' corners."""
    layer = mesh.uv_layers.new(name="UVMap", do_init=False)
    corners = uvs[faces >= 0].astype(np.float32)
    if len(layer.data) == len(corners):  # validate() may have taken a damaged face out
        layer.data.foreach_set("uv", corners.ravel())


def import_head(
    head: Head,
    name: str,
    collection: bpy.types.Collection,
    material: bpy.types.Material | None = None,
) -> bpy.types.Object:
    """The mesh object, with a shape key for each of the head's shapes and its colours."""
    mesh = bpy.data.meshes.new(name)
    rest = to_blender(head.vertices) * METRES
    _faces(mesh, rest, head.faces)
    colors = np.ones((len(rest), 4), np.float32)
    colors[:, :3] = radiance.srgb_to_linear(head.colors)
    mesh.attributes.new("Color", "FLOAT_COLOR", "POINT").data.foreach_set("color", colors.ravel())
    mesh.materials.append(material or head_materials.material("Head"))
    head_object = bpy.data.objects.new(name, mesh)
    collection.objects.link(head_object)
    if head.names:
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
