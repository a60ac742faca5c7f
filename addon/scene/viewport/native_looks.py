"""Keeps splats that Blender draws itself looking as the panel says: the selection, the objects'
colours, how well words fit. And hands over to Blender what older files hold.
"""

import zlib
from typing import Any

import bpy
import numpy as np

from ....backend.geometry.arrays import Floats, Ints
from ...blender_types import persistent
from ..objects import objects
from ..splats import marks, native, pointclouds, radiance, splats
from .looks import look_of, style_of
from .splat_colors import Look, displayed

_made_of: dict[int, tuple[object, ...]] = {}  # what each look was made of, by session_uid


def adopt_all() -> None:
    """Every splat object of the file that Blender can draw, it draws from now on."""
    if not native.is_known():
        return
    for cloud in bpy.data.objects:
        if splats.is_splats(cloud) and (splats.MARK in cloud or native.is_native(cloud)):
            if splats.MARK in cloud:
                native.adopt(cloud)
            refresh(cloud)


def refresh(cloud: bpy.types.Object) -> None:
    """Makes the look anew where anything changed that it is made of."""
    if not native.is_native(cloud) or not cloud.data.is_editable:
        return
    now = _ingredients(cloud)
    if _made_of.get(cloud.session_uid) == now:
        return
    _made_of[cloud.session_uid] = now
    look = look_of(cloud, style_of(cloud)[0])
    tinted = look.objects is not None or look.fit is not None
    counts = np.full(pointclouds.point_count(cloud.data), tinted)
    counts |= marks.read(cloud, marks.SELECTED)
    if not counts.any():
        native.set_look(cloud, None)
        return
    native.set_look(cloud, _colors(cloud, look, np.flatnonzero(counts)))


def _colors(cloud: bpy.types.Object, look: Look, shown: Ints) -> Floats:
    """(N, 4) sRGB and whether it counts, of the splats at `shown` (M,): a selection is a small part
    of a million as a rule.
    """
    base = splats.base_of(cloud)
    some = Look(
        selected=None if look.selected is None else look.selected[shown],
        hidden=None if look.hidden is None else look.hidden[shown],
        objects=None if look.objects is None else look.objects[shown],
        fit=None if look.fit is None else look.fit[shown],
    )
    colors = np.zeros((len(base), 4), np.float32)
    rgb = base[shown, :3] * np.float32(radiance.SH_C0) + np.float32(0.5)
    colors[shown, :3] = displayed(rgb, some)[:, :3]
    colors[shown, 3] = 1
    return colors


def _ingredients(cloud: bpy.types.Object) -> tuple[object, ...]:
    """The panel's choice, and checksums of what by point it shows."""
    view, colors = style_of(cloud)
    names: list[str] = [marks.SELECTED]
    names += {"OBJECTS": [objects.LABEL], "FIT": [marks.FIT]}.get(view, [])
    shown = [_checksum(cloud, name) for name in names]
    base = _checksum(cloud, "radiance:base") if view != "OWN" or shown[0] else 0
    return (cloud.data.session_uid, view, colors, base, *shown)


def _checksum(cloud: bpy.types.Object, name: str) -> int:
    """Of an attribute's values; 0 where they are all 0, or not there."""
    attribute = cloud.data.attributes.get(name)
    if attribute is None or attribute.data_type not in pointclouds.WIDTHS:
        return 0
    width, kind = pointclouds.WIDTHS[attribute.data_type], np.float32
    values: Any = np.empty(
        len(attribute.data) * width,
        {"INT": np.int32, "BOOLEAN": bool}.get(attribute.data_type, kind),
    )
    attribute.data.foreach_get(pointclouds.FIELDS[attribute.data_type], values)
    return zlib.crc32(values.data) if values.any() else 0


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
    """A file of an older Blender, or of this one."""
    _made_of.clear()
    adopt_all()


def start() -> None:
    """Begins to watch, and looks at the file that is open; `stop` ends it."""
    bpy.app.handlers.load_post.append(on_load)
    bpy.app.handlers.depsgraph_update_post.append(on_depsgraph)
    bpy.app.timers.register(adopt_all, first_interval=0.0)  # enabling forbids access to the file


def stop() -> None:
    """No handler of ours stays behind."""
    listed: list[tuple[Any, Any]] = [
        (bpy.app.handlers.load_post, on_load),
        (bpy.app.handlers.depsgraph_update_post, on_depsgraph),
    ]
    for handlers, ours in listed:
        if ours in handlers:
            handlers.remove(ours)
    if bpy.app.timers.is_registered(adopt_all):
        bpy.app.timers.unregister(adopt_all)
    _made_of.clear()
