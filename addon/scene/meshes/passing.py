"""Data-blocks that are there for a while only: what an importer or exporter made is found and
removed again.
"""

import bpy

KINDS = (
    *("objects", "meshes", "materials", "images", "armatures", "actions", "collections"),
    "shape_keys",  # Blender 4.5 can't save a file in which some belong to nobody
    *("cache_files", "cameras", "lights", "curves", "hair_curves", "pointclouds", "volumes"),
    *("worlds", "node_groups"),
)
Blocks = dict[str, set]


def blocks() -> Blocks:
    """All that are there now."""
    return {kind: set(getattr(bpy.data, kind)) for kind in KINDS}


def since(before: Blocks) -> Blocks:
    """What has come since."""
    return {kind: present - before[kind] for kind, present in blocks().items()}


def remove(some: Blocks) -> None:
    """Those of them that are still there; cache files can only be removed this way."""
    bpy.data.batch_remove(
        [
            block
            for kind, leaving in some.items()
            for block in getattr(bpy.data, kind)
            if block in leaving
        ]
    )


def used_by(mesh: bpy.types.Mesh) -> set[bpy.types.ID]:
    """Materials of a mesh, and the pictures and node groups that these use."""
    used: set[bpy.types.ID] = set()
    todo = [material for material in mesh.materials if material is not None]
    used |= set(todo)
    trees = [material.node_tree for material in todo if material.node_tree is not None]
    while trees:
        for node in trees.pop().nodes:
            image, group = getattr(node, "image", None), getattr(node, "node_tree", None)
            if image is not None:
                used.add(image)
            if group is not None and group not in used:
                used.add(group)
                trees.append(group)
    return used


def remove_mesh(mesh: bpy.types.Mesh) -> None:
    """With those of its materials and pictures that nothing else uses."""
    used = used_by(mesh)
    bpy.data.meshes.remove(mesh)
    for block in sorted(used, key=lambda b: not isinstance(b, bpy.types.Material)):
        if not block.users:
            bpy.data.batch_remove([block])
