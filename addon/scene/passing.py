"""Data-blocks that are there for a while only: what an importer or exporter made is found and removed again."""

import bpy

KINDS = ("objects", "meshes", "materials", "images", "armatures", "actions", "collections", "cache_files")
Blocks = dict[str, set]


def blocks() -> Blocks:
    """All that are there now."""
    return {kind: set(getattr(bpy.data, kind)) for kind in KINDS}


def since(before: Blocks) -> Blocks:
    """What has come since."""
    return {kind: found - before[kind] for kind, found in blocks().items()}


def remove(some: Blocks) -> None:
    """Those of them that are still there; cache files can only be removed this way."""
    bpy.data.batch_remove([block for kind, found in some.items() for block in getattr(bpy.data, kind) if block in found])
