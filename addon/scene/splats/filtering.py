"""Filters and crops of splat objects: live, and nothing is taken away before *Delete Hidden*.

What does not pass is marked by point; the viewport, renders and selecting leave it out. A crop is
an empty, a cube or a sphere, that Blender's own gizmos move, turn and scale.
"""

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ....backend.geometry.arrays import Flags
from ...blender_types import persistent
from . import marks, pointclouds, splats
from .filters import Crop, Limits, Shapes, passing

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
    """Marks what does not pass, if that changed."""
    if not splats.is_splats(cloud):
        return
    crops = [c for c in (_crop(empty, cloud) for empty in crops_of(cloud)) if c is not None]
    limits = limits_of(cloud)
    had = marks.read(cloud, marks.FILTERED)
    out: Flags = np.zeros_like(had)
    if crops or limits != Limits():
        out = ~passing(shapes_of(cloud), limits, crops)
    if (out != had).any():
        marks.write(cloud, marks.FILTERED, out)


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


def start() -> None:
    """Begins to watch; `stop` ends it."""
    bpy.app.handlers.depsgraph_update_post.append(on_depsgraph)


def stop() -> None:
    """No handler of ours stays behind."""
    if on_depsgraph in bpy.app.handlers.depsgraph_update_post:
        bpy.app.handlers.depsgraph_update_post.remove(on_depsgraph)
