"""The objects of a segmentation: a number on every splat, a list beside them, and splats taken out or away by number."""

import json
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ...backend.formats import semantics_file, splat_ply
from ...backend.protocol import InputError
from . import pointclouds, splats

LABEL = semantics_file.LABEL


def _records(folder: Path) -> list[dict]:
    try:
        records = json.loads((folder / semantics_file.OBJECTS).read_text(encoding="utf-8"))
        for record in records:
            int(record["id"]), str(record["name"]), int(record["splats"]), float(record["score"]), [float(c) for c in record["color"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{folder.name} holds no list of objects.", "Run Segment again.") from error
    return records


def attach(cloud: bpy.types.Object, folder: Path) -> int:
    """Gives the splats their object numbers and the object its list; how many objects. InputError before anything changes."""
    records, labels = _records(folder), splat_ply.read(folder / "splats.ply").extra.get(LABEL)
    if labels is None or len(labels) != pointclouds.point_count(cloud.data):
        raise InputError(f"{cloud.name} has other splats than were segmented.", "Run Segment again.")
    numbers = np.where(labels == semantics_file.NOTHING, -1, labels.astype(np.int64)).astype(np.int32)
    pointclouds.write_attributes(cloud.data, {LABEL: ("INT", numbers)})
    listed = cloud.splatsmith_objects
    listed.clear()
    for record in records:
        item = listed.add()
        item.name, item.number, item.count, item.score = str(record["name"]), int(record["id"]), int(record["splats"]), record["score"]
        item.color = record["color"][:3]
    cloud.splatsmith_object = 0
    return len(records)


def segmented(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active splats if they have objects, else the newest that do."""
    found = [o for o in context.scene.objects if splats.is_splats(o) and o.splatsmith_objects]
    return context.object if context.object in found else found[-1] if found else None


def numbers_of(cloud: bpy.types.Object) -> NDArray[np.int32]:
    """(N,) the object of every splat, -1: none."""
    attribute = cloud.data.attributes.get(LABEL)
    if attribute is None or attribute.data_type != "INT" or attribute.domain != "POINT":
        raise InputError(f"{cloud.name} has no objects.", "Run Segment first.")
    values = np.empty(len(attribute.data), np.int32)
    attribute.data.foreach_get("value", values)
    return values


def chosen_items(cloud: bpy.types.Object) -> list[bpy.types.PropertyGroup]:
    """The ticked objects, or the active one."""
    listed = cloud.splatsmith_objects
    ticked = [item for item in listed if item.chosen]
    active = [listed[cloud.splatsmith_object]] if 0 <= cloud.splatsmith_object < len(listed) else []
    return ticked or active


def extract(cloud: bpy.types.Object, mask: NDArray[np.bool_], name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    """A copy of some of the splats as an object of its own, in the same place, every number as it was."""
    attributes = {n: (kind, values[mask]) for n, (kind, values) in pointclouds.all_attributes(cloud.data).items()}
    fresh = splats.show(pointclouds.new_object(name, collection, attributes.pop("position")[1], attributes))
    fresh.parent, fresh.matrix_parent_inverse = cloud.parent, cloud.matrix_parent_inverse.copy()
    fresh.matrix_basis = cloud.matrix_basis.copy()
    fresh[splats.MARK] = cloud.get(splats.MARK, "")
    return fresh


def keep(cloud: bpy.types.Object, mask: NDArray[np.bool_]) -> None:
    """Leaves some of the splats only; the object stays the same."""
    fresh = extract(cloud, mask, cloud.name, cloud.users_collection[0])
    old, cloud.data = cloud.data, fresh.data
    bpy.data.objects.remove(fresh)
    if not old.users:
        (bpy.data.pointclouds if isinstance(old, bpy.types.PointCloud) else bpy.data.meshes).remove(old)


def drop(cloud: bpy.types.Object, numbers: list[int]) -> None:
    """Takes objects off the list."""
    for index in reversed([i for i, item in enumerate(cloud.splatsmith_objects) if item.number in numbers]):
        cloud.splatsmith_objects.remove(index)
    cloud.splatsmith_object = min(cloud.splatsmith_object, max(len(cloud.splatsmith_objects) - 1, 0))
