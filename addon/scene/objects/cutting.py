"""Objects of splats cut clean, and what they hid closed: backend/cutting on Blender's data."""

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.cutting.clean_cut import CleanCut, clean_cut
from ....backend.cutting.filling import Filling, fill_behind
from ....backend.formats import splat_ply
from ....backend.geometry.arrays import Flags
from ..captures import camera_places
from ..splats import marks, pointclouds, splats
from . import object_edits, objects

Columns = dict[str, tuple[str, NDArray[Any]]]


def cuts_of(cloud: bpy.types.Object, things: Sequence[Flags], largest: bool) -> list[CleanCut]:
    """Each of the things (masks (N,)) cut clean of all objects that are none of them."""
    arrays = splats.read(cloud)
    together = np.any(list(things), axis=0)
    others = (objects.numbers_of(cloud) >= 0) & ~together
    return [clean_cut(arrays, mine, others, largest) for mine in things]


def extract(
    cloud: bpy.types.Object, cuts: Sequence[CleanCut], name: str, collection: bpy.types.Collection
) -> bpy.types.Object:
    """What was cut out, as an object of its own in the same place. Splats that were not cut keep
    every number.
    """
    source = np.concatenate([cut.source for cut in cuts])
    stored = pointclouds.all_attributes(cloud.data)
    columns: Columns = {n: (kind, values[source]) for n, (kind, values) in stored.items()}
    tiles = np.concatenate([cut.is_tile for cut in cuts])
    if tiles.any():
        shapes = splat_ply.joined([splat_ply.take(cut.arrays, cut.is_tile) for cut in cuts])
        fresh = {"position": ("FLOAT_VECTOR", shapes.means), **splats.attributes(shapes)}
        for key in ("position", "scale"):
            columns[key][1][tiles] = fresh[key][1]
        for key in ("radiance:base", "splat_color"):
            if key in columns:  # the opacity alone: colors keep their bits
                columns[key][1][tiles, 3] = fresh["radiance:base"][1][:, 3]
    return object_edits.like(cloud, columns, name, collection)


def fill(cloud: bpy.types.Object, mask: Flags) -> Filling:
    """Gaussians for what those splats (N,) hide, in the object's own space."""
    eyes = camera_places.of(cloud)
    arrays, labels = splats.read(cloud), objects.numbers_of(cloud)
    return fill_behind(arrays, mask, labels, eyes if len(eyes) else None)


def columns_of(filling: Filling, cloud: bpy.types.Object) -> Columns:
    """The Gaussians of a filling with all attributes that the object's splats have."""
    arrays = filling.arrays
    assert arrays is not None
    made = {"position": ("FLOAT_VECTOR", arrays.means), **splats.attributes(arrays)}
    made[objects.LABEL] = ("INT", filling.objects)
    made[objects.SECOND] = ("INT", np.full(len(arrays), -1, np.int32))
    made[objects.SHARE] = ("FLOAT", np.ones(len(arrays), np.float32))
    columns: Columns = {}
    for name, (kind, values) in pointclouds.all_attributes(cloud.data).items():
        empty = np.zeros((len(arrays), *values.shape[1:]), values.dtype)
        columns[name] = (kind, made[name][1] if name in made else empty)
    return columns


def joined(first: Columns, second: Columns) -> Columns:
    """The splats of both, which have the same attributes."""
    return {n: (kind, np.concatenate([v, second[n][1]])) for n, (kind, v) in first.items()}


def close(cloud: bpy.types.Object, filling: Filling) -> None:
    """Adds the Gaussians of a filling to splats."""
    if filling.arrays is not None:
        more = columns_of(filling, cloud)
        object_edits.put(cloud, joined(pointclouds.all_attributes(cloud.data), more))
        marks.write(cloud, marks.SELECTED, marks.read(cloud, marks.SELECTED))


def told(filling: Filling, cloud: bpy.types.Object) -> str:
    """For people."""
    if filling.arrays is None:
        return "nothing behind had to be closed"
    numbers = set(filling.objects.tolist())
    names = [item.name for item in cloud.splatsmith_objects if item.number in numbers]
    return f"{len(filling.objects):,} splats continue {', '.join(names)}"
