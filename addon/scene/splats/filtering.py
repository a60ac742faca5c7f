"""Filters and crops of splat objects: live, and nothing is taken away before *Delete Hidden*.

What does not pass is marked by point; the viewport, renders and selecting leave it out. A crop is
an empty, a cube or a sphere, that Blender's own gizmos move, turn and scale.
"""

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ....backend.geometry.arrays import Flags, Floats
from ...blender_types import persistent
from . import later, marks, pointclouds, splats, stepwise
from .filters import Crop, Limits, Shapes, passing

FILTERING = "splatsmith_filtering"  # on splats whose filters are still at work
ROOM = 1.05  # how much larger than the splats' middle a fresh crop is


def shapes_of(cloud: bpy.types.Object) -> Shapes:
    """What filters and cleaning look at, in the splats' own space."""
    data = splats.shown(cloud)
    scales = pointclouds.read_attribute(data, "scale", 3)
    views: Any = pointclouds.read_attribute(data, "views", 1) if _counts(data) else None
    return Shapes(
        means=pointclouds.positions(data),
        scales=np.ones((pointclouds.point_count(data), 3), np.float32)
        if scales is None
        else scales,
        opacities=splats.base_of(cloud)[:, 3],
        views=views,
    )


def _counts(data: pointclouds.Points) -> bool:
    """Whether the splats say how many pictures see them."""
    attribute = data.attributes.get("views")
    return attribute is not None and attribute.data_type in ("INT", "FLOAT")


def limits_of(cloud: bpy.types.Object) -> Limits:
    """The panel's numbers."""
    f = cloud.splatsmith_filters
    return Limits(
        opacity=f.opacity,
        size=f.size,
        elongation=f.elongation,
        distance=f.distance,
        views=f.views,
    )


def crops_of(cloud: bpy.types.Object) -> list[bpy.types.Object]:
    """The empties that crop these splats, those that are switched off too."""
    return [o for o in bpy.data.objects if o.type == "EMPTY" and o.splatsmith_crop.cloud == cloud]


def _crop(empty: bpy.types.Object, cloud: bpy.types.Object) -> Crop | None:
    if not empty.splatsmith_crop.use or abs(empty.matrix_world.determinant()) < 1e-18:
        return None
    size = Matrix.Scale(empty.empty_display_size, 4)
    matrix = (empty.matrix_world @ size).inverted() @ cloud.matrix_world
    return Crop(
        matrix=np.array(matrix, np.float64),
        ball=empty.empty_display_type == "SPHERE",
        outside=empty.splatsmith_crop.outside,
    )


def refresh(cloud: bpy.types.Object) -> None:
    """Marks what does not pass, if that changed: at once, or in slices where they are too many."""
    if splats.is_splats(cloud):
        uid = cloud.session_uid
        later.do("filter", uid, stepwise.until_unchanged(uid, _pass))
        if later.pending(uid) and cloud.is_editable:
            cloud[FILTERING] = True


def _pass(cloud: bpy.types.Object) -> later.Steps:
    source, limits = stepwise.at_work(cloud), limits_of(cloud)
    crops = [c for c in (_crop(empty, cloud) for empty in crops_of(cloud)) if c is not None]
    out: Flags = np.zeros(source.count, bool)
    if crops or limits != Limits():
        shapes = yield from _needed(source, limits, bool(crops))
        out = ~(yield from passing(shapes, limits, crops))
        yield False
    cloud = source.cloud()
    if (out != marks.stored(cloud, marks.FILTERED)).any():
        marks.write(cloud, marks.FILTERED, out)
    if FILTERING in cloud:
        del cloud[FILTERING]


def _needed(
    source: stepwise.SplatsAtWork, limits: Limits, crops: bool
) -> stepwise.Stepwise[Shapes]:
    """What the limits and crops look at; of the rest nothing is read."""
    means = scales = base = views = None
    if crops or limits.distance > 0:
        means = yield from stepwise.read(source, "position", evaluated=True)
    if limits.size > 0 or limits.elongation > 0:
        scales = yield from stepwise.read(source, "scale", evaluated=True)
    if limits.opacity > 0:
        base = yield from stepwise.read(source, "radiance:base")
    if limits.views > 0 and _counts(splats.shown(source.cloud())):
        views = yield from stepwise.read(source, "views", evaluated=True)
    ones: Floats = np.broadcast_to(np.float32(1), (source.count, 4))  # of no size
    return Shapes(
        means=ones[:, :3] if means is None else means,
        scales=ones[:, :3] if scales is None else scales,
        opacities=(ones if base is None else base)[:, 3],
        views=views,
    )


def clear(cloud: bpy.types.Object) -> None:
    """All filters off, the crops gone; nothing is filtered out."""
    for name in ("opacity", "size", "elongation", "distance", "views"):
        cloud.splatsmith_filters.property_unset(name)
    for empty in crops_of(cloud):
        bpy.data.objects.remove(empty)
    refresh(cloud)


def add_crop(
    cloud: bpy.types.Object, ball: bool, collection: bpy.types.Collection
) -> bpy.types.Object:
    """An empty around the middle nine tenths of the splats, along their object's axes."""
    empty = bpy.data.objects.new(f"{cloud.name} Crop", None)
    empty.empty_display_type, empty.empty_display_size = ("SPHERE" if ball else "CUBE"), 1.0
    collection.objects.link(empty)
    points = pointclouds.positions(splats.shown(cloud))
    low, high = np.percentile(points[:: max(1, len(points) // 100_000)], (5, 95), axis=0)
    half = np.maximum((high - low) / 2 * ROOM, 1e-6)
    half = np.full(3, float(np.linalg.norm(half))) if ball else half
    place = Matrix.Translation(((low + high) / 2).tolist())
    empty.matrix_world = cloud.matrix_world @ place @ Matrix.Diagonal([*half.tolist(), 1.0])
    empty.splatsmith_crop.cloud = cloud
    return empty


@persistent
def on_depsgraph(_scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """A crop that was moved, or whose splats were, crops anew."""
    if depsgraph.mode != "VIEWPORT":
        return
    moved = [
        update.id.original
        for update in depsgraph.updates
        if update.is_updated_transform and isinstance(update.id, bpy.types.Object)
    ]
    clouds = {o.splatsmith_crop.cloud for o in moved if o.type == "EMPTY"} - {None}
    clouds |= {o for o in moved if splats.is_splats(o) and crops_of(o)}
    for cloud in clouds:
        refresh(cloud)


@persistent
def on_load(*_arguments: object) -> None:
    """Blender saves by itself at any time: such a file may lack what was still to be done."""
    _make_good([o for o in bpy.data.objects if FILTERING in o])


@persistent
def on_undo(*_arguments: object) -> None:
    """What Blender keeps of a step may lack what was still to be done then."""
    _make_good([o for o in bpy.data.objects if marks.has(o, marks.FILTERED) or _filters(o)])


def _filters(cloud: bpy.types.Object) -> bool:
    return limits_of(cloud) != Limits() or bool(crops_of(cloud))


def _make_good(clouds: list[bpy.types.Object]) -> None:
    if clouds:
        bpy.context.view_layer.update()  # in files that were just opened nothing has a place yet
    for cloud in clouds:
        if all(_has_place(o) for o in (cloud, *crops_of(cloud))):
            refresh(cloud)


def _has_place(obj: bpy.types.Object) -> bool:
    """Whether Blender works out where it stands: not for what is disabled in viewports."""
    return bool(obj.visible_get() or obj.hide_get()) and not obj.hide_viewport


def _lists() -> list[tuple[Any, Any]]:
    """Blender's lists of handlers, and what of ours is in each."""
    handlers = bpy.app.handlers
    return [
        (handlers.depsgraph_update_post, on_depsgraph),
        (handlers.load_post, on_load),
        (handlers.undo_post, on_undo),
        (handlers.redo_post, on_undo),
    ]


def start() -> None:
    """Begins to watch; `stop` ends it."""
    for listed, ours in _lists():
        listed.append(ours)


def stop() -> None:
    """No handler of ours stays behind."""
    for listed, ours in _lists():
        if ours in listed:
            listed.remove(ours)
