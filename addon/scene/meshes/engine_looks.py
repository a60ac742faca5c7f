"""What else a file for engines should be: named as the artist named things, with nothing in it that
no engine asks for, and with faces that have one side where nobody sees the other.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import bpy
import numpy as np

Take = Callable[[Any, str], None]  # gives a data-block a name, whoever has it
OURS = (" Mesh", " Meshes")  # how the add-on ends the names of what it brings in


def plain_name(animated: bpy.types.Object) -> str:
    """What the artist calls it."""
    name = animated.name
    for ending in OURS:
        name = name.removesuffix(ending)
    return name or animated.name


@contextlib.contextmanager
def lent_names() -> Iterator[Take]:
    """Data-blocks that are there for a while only may have the names of others, who get them back
    at the end: in Blender no two have one name, and in a file nobody wants "Fox.001".
    """
    lenders: list[tuple[Any, str]] = []

    def take(block: Any, name: str) -> None:
        block.name = name
        if block.name != name:
            kinds = (getattr(bpy.data, kind) for kind in ("objects", "meshes", "armatures"))
            several = [*kinds, bpy.data.materials]
            lender = next(k.get(name) for k in several if block.name in k and k.get(name))
            lender.name = f"{name} lent"
            lenders.append((lender, name))
            block.name = name

    try:
        yield take
    finally:
        for lender, name in reversed(lenders):
            lender.name = name


def prepare(copy: bpy.types.Object, take: Take) -> None:
    """Materials of its own that look the same: one-sided where the mesh is closed; colours of
    vertices go where a picture says the same.
    """
    mesh = copy.data
    closed = _is_closed(mesh)
    for slot, material in enumerate(mesh.materials):
        if material is None:
            continue
        own = material.copy()
        own.use_backface_culling = material.use_backface_culling or closed
        mesh.materials[slot] = own
        take(own, material.name)
    if _has_picture(mesh):
        for attribute in list(mesh.color_attributes):
            mesh.color_attributes.remove(attribute)


def _is_closed(mesh: bpy.types.Mesh) -> bool:
    """Whether every edge has two faces: then nobody sees a back."""
    edges = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("edge_index", edges)
    count = np.bincount(edges, minlength=len(mesh.edges))
    return bool(len(count)) and bool((count == 2).all())


def _has_picture(mesh: bpy.types.Mesh) -> bool:
    """Whether all its materials show one, and none asks for colours of vertices."""
    trees = [m.node_tree for m in mesh.materials if m is not None and m.node_tree is not None]
    kinds = [{node.type for node in tree.nodes} for tree in trees]
    asked = {"VERTEX_COLOR", "ATTRIBUTE"}
    return bool(kinds) and all("TEX_IMAGE" in some and not asked & some for some in kinds)
