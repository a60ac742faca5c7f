"""Point-cloud data-blocks from arrays, in every Blender from 4.3 on.

4.3 and 4.4 can't make point clouds from Python; there, a mesh of loose vertices carries the same
attributes.
"""

from collections.abc import Mapping
from typing import Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ...blender_types import OPERATORS

# name -> (Blender's type, values by point)
Attributes = Mapping[str, tuple[str, NDArray[Any]]]
Points = bpy.types.PointCloud | bpy.types.Mesh  # data of a point cloud, or what stands in for one
FIELDS = {
    "FLOAT": "value",
    "INT": "value",
    "INT8": "value",
    "BOOLEAN": "value",
    "FLOAT_VECTOR": "vector",
    "FLOAT_COLOR": "color",
    "QUATERNION": "value",
    "FLOAT4": "vector",
}
WIDTHS = {
    "FLOAT": 1,
    "INT": 1,
    "INT8": 1,
    "BOOLEAN": 1,
    "FLOAT_VECTOR": 3,
    "FLOAT_COLOR": 4,
    "QUATERNION": 4,
    "FLOAT4": 4,
}

DTYPES = {"INT": np.int32, "INT8": np.int8, "BOOLEAN": bool}  # float32 all others


def has_type(kind: str) -> bool:
    """Whether this Blender knows an attribute type: FLOAT4 came after 4.5."""
    return kind in bpy.types.Attribute.bl_rna.properties["data_type"].enum_items


def write_attributes(data: Points, attributes: Attributes) -> None:
    """Creates what is missing and fills everything in."""
    for name, (kind, values) in attributes.items():
        attribute = data.attributes.get(name)
        if attribute is not None and (attribute.data_type != kind or attribute.domain != "POINT"):
            data.attributes.remove(attribute)
            attribute = None
        attribute = attribute or data.attributes.new(name, cast(Any, kind), "POINT")
        attribute.data.foreach_set(FIELDS[kind], np.ascontiguousarray(values).ravel())


def read_attribute(data: Points, name: str, width: int) -> NDArray[np.float32] | None:
    """(N, width), or (N,) for width 1; None where the attribute is not there."""
    attribute = data.attributes.get(name)
    if attribute is None or attribute.domain != "POINT":
        return None
    values = np.empty(len(attribute.data) * width, np.float32)
    attribute.data.foreach_get(FIELDS[attribute.data_type], values)
    return values if width == 1 else values.reshape(-1, width)


def positions(data: Points) -> NDArray[np.float32]:
    """(N, 3) where the points are, in the object's own space."""
    points = np.empty(point_count(data) * 3, np.float32)
    data.attributes["position"].data.foreach_get("vector", points)
    return points.reshape(-1, 3)


def all_attributes(data: Points) -> dict[str, tuple[str, NDArray[Any]]]:
    """Every attribute by point as it is stored, the position included, Blender's hidden ones left
    out.
    """
    stored: dict[str, tuple[str, NDArray[Any]]] = {}
    for attribute in data.attributes:
        if (
            attribute.domain != "POINT"
            or attribute.name.startswith(".")
            or attribute.data_type not in WIDTHS
        ):
            continue
        width = WIDTHS[attribute.data_type]
        kind = DTYPES.get(attribute.data_type, np.float32)
        values: NDArray[Any] = np.empty(len(attribute.data) * width, kind)
        attribute.data.foreach_get(FIELDS[attribute.data_type], values)
        stored[attribute.name] = (
            attribute.data_type,
            values if width == 1 else values.reshape(-1, width),
        )
    return stored


def new_object(
    name: str, collection: bpy.types.Collection, points: NDArray[np.float32], attributes: Attributes
) -> bpy.types.Object:
    """A point-cloud object in the collection."""
    if _can_resize():
        data = bpy.data.pointclouds.new(name)
        data.resize(len(points))  # type: ignore[attr-defined]  # from 5.0 on
        cloud = bpy.data.objects.new(name, data)
        collection.objects.link(cloud)
        write_attributes(data, {"position": ("FLOAT_VECTOR", points), **attributes})
        return cloud
    return _converted(name, collection, points, attributes)


def new_data(like: Points, attributes: Attributes) -> Points:
    """A data-block of the same kind with other points: `attributes` has their position too."""
    points = attributes["position"][1]
    if isinstance(like, bpy.types.Mesh):
        mesh = bpy.data.meshes.new(like.name)
        mesh.vertices.add(len(points))
        write_attributes(mesh, attributes)
        return mesh
    holder = new_object(
        like.name,
        bpy.context.scene.collection,
        points,
        {n: a for n, a in attributes.items() if n != "position"},
    )
    data: Points = holder.data
    bpy.data.objects.remove(holder)
    if hasattr(like, "type"):  # from 5.3 on
        cast(Any, data).type = like.type
    for material in like.materials:
        data.materials.append(material)
    return data


def discard(data: Points) -> None:
    """Removes a data-block that nothing uses any more."""
    if data.users:
        return
    if isinstance(data, bpy.types.PointCloud):
        bpy.data.pointclouds.remove(data)
    else:
        bpy.data.meshes.remove(data)


def point_count(data: Points) -> int:
    """Of a point cloud, or of the mesh that stands in for one."""
    return len(data.points) if isinstance(data, bpy.types.PointCloud) else len(data.vertices)


def are_real() -> bool:
    """Whether this Blender makes point clouds; else they are meshes, drawn as black dots of a fixed
    size.
    """
    return _can_resize() or _can_convert()


def _can_resize() -> bool:
    return "resize" in bpy.types.PointCloud.bl_rna.functions


def _can_convert() -> bool:
    return "POINTCLOUD" in OPERATORS.object.convert.get_rna_type().properties["target"].enum_items


def _converted(
    name: str, collection: bpy.types.Collection, points: NDArray[np.float32], attributes: Attributes
) -> bpy.types.Object:
    """Before 5.0 a point cloud can't be resized: make a mesh of loose vertices and convert it."""
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(points, np.float32).ravel())
    write_attributes(mesh, attributes)
    cloud = bpy.data.objects.new(name, mesh)
    collection.objects.link(cloud)
    if not _can_convert():
        return cloud
    layer = bpy.context.view_layer
    layer.update()
    active, selected = layer.objects.active, list(bpy.context.selected_objects)
    for other in selected:
        other.select_set(False)
    cloud.select_set(True)
    layer.objects.active = cloud
    with bpy.context.temp_override(
        active_object=cloud,
        object=cloud,
        selected_objects=[cloud],
        selected_editable_objects=[cloud],
    ):
        bpy.ops.object.convert(target="POINTCLOUD")
    cloud = layer.objects.active
    cloud.select_set(False)
    for other in selected:
        other.select_set(True)
    layer.objects.active = active
    cloud.name = cloud.data.name = name
    bpy.data.meshes.remove(mesh) if mesh.users == 0 else None
    return cloud
