"""Data-blocks that are there for a while only: what an importer or exporter made is found and
removed again.
"""

import bpy

KINDS = (
    *("objects", "meshes", "materials", "images", "armatures", "actions", "collections"),
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


def import_usd(path: str, set_frame_range: bool = False) -> None:
    """Its meshes alone: by default Blender would rebuild the scene's own world from the file."""
    bpy.ops.wm.usd_import(
        filepath=path,
        set_frame_range=set_frame_range,
        create_world_material=False,
        import_lights=False,
        import_cameras=False,
        import_curves=False,
        import_volumes=False,
        relative_path=False,
    )
