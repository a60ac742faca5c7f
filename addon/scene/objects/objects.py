"""The objects of a segmentation: numbers on every splat, and a list beside them.

A splat along an edge is of two objects: `object_id` is the one that it is most of, `object_share`
how much, and `object_second` the other. Objects that were merged or split remember in `parts` which
rows of the words' table they are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.formats import semantics_file, splat_ply
from ....backend.protocol import InputError
from ..splats import marks, pointclouds, splats
from .object_item import ObjectItem, group_of, whole
from .records import edges, read_records

LABEL, SECOND, SHARE = semantics_file.LABEL, "object_second", "object_share"
FOLDER, MODEL = (
    "splatsmith_segmentation",
    "splatsmith_words",
)  # on the object: where words are looked up, and in what model
# and the tree of its objects, as flat lists; and how many rows the words' table has
PAIRS, RATES = "splatsmith_tree_pairs", "splatsmith_tree_rates"
ROWS = "splatsmith_tree_rows"


def attach(cloud: bpy.types.Object, folder: Path) -> int:
    """Gives the splats their object numbers and the object its list; how many objects. InputError
    before anything changes.
    """
    records, labels = read_records(folder), splat_ply.read(folder / "splats.ply").extra.get(LABEL)
    count = pointclouds.point_count(cloud.data)
    if labels is None or len(labels) != count:
        raise InputError(
            f"{cloud.name} has other splats than objects were found for.",
            "Press Find Objects again.",
        )
    numbers = np.where(labels == semantics_file.NOTHING, -1, labels.astype(np.int64)).astype(
        np.int32
    )
    second, share, model = np.full(count, -1, np.int32), np.ones(count, np.float32), ""
    if (folder / semantics_file.NAME).is_file():
        semantics = semantics_file.read(folder / semantics_file.NAME)
        (second, share), model = edges(semantics, numbers), semantics.model
    pointclouds.write_attributes(
        cloud.data, {LABEL: ("INT", numbers), SECOND: ("INT", second), SHARE: ("FLOAT", share)}
    )
    for stale in (marks.FIT, marks.SELECTED, marks.HIDDEN):  # of an earlier segmentation
        if stale in cloud.data.attributes:
            cloud.data.attributes.remove(cloud.data.attributes[stale])
    cloud.splatsmith_objects.clear()
    for record in records:
        item = cloud.splatsmith_objects.add()
        item.name, item.number, item.count, item.score = (
            str(record["name"]),
            int(record["id"]),
            int(record["splats"]),
            record["score"],
        )
        item.color, item.parts = record["color"][:3], str(int(record["id"]))
    cloud.splatsmith_object = 0
    cloud[FOLDER], cloud[MODEL], cloud[ROWS] = str(folder), model, len(records)
    for stale in (PAIRS, RATES):  # granularity.py makes them when they are asked for
        if stale in cloud:
            del cloud[stale]
    cloud.splatsmith_granularity = 1.0
    return len(records)


def target(context: bpy.types.Context) -> bpy.types.Object | None:
    """What selecting and editing work on: the active splats, or those that the active empty crops;
    where something else is active, the newest that have objects, else the newest.
    """
    cloud = splats.chosen(context)
    if cloud is None or cloud.splatsmith_objects or splats.is_active(context, cloud):
        return cloud
    listed = [o for o in context.scene.objects if splats.is_splats(o) and o.splatsmith_objects]
    return listed[-1] if listed else cloud


def segmented(context: bpy.types.Context) -> bpy.types.Object | None:
    """The target, if it has objects."""
    cloud = target(context)
    return cloud if cloud is not None and cloud.splatsmith_objects else None


def demand_target(context: bpy.types.Context) -> bpy.types.Object:
    """The target; InputError where there are no splats."""
    cloud = target(context)
    if cloud is None:
        raise InputError("There are no splats.", "Train or import some first.")
    return cloud


def demand_segmented(context: bpy.types.Context) -> bpy.types.Object:
    """The target; InputError where it has no objects."""
    cloud = segmented(context)
    if cloud is None:
        raise InputError("No splats have objects.", "Press Find Objects first.")
    return cloud


def _ints(cloud: bpy.types.Object, name: str) -> NDArray[np.int32] | None:
    attribute = cloud.data.attributes.get(name)
    if attribute is None or attribute.data_type != "INT" or attribute.domain != "POINT":
        return None
    values = np.empty(len(attribute.data), np.int32)
    attribute.data.foreach_get("value", values)
    return values


def numbers_of(cloud: bpy.types.Object) -> NDArray[np.int32]:
    """(N,) the object of every splat, -1: none."""
    values = _ints(cloud, LABEL)
    if values is None:
        raise InputError(f"{cloud.name} has no objects.", "Press Find Objects first.")
    return values


def relabel(cloud: bpy.types.Object, where: NDArray[np.bool_], number: int) -> None:
    """Those splats are of that object now, wholly; counts follow."""
    count = len(where)
    labels, second, share = (
        numbers_of(cloud),
        _ints(cloud, SECOND),
        pointclouds.read_attribute(cloud.data, SHARE, 1),
    )
    second = np.full(count, -1, np.int32) if second is None else second
    share = np.ones(count, np.float32) if share is None else share
    labels[where], second[where], share[where] = number, -1, 1
    pointclouds.write_attributes(
        cloud.data, {LABEL: ("INT", labels), SECOND: ("INT", second), SHARE: ("FLOAT", share)}
    )
    recount(cloud)
    cloud.data.update_tag()


def replace_seconds(cloud: bpy.types.Object, numbers: Sequence[int], by: int) -> None:
    """Along edges, objects that are no more give way to another; to none at all where that is -1 or
    the splat's own.
    """
    second, share = _ints(cloud, SECOND), pointclouds.read_attribute(cloud.data, SHARE, 1)
    if second is None or share is None:
        return
    second[np.isin(second, list(numbers))] = by
    alone = (second < 0) | (second == numbers_of(cloud))
    second[alone], share[alone] = -1, 1
    pointclouds.write_attributes(cloud.data, {SECOND: ("INT", second), SHARE: ("FLOAT", share)})


def free_number(cloud: bpy.types.Object) -> int:
    """One that no object and no splat has."""
    used: list[int] = [item.number for item in cloud.splatsmith_objects]
    used.append(int(numbers_of(cloud).max(initial=-1)))
    second = _ints(cloud, SECOND)
    return max([*used, int(second.max(initial=-1)) if second is not None else -1]) + 1


def recount(cloud: bpy.types.Object) -> None:
    """Counts follow the labels."""
    labels = numbers_of(cloud)
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    for item in cloud.splatsmith_objects:
        item.count = int(sizes[item.number]) if item.number < len(sizes) else 0


def of_each(
    cloud: bpy.types.Object,
    values: Mapping[int, object],
    fallback: object,
    kind: type,
    width: int = 1,
) -> NDArray[Any]:
    """(N,) or (N, width): what each splat's object has, by the object's number."""
    return looked_up(numbers_of(cloud), values, fallback, kind, width)


def looked_up(
    labels: NDArray[np.int32],
    values: Mapping[int, object],
    fallback: object,
    kind: type,
    width: int = 1,
) -> NDArray[Any]:
    """The value of each label (N,), below 0: none; `fallback` where there is none."""
    size = max([int(labels.max(initial=-1)), *values, -1]) + 2
    table: NDArray[Any] = np.empty((size, width), kind)
    table[:] = fallback
    for number, value in values.items():
        table[number] = value
    each = table[np.where(labels < 0, size - 1, labels)]
    return each[:, 0] if width == 1 else each


def of_items(cloud: bpy.types.Object, items: Sequence[ObjectItem]) -> NDArray[np.bool_]:
    """(N,) the splats of those objects."""
    return of_each(cloud, {item.number: True for item in items}, False, bool)


def locked(cloud: bpy.types.Object) -> NDArray[np.bool_] | None:
    """(N,) the splats of locked objects; None where nothing is locked."""
    items = [item for item in cloud.splatsmith_objects if item.lock]
    return of_items(cloud, whole(cloud.splatsmith_objects, items)) if items else None


def unlocked(cloud: bpy.types.Object, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those of the splats (N,) that may be changed; InputError where that is none of them."""
    held = locked(cloud)
    free = mask if held is None else mask & ~held
    if mask.any() and not free.any():
        raise InputError("All of that is locked.", "Open the locks in the list of objects.")
    return free


def fit_of_splats(cloud: bpy.types.Object) -> NDArray[np.float32]:
    """(N,) the objects' fits, mixed along edges by share."""
    fits = {item.number: item.fit for item in cloud.splatsmith_objects}
    own, second = of_each(cloud, fits, 0.0, np.float32), _ints(cloud, SECOND)
    share = pointclouds.read_attribute(cloud.data, SHARE, 1)
    if second is None or share is None:
        return own
    other = looked_up(second, fits, 0.0, np.float32)
    return np.asarray(share * own + (1 - share) * other, np.float32)


def take_fits(cloud: bpy.types.Object, scores: NDArray[np.float32]) -> None:
    """scores (K,) by row of the words' table: every object has the best of its parts."""
    for item in cloud.splatsmith_objects:
        rows = [int(p) for p in item.parts.split(",") if p and int(p) < len(scores)]
        item.fit = max((float(scores[r]) for r in rows), default=0.0)
    pointclouds.write_attributes(cloud.data, {marks.FIT: ("FLOAT", fit_of_splats(cloud))})


def ticked(cloud: bpy.types.Object) -> list[ObjectItem]:
    """The ticked objects."""
    return [item for item in cloud.splatsmith_objects if item.chosen]


def chosen_items(cloud: bpy.types.Object) -> list[ObjectItem]:
    """The ticked objects, or the active one, and all of their groups."""
    return whole(cloud.splatsmith_objects, ticked(cloud) or active_item(cloud))


def groups_of(cloud: bpy.types.Object, items: Sequence[ObjectItem]) -> list[list[ObjectItem]]:
    """Whole groups, each with the object that it is called after first."""
    groups: dict[int, list[ObjectItem]] = {}
    for item in whole(cloud.splatsmith_objects, items):
        groups.setdefault(group_of(item), []).append(item)
    return [
        [i for i in group if i.number == number] + [i for i in group if i.number != number]
        for number, group in groups.items()
    ]


def with_groups(cloud: bpy.types.Object, numbers: NDArray[np.int32]) -> list[int]:
    """The objects of those numbers, and all of their groups."""
    items = [item for item in cloud.splatsmith_objects if item.number in numbers]
    known = {item.number for item in whole(cloud.splatsmith_objects, items)}
    return sorted(known | {int(n) for n in numbers})


def chosen_groups(cloud: bpy.types.Object) -> list[list[ObjectItem]]:
    """The chosen objects, group by group."""
    return groups_of(cloud, chosen_items(cloud))


def active_item(cloud: bpy.types.Object) -> list[ObjectItem]:
    """The active object; empty where there is none."""
    listed = cloud.splatsmith_objects
    return [listed[cloud.splatsmith_object]] if 0 <= cloud.splatsmith_object < len(listed) else []


def follow_lock(cloud: bpy.types.Object, item: ObjectItem) -> None:
    """What was locked is no longer selected."""
    if item.lock:
        mine = of_items(cloud, whole(cloud.splatsmith_objects, [item]))
        marks.select(cloud, mine, "SUBTRACT")


def follow_eye(cloud: bpy.types.Object, item: ObjectItem) -> None:
    """Splats of an object whose eye was shut are hidden, and no longer selected; else they are
    shown.
    """
    mine = of_items(cloud, whole(cloud.splatsmith_objects, [item]))
    hidden = marks.read(cloud, marks.HIDDEN)
    hidden[mine] = item.hide
    marks.hide(cloud, hidden)
