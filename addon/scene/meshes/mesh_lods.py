"""A mesh that stands still, as a file for game engines: in its place, with coarser copies of itself
(levels of detail) that keep its texture, under the names that Unity and Unreal look for.
"""

from pathlib import Path

import bpy

from ....backend.runtime import atomic
from .engine_looks import Take, lent_names, plain_name, prepare
from .mesh_bake import explained, select_only, without_trace

ENDINGS = (".glb", ".fbx", ".usdc")
SMALLER = 0.4  # of the triangles of the level before
FEWEST = 50  # triangles of a level


def write(
    context: bpy.types.Context, still: bpy.types.Object, path: Path, levels: int
) -> list[int]:
    """Triangles of each level that was written, the finest first: at most `levels`, fewer where
    nothing would be left. An older file stays until the new one is whole.
    """
    part = path.with_name(f"part-{path.name}")
    try:
        with explained(path):
            with lent_names() as take, without_trace():
                made = _levels(context, still, levels, take)
                counts = [len(one.data.loop_triangles) for one in made]
                select_only(context, [*made, *_holder(context, still, made, take)])
                _export(part)
            atomic.sync_file(part)
            part.replace(path)
            atomic.sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _levels(
    context: bpy.types.Context, still: bpy.types.Object, levels: int, take: Take
) -> list[bpy.types.Object]:
    """Copies as they are shown, where the object stands, ever coarser."""
    made: list[bpy.types.Object] = []
    graph = context.evaluated_depsgraph_get()
    whole = bpy.data.meshes.new_from_object(still.evaluated_get(graph), depsgraph=graph)
    whole.transform(still.matrix_world)
    for level in range(levels):
        copy = bpy.data.objects.new(plain_name(still), whole.copy())
        context.scene.collection.objects.link(copy)
        if level:
            _decimated(context, copy, SMALLER**level)
        name = f"{plain_name(still)}_LOD{level}" if levels > 1 else plain_name(still)
        take(copy, name)
        take(copy.data, name)  # USD goes by it
        prepare(copy, take)
        copy.data.calc_loop_triangles()
        count = len(copy.data.loop_triangles)
        if made and count < FEWEST:
            break
        made.append(copy)
    return made


def _decimated(context: bpy.types.Context, copy: bpy.types.Object, ratio: float) -> None:
    """Blender's collapse keeps UVs and their seams."""
    modifier = copy.modifiers.new("Coarser", "DECIMATE")
    modifier.ratio, modifier.use_collapse_triangulate = ratio, True
    graph = context.evaluated_depsgraph_get()
    coarse = bpy.data.meshes.new_from_object(copy.evaluated_get(graph), depsgraph=graph)
    copy.modifiers.clear()
    copy.data = coarse


def _holder(
    context: bpy.types.Context,
    still: bpy.types.Object,
    made: list[bpy.types.Object],
    take: Take,
) -> list[bpy.types.Object]:
    """The one root of several levels: an empty, which FBX marks as a group of them."""
    if len(made) < 2:
        return []
    root = bpy.data.objects.new(plain_name(still), None)
    take(root, plain_name(still))
    root["fbx_type"] = "LodGroup"
    context.scene.collection.objects.link(root)
    for one in made:
        one.parent = root
    return [root]


def _export(path: Path) -> None:
    if path.suffix == ".glb":
        bpy.ops.export_scene.gltf(
            filepath=str(path),
            export_format="GLB",
            use_selection=True,
            export_animations=False,
            export_image_format="JPEG",
            export_jpeg_quality=90,
        )
    elif path.suffix == ".fbx":
        bpy.ops.export_scene.fbx(
            filepath=str(path),
            use_selection=True,
            bake_anim=False,
            use_custom_props=True,
            apply_scale_options="FBX_SCALE_UNITS",
            path_mode="COPY",
            embed_textures=True,
        )
    else:
        bpy.ops.wm.usd_export(
            filepath=str(path),
            selected_objects_only=True,
            export_animation=False,
            convert_world_material=False,
            export_lights=False,
            export_cameras=False,
        )
