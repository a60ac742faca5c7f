"""What a mesh from outside looks like: colours of its vertices, uvs, materials and their pictures;
and what of that changes from frame to frame, which one object can't show.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.geometry.arrays import Floats
from ..splats import radiance
from .mesh_materials import new_material

Block = bpy.types.Mesh


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Enough of it to see whether another frame looks alike."""

    colors: str  # hashes, empty where there are none
    uvs: str
    materials: tuple[str, ...]
    pictures: tuple[str, ...]


def of(block: Block) -> Looks:
    """Of a mesh as it was read."""
    materials = [m for m in block.materials if m is not None]
    layer, values = block.uv_layers.active, np.zeros(0, np.float32)
    if layer is not None:
        values = np.empty(len(block.loops) * 2, np.float32)
        layer.data.foreach_get("uv", values)
    return Looks(
        colors=_hash(_raw_colors(block)),
        uvs=_hash(values),
        materials=tuple(sorted(m.name.split(".")[0] for m in materials)),
        pictures=tuple(sorted(picture.name.split(".")[0] for picture in pictures_of(block))),
    )


def _hash(values: NDArray[np.float32] | None) -> str:
    return "" if values is None or not len(values) else hashlib.sha1(values.tobytes()).hexdigest()


def changes(first: Looks, others: Iterable[Looks]) -> list[str]:
    """Notes on what is otherwise in other frames than in the first, which is shown in all."""
    counts = {"vertex colors": 0, "UV maps": 0, "materials": 0, "pictures": 0}
    for looks in others:
        counts["vertex colors"] += looks.colors != first.colors
        counts["UV maps"] += looks.uvs != first.uvs
        counts["materials"] += looks.materials != first.materials
        counts["pictures"] += looks.pictures != first.pictures
    return [
        f"{what} of {count} frames differ from the first frame's, which are shown"
        for what, count in counts.items()
        if count
    ]


def pictures_of(block: Block) -> list[bpy.types.Image]:
    """All that its materials show."""
    return list(
        dict.fromkeys(
            node.image
            for material in block.materials
            if material is not None and material.node_tree is not None
            for node in material.node_tree.nodes
            if node.type == "TEX_IMAGE" and node.image is not None
        )
    )


def _raw_colors(block: Block) -> NDArray[np.float32] | None:
    """(N, 4) linear, of vertices or of corners."""
    attribute = block.color_attributes.active_color or next(iter(block.color_attributes), None)
    if attribute is None or attribute.domain not in ("POINT", "CORNER") or not len(attribute.data):
        return None
    values = np.empty(len(attribute.data) * 4, np.float32)
    attribute.data.foreach_get("color", values)
    return values.reshape(-1, 4)


def vertex_colors(block: Block) -> Floats | None:
    """(V, 3) sRGB 0..1, the mean of its corners where each has its own; None without any."""
    values = _raw_colors(block)
    if values is None:
        return None
    if len(values) != len(block.vertices):
        values = at_vertices(block, values)
    return np.asarray(radiance.linear_to_srgb(values[:, :3]), np.float32).clip(0, 1)


def at_vertices(block: Block, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(C, K) of corners as their mean (V, K) at vertices."""
    corners = np.empty(len(block.loops), np.int32)
    block.loops.foreach_get("vertex_index", corners)
    count = np.bincount(corners, minlength=len(block.vertices)).clip(1)
    sums = [np.bincount(corners, column, len(block.vertices)) for column in values.T]
    return np.asarray(np.stack(sums, 1) / count[:, None], np.float32)


def finish(block: Block, name: str, texture: Path | None) -> list[str]:
    """Gives a mesh that shows nothing of its colours, or of a `texture` that its file names beside
    its materials, a material that does, and takes pictures into the .blend; notes on what is
    missing.
    """
    missing: list[str] = []
    block.validate(clean_customdata=False)  # exporters would mend copies that share its layers
    if texture is not None and not any(block.materials):
        usable = texture.is_file() and block.uv_layers.active is not None
        if usable:
            block.materials.clear()
            block.materials.append(new_material(name, "", texture))
        else:
            missing.append(texture.name)
    for picture in pictures_of(block):
        if picture.packed_file is None and picture.source == "FILE":
            try:
                picture.pack()
            except RuntimeError:
                missing.append(picture.name)
    if not any(block.materials):
        block.materials.clear()
        attribute = block.color_attributes.active_color or next(iter(block.color_attributes), None)
        block.materials.append(new_material(name, attribute.name if attribute else "", None))
    return [f"the picture {missing[0]} is missing, or has no UV map"] if missing else []
