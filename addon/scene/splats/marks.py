"""What artists say of splats, as attributes of the points: selected, hidden, how well words fit.
Undo and files carry them.

Splats of hidden or locked objects, and hidden or filtered ones, are never selected.
"""

from typing import Literal

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.geometry.arrays import Flags
from ....backend.protocol import InputError
from . import later, native, pointclouds

SELECTED, HIDDEN, FIT = "selected", "hidden", "fit"
FILTERED = "filtered"  # out by a filter or a crop
Mode = Literal["SET", "ADD", "SUBTRACT", "INTERSECT"]
MODES = [
    ("SET", "Set", "Select these instead of what was selected", "SELECT_SET", 0),
    ("ADD", "Add", "Select these too", "SELECT_EXTEND", 1),
    ("SUBTRACT", "Subtract", "Select these no longer", "SELECT_SUBTRACT", 2),
    ("INTERSECT", "Intersect", "Keep what was selected and is of these", "SELECT_INTERSECT", 3),
]


def read(cloud: bpy.types.Object, name: str) -> Flags:
    """(N,) a mark of every splat; all false where there is none. Filters that are still at work are
    ended first.
    """
    if name == FILTERED:
        later.finish(cloud.session_uid)
    return stored(cloud, name)


def stored(cloud: bpy.types.Object, name: str) -> Flags:
    """(N,) the same as it stands now."""
    attribute, count = cloud.data.attributes.get(name), pointclouds.point_count(cloud.data)
    values = np.zeros(count, bool)
    if attribute is not None and attribute.data_type == "BOOLEAN" and attribute.domain == "POINT":
        attribute.data.foreach_get("value", values)
    return values


def has(candidate: bpy.types.Object, name: str) -> bool:
    """Whether it carries that mark at all."""
    return candidate.type in ("POINTCLOUD", "MESH") and name in candidate.data.attributes


def write(cloud: bpy.types.Object, name: str, values: Flags) -> None:
    """Stores a mark (N,) of every splat; Blender's own imports get what shows it."""
    if values.any():
        native.adopt(cloud)
    pointclouds.write_attributes(cloud.data, {name: ("BOOLEAN", values)})
    cloud.data.update_tag()


def selected(cloud: bpy.types.Object) -> Flags:
    """(N,) with at least one of them true, else InputError."""
    mask = read(cloud, SELECTED)
    if not mask.any():
        raise InputError(
            "No splats are selected.", "Select some by words, by objects or with the brush."
        )
    return mask


def away(cloud: bpy.types.Object) -> Flags:
    """(N,) what is not shown: hidden, or filtered out."""
    return np.asarray(read(cloud, HIDDEN) | read(cloud, FILTERED))


def hide(cloud: bpy.types.Object, hidden: Flags) -> None:
    """Those (N,), and no others, are hidden; what is hidden is not selected."""
    write(cloud, HIDDEN, hidden)
    write(cloud, SELECTED, read(cloud, SELECTED) & ~hidden)


def fit(cloud: bpy.types.Object) -> NDArray[np.float32] | None:
    """(N,) how well the last words fit every splat, 0 to 1; None before any were asked."""
    return pointclouds.read_attribute(cloud.data, FIT, 1)


def combine(old: Flags, new: Flags, mode: Mode) -> Flags:
    """(N,) what is selected once `new` was set, added, subtracted or intersected."""
    if mode == "SET":
        return new
    if mode == "ADD":
        return old | new
    return old & ~new if mode == "SUBTRACT" else old & new


def select(
    cloud: bpy.types.Object,
    wanted: Flags,
    mode: Mode,
    old: Flags | None = None,
    locked: Flags | None = None,
) -> int:
    """Changes the selection (`old`, where it is not what is stored); how many splats are selected
    then.
    """
    old = read(cloud, SELECTED) if old is None else old
    result = combine(old, wanted, mode) & ~away(cloud)
    if locked is not None:
        result &= ~locked
    write(cloud, SELECTED, result)
    return int(result.sum())
