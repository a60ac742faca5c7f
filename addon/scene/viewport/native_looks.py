"""Keeps splats that Blender draws itself tinted as the panel says: in the objects' colours, or by
how well words fit. And hands over to Blender what older files hold.

The selection needs none of this: Blender's nodes read it (native_nodes.py).
"""

import zlib
from typing import Any

import bpy
import numpy as np

from ....backend.geometry.arrays import Floats
from ....backend.geometry.heat_colors import heat
from ...blender_types import persistent
from ..objects import objects
from ..splats import later, marks, native, native_nodes, splats, stepwise
from .looks import NO_OBJECT, Style, object_colors, style_of

NAMES = {"OBJECTS": objects.LABEL, "FIT": marks.FIT}  # what each of the panel's views shows
_made_of: dict[int, tuple[object, ...]] = {}  # what each tint was made of, by session_uid


def adopt_all() -> None:
    """Every splat object of the file that Blender can draw, it draws from now on."""
    if not native.is_known():
        return
    for cloud in bpy.data.objects:
        if splats.is_splats(cloud) and (splats.MARK in cloud or native.is_native(cloud)):
            _begin(cloud)


def refresh(cloud: bpy.types.Object) -> None:
    """Makes the tint anew where anything changed that it is made of."""
    if native.is_native(cloud) and cloud.data.is_editable and (_wants(cloud) or _has(cloud)):
        _begin(cloud)


def _begin(cloud: bpy.types.Object) -> None:
    uid = cloud.session_uid
    later.do("look", uid, stepwise.until_unchanged(uid, _pass))


def _has(cloud: bpy.types.Object) -> bool:
    return native_nodes.TINT in cloud.data.attributes


def _wants(cloud: bpy.types.Object) -> bool:
    return NAMES.get(style_of(cloud)[0], "") in cloud.data.attributes


def _pass(cloud: bpy.types.Object) -> later.Steps:
    if splats.MARK in cloud:
        uid = cloud.session_uid
        yield from _adopt(cloud)
        cloud = stepwise.again(uid)
    if not native.is_native(cloud) or not cloud.data.is_editable:
        return
    if _wants(cloud):
        yield from _tint(cloud)
    else:
        _made_of.pop(cloud.session_uid, None)
        native.set_tint(cloud, None)


def _adopt(cloud: bpy.types.Object) -> later.Steps:
    base, source = None, stepwise.at_work(cloud)
    if native.is_older(cloud):
        base = yield from stepwise.read(source, "radiance:base")
        yield source.count * 4 > stepwise.LONG
    native.adopt(source.cloud(), base)
    yield False


def _tint(cloud: bpy.types.Object) -> later.Steps:
    """Reads what the view shows, and lays its colours over the splats if any are others."""
    uid, source, style = cloud.session_uid, stepwise.at_work(cloud), style_of(cloud)
    values = yield from stepwise.read(source, NAMES[style[0]])
    if values is None:
        return
    checksum = 0
    parts = [slice(k, k + stepwise.PART) for k in range(0, len(values), stepwise.PART)]
    for part in parts:
        checksum = zlib.crc32(values[part].data, checksum)
        yield False
    made_of = (source.data, *style, checksum)
    if _made_of.get(uid) == made_of and _has(source.cloud()):
        return
    tint = np.empty((len(values), 3), np.float32)
    colors = object_colors(source.cloud())
    for part in parts:
        tint[part] = _colors(values[part], style, colors)
        yield False
    yield tint.size > stepwise.LONG
    native.set_tint(source.cloud(), tint)
    _made_of[uid] = made_of


def _colors(values: Any, style: Style, colors: dict[int, tuple[float, ...]]) -> Floats:
    """(N, 3) sRGB of what the view shows: numbers of objects, or fits."""
    if style[0] == "FIT":
        return heat(values)
    return objects.looked_up(values, colors, NO_OBJECT, np.float32, 3)


@persistent
def on_depsgraph(_scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Looks follow whatever changed of the splats' data."""
    if depsgraph.mode != "VIEWPORT":
        return
    changed = {
        update.id.original
        for update in depsgraph.updates
        if update.is_updated_geometry and isinstance(update.id, bpy.types.PointCloud)
    }
    for cloud in [o for o in bpy.data.objects if o.data in changed] if changed else []:
        if splats.is_splats(cloud):
            refresh(cloud)


@persistent
def on_load(*_arguments: object) -> None:
    """A file of an older Blender, or of this one; or one of its states."""
    _made_of.clear()
    adopt_all()


def _lists() -> list[tuple[Any, Any]]:
    """Blender's lists of handlers, and what of ours is in each."""
    handlers = bpy.app.handlers
    return [
        (handlers.load_post, on_load),
        (handlers.undo_post, on_load),
        (handlers.redo_post, on_load),
        (handlers.depsgraph_update_post, on_depsgraph),
    ]


def start() -> None:
    """Begins to watch, and looks at the file that is open; `stop` ends it."""
    for listed, ours in _lists():
        listed.append(ours)
    bpy.app.timers.register(adopt_all, first_interval=0.0)  # enabling forbids access to the file


def stop() -> None:
    """No handler of ours stays behind."""
    for listed, ours in _lists():
        if ours in listed:
            listed.remove(ours)
    if bpy.app.timers.is_registered(adopt_all):
        bpy.app.timers.unregister(adopt_all)
    _made_of.clear()
