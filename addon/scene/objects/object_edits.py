"""Splats taken out or away, objects made from others, and painted."""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.formats import semantics_file
from ....backend.geometry.arrays import Flags
from ..splats import pointclouds, radiance, splats
from . import granularity, neighbors, objects
from .object_item import ObjectItem


def extract(
    cloud: bpy.types.Object, mask: Flags, name: str, collection: bpy.types.Collection
) -> bpy.types.Object:
    """A copy of some of the splats as an object of its own, in the same place, every number as it
    was.
    """
    attributes = {
        n: (kind, values[mask])
        for n, (kind, values) in pointclouds.all_attributes(cloud.data).items()
    }
    return like(cloud, attributes, name, collection)


def like(
    cloud: bpy.types.Object,
    attributes: dict[str, tuple[str, NDArray[Any]]],
    name: str,
    collection: bpy.types.Collection,
) -> bpy.types.Object:
    """Splats with those attributes, `position` among them, in the place and with the notes of
    others.
    """
    attributes = dict(attributes)
    fresh = splats.show(
        pointclouds.new_object(name, collection, attributes.pop("position")[1], attributes)
    )
    fresh.parent, fresh.matrix_parent_inverse = cloud.parent, cloud.matrix_parent_inverse.copy()
    fresh.matrix_basis = cloud.matrix_basis.copy()
    for note in (splats.MARK, splats.NOTES):
        fresh[note] = cloud.get(note, "")
    return fresh


def keep(cloud: bpy.types.Object, mask: Flags) -> None:
    """Leaves some of the splats only; the object stays the same."""
    put(
        cloud,
        {
            n: (kind, values[mask])
            for n, (kind, values) in pointclouds.all_attributes(cloud.data).items()
        },
    )


def put(cloud: bpy.types.Object, attributes: dict[str, tuple[str, NDArray[Any]]]) -> None:
    """Other splats, with all their attributes, for the same object."""
    old, cloud.data = cloud.data, pointclouds.new_data(cloud.data, attributes)
    pointclouds.discard(old)
    if cloud.splatsmith_objects:
        objects.recount(cloud)


def drop(cloud: bpy.types.Object, numbers: list[int]) -> None:
    """Takes objects off the list."""
    if not numbers:
        return
    active = [item.number for item in objects.active_item(cloud)]
    for index in reversed(
        [i for i, item in enumerate(cloud.splatsmith_objects) if item.number in numbers]
    ):
        cloud.splatsmith_objects.remove(index)
    objects.replace_seconds(cloud, numbers, -1)
    left = [item.number for item in cloud.splatsmith_objects]
    place = (
        left.index(active[0])
        if active and active[0] in left
        else min(cloud.splatsmith_object, len(left) - 1)
    )
    cloud.splatsmith_object = max(place, 0)
    granularity.follow(cloud)


def drop_empty(cloud: bpy.types.Object) -> None:
    """Takes objects that have no splats left off the list."""
    drop(cloud, [item.number for item in cloud.splatsmith_objects if not item.count])


def merge(cloud: bpy.types.Object, items: list[ObjectItem]) -> None:
    """The first object takes the others in."""
    first, others = items[0], [item.number for item in items[1:]]
    number = first.number
    first.parts = ",".join(dict.fromkeys(p for item in items for p in item.parts.split(",") if p))
    labels = objects.numbers_of(cloud)
    labels[np.isin(labels, others)] = number
    pointclouds.write_attributes(cloud.data, {objects.LABEL: ("INT", labels)})
    objects.replace_seconds(cloud, others, number)
    objects.recount(cloud)
    objects.follow_eye(cloud, first)
    drop(cloud, others)


def new_item(cloud: bpy.types.Object, name: str, parent: ObjectItem | None) -> ObjectItem:
    """An object that nothing is of yet; it answers to the words that fit the one it comes from."""
    number = objects.free_number(cloud)
    parts, score, fit = (
        (parent.parts, parent.score, parent.fit) if parent is not None else ("", 1.0, 0.0)
    )  # `add` moves items
    item: ObjectItem = cloud.splatsmith_objects.add()
    item.name, item.number, item.parts, item.score, item.fit = name, number, parts, score, fit
    item.color = semantics_file.distinct_color(number)
    return item


def split_off(cloud: bpy.types.Object, mask: Flags) -> ObjectItem:
    """Those splats as a new object, called after the one that most of them were of."""
    labels = objects.numbers_of(cloud)[mask]
    most = (
        int(np.bincount(labels[labels >= 0], minlength=1).argmax()) if (labels >= 0).any() else -1
    )
    parent = next((item for item in cloud.splatsmith_objects if item.number == most), None)
    item = new_item(cloud, f"{parent.name} Part" if parent is not None else "New Object", parent)
    number = item.number
    objects.relabel(cloud, mask, number)
    drop_empty(cloud)
    index = next(i for i, item in enumerate(cloud.splatsmith_objects) if item.number == number)
    cloud.splatsmith_object = index
    added: ObjectItem = cloud.splatsmith_objects[index]
    return added


def split_loose(cloud: bpy.types.Object, item: ObjectItem, reach: float, smallest: int) -> int:
    """Parts of an object that do not touch become objects, if they are not tiny; how many objects
    it is then.
    """
    mine = np.flatnonzero(objects.of_items(cloud, [item]))
    points = pointclouds.positions(cloud.data)
    part = neighbors.parts(points[mine], reach)
    large = np.flatnonzero(np.bincount(part) >= smallest)
    for number in large[large > 0]:
        mask: Flags = np.zeros(len(points), bool)
        mask[mine[part == number]] = True
        split_off(cloud, mask)
    return max(1, len(large))


def srgb_of(cloud: bpy.types.Object) -> NDArray[np.float32]:
    """(N, 3) the splats' own colours, as seen from nowhere in particular."""
    return np.asarray(splats.base_of(cloud)[:, :3] * radiance.SH_C0 + 0.5, np.float32)


def recolor(
    cloud: bpy.types.Object, mask: Flags, color: tuple[float, float, float], strength: float
) -> None:
    """Gives splats the hue of an sRGB colour. Light and dark stay: their mean becomes the colour's
    own.

    Colours that follow the view fade with the strength: gloss of the old colour would shine
    through.
    """
    base, own = splats.base_of(cloud), srgb_of(cloud)[mask]
    light = own.mean(1, keepdims=True)
    wanted = np.array(color, np.float32) * light / max(float(light.mean()), 1e-3)
    mixed = own * (1 - strength) + wanted * strength
    base[mask, :3] = (mixed - 0.5) / radiance.SH_C0
    kind = cloud.data.attributes["radiance:base"].data_type
    changed = {"radiance:base": (kind, base)}
    for k in range(15):
        rest = pointclouds.read_attribute(cloud.data, f"radiance:sh_{k}", 3)
        if rest is not None:
            rest[mask] = rest[mask] * (1 - strength) + rest[mask].mean(1, keepdims=True) * strength
            changed[f"radiance:sh_{k}"] = ("FLOAT_VECTOR", rest)
    shown = pointclouds.read_attribute(cloud.data, "splat_color", 4)
    if shown is not None:
        shown[mask, :3] = radiance.srgb_to_linear(mixed.clip(0, 1))
        changed["splat_color"] = ("FLOAT_COLOR", shown)
    pointclouds.write_attributes(cloud.data, changed)
    cloud.data.update_tag()
