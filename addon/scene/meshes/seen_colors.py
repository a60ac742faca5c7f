"""What a mesh looks like, as colours of its vertices: for those that can't keep materials."""

import bpy
import numpy as np

from ....backend.geometry.arrays import Floats
from ..splats import radiance
from .mesh_looks import at_vertices, vertex_colors

GRAY = 0.8  # sRGB, of what has no material


def seen_colors(block: bpy.types.Mesh) -> Floats:
    """(V, 3) sRGB 0..1: each material's picture or colour, else the colours of the vertices."""
    own = vertex_colors(block)
    base = np.full((len(block.vertices), 3), GRAY, np.float32) if own is None else own
    if not any(block.materials):
        return base
    owner = np.empty(len(block.polygons), np.int32)
    sizes = np.empty(len(block.polygons), np.int32)
    corners = np.empty(len(block.loops), np.int32)
    block.polygons.foreach_get("material_index", owner)
    block.polygons.foreach_get("loop_total", sizes)
    block.loops.foreach_get("vertex_index", corners)
    owner, values = np.repeat(owner, sizes), base[corners]
    for number, material in enumerate(block.materials):
        here = np.flatnonzero(owner == number)
        if material is not None and len(here):
            _paint(values, here, material, block)
    return at_vertices(block, values)


def _paint(
    values: Floats, here: np.ndarray, material: bpy.types.Material, block: bpy.types.Mesh
) -> None:
    """Overwrites corners `here` of values (C, 3) with what the material's surface shows."""
    socket = _base_color(material)
    if socket is None:
        return
    if not socket.is_linked:
        color = np.array(socket.default_value[:3], np.float32)
        values[here] = radiance.linear_to_srgb(color)
        return
    image = _image_before(socket)
    if image is not None and block.uv_layers.active is not None:
        uvs = np.empty(len(block.loops) * 2, np.float32)
        block.uv_layers.active.data.foreach_get("uv", uvs)
        pixels = _pixels(image)
        if pixels is not None:
            height, width = pixels.shape[:2]
            column, row = (uvs.reshape(-1, 2)[here] % 1.0 * (width, height)).astype(int).T
            values[here] = pixels[row.clip(0, height - 1), column.clip(0, width - 1), :3]


def _base_color(material: bpy.types.Material) -> bpy.types.NodeSocket | None:
    nodes = material.node_tree.nodes if material.node_tree is not None else []
    surface = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    return None if surface is None else surface.inputs["Base Color"]


def _image_before(socket: bpy.types.NodeSocket) -> bpy.types.Image | None:
    """The picture that a socket gets its colour from, over whatever lies between."""
    todo, seen = [link.from_node for link in socket.links], set()
    while todo:
        node = todo.pop()
        if node.type == "TEX_IMAGE":
            image: bpy.types.Image | None = node.image
            return image
        if node.name not in seen:
            seen.add(node.name)
            todo += [link.from_node for s in node.inputs for link in s.links]
    return None


def _pixels(image: bpy.types.Image) -> Floats | None:
    """(H, W, K) as they are in the file, from the lower left; None where it can't be read."""
    width, height = image.size
    if not width or not height or image.channels < 3:
        return None
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(height, width, image.channels).clip(0, 1)
    return radiance.linear_to_srgb(pixels) if image.is_float else pixels
