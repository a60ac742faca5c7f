"""When splats must be uploaded anew: counts the edits of every data-block, and undos."""

from typing import Any

import bpy

from ...blender_types import persistent
from ..splats import pointclouds, splats

Key = tuple[int, int, int, int]  # the data-block, its points, its edits, the file's undos

_edits: dict[int, int] = {}  # data-blocks that changed, by session_uid
_undone = 0  # counts undos and opened files, after which anything may have changed


def key(cloud: bpy.types.Object) -> Key:
    """Changes when anything of the object's data may have changed."""
    data = cloud.data
    return (
        data.session_uid,
        pointclouds.point_count(data),
        _edits.get(data.session_uid, 0),
        _undone,
    )


@persistent
def on_depsgraph(_scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Counts an edit of whatever splats the change was of."""
    for update in depsgraph.updates:
        if update.is_updated_geometry and isinstance(
            update.id, (bpy.types.PointCloud, bpy.types.Mesh)
        ):
            _edited(update.id.original)
        elif (
            update.is_updated_geometry
            and isinstance(update.id, bpy.types.Object)
            and splats.follows(update.id.original)
        ):
            _edited(update.id.original.data)


@persistent
def on_frame(scene: bpy.types.Scene, *_depsgraph: bpy.types.Depsgraph) -> None:
    """Splats that ride on a mesh are elsewhere in another frame."""
    for cloud in scene.objects:
        if splats.follows(cloud):
            _edited(cloud.data)


def _edited(data: bpy.types.ID) -> None:
    _edits[data.session_uid] = _edits.get(data.session_uid, 0) + 1


@persistent
def on_undo(_scene: bpy.types.Scene) -> None:
    """Anything may have changed."""
    global _undone
    _undone += 1


def _lists() -> tuple[tuple[Any, Any], ...]:
    """Blender's lists of handlers, and what of ours is in each."""
    handlers = bpy.app.handlers
    return (
        (handlers.depsgraph_update_post, on_depsgraph),
        (handlers.frame_change_post, on_frame),
        (handlers.undo_post, on_undo),
        (handlers.redo_post, on_undo),
        (handlers.load_post, on_undo),
    )


def start() -> None:
    """Begins to watch; `stop` ends it."""
    for listed, ours in _lists():
        listed.append(ours)


def stop() -> None:
    """No handler of ours stays behind."""
    for listed, ours in _lists():
        if ours in listed:
            listed.remove(ours)
