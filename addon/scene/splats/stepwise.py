"""Reads splats' attributes step by step: a hundred megabytes that no one has used yet take longer
to get from the system than to fill.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from . import pointclouds, splats

Result = TypeVar("Result")
Stepwise = Generator[bool, None, Result]
PART = 1 << 20  # values that a step makes room for
LONG = 8 << 20  # above so many, Blender draws before it hands them over in one go


class Changed(Exception):
    """The splats that were worked on have others in their place, or are gone: work begins anew."""


@dataclass(frozen=True)
class SplatsAtWork:
    """Splats that a step finds again, whatever happened since the step before: Blender's objects
    themselves must not be held meanwhile.
    """

    uid: int  # session_uid of the object
    data: int  # and of its data
    count: int

    def cloud(self) -> bpy.types.Object:
        """The object; raises Changed where these are not its splats any more."""
        cloud = find(self.uid)
        if cloud is None or at_work(cloud) != self:
            raise Changed
        return cloud


def find(uid: int) -> bpy.types.Object | None:
    """The splat object of that session_uid."""
    cloud = next((o for o in bpy.data.objects if o.session_uid == uid), None)
    return cloud if splats.is_splats(cloud) else None


def again(uid: int) -> bpy.types.Object:
    """The same; raises Changed where it is gone."""
    cloud = find(uid)
    if cloud is None:
        raise Changed
    return cloud


def until_unchanged(uid: int, work: Callable[[bpy.types.Object], Stepwise[None]]) -> Stepwise[None]:
    """The work on those splats, from its beginning whenever they were changed under it; nothing
    more where they are gone.
    """
    while (cloud := find(uid)) is not None:
        try:
            yield from work(cloud)
        except Changed:
            yield False
        else:
            return


def at_work(cloud: bpy.types.Object) -> SplatsAtWork:
    """What to find the object's splats by."""
    return SplatsAtWork(
        cloud.session_uid, cloud.data.session_uid, pointclouds.point_count(cloud.data)
    )


def read(source: SplatsAtWork, name: str, evaluated: bool = False) -> Stepwise[NDArray[Any] | None]:
    """(N, width), or (N,) for width 1, in the attribute's own type; None where it is not there.
    `evaluated`: as the nodes have made it where the splats follow a mesh.
    """
    attribute = _data(source, evaluated).attributes.get(name)
    if attribute is None or attribute.domain != "POINT":
        return None
    kind, size = attribute.data_type, len(attribute.data)
    width, field = pointclouds.WIDTHS[kind], pointclouds.FIELDS[kind]
    values: NDArray[Any] = np.empty(size * width, pointclouds.DTYPES.get(kind, np.float32))
    for start in range(0, len(values), PART):
        values[start : start + PART] = 0
        yield False
    yield len(values) > LONG
    attribute = _data(source, evaluated).attributes.get(name)
    if attribute is None or len(attribute.data) != size or attribute.data_type != kind:
        raise Changed
    attribute.data.foreach_get(field, values)
    yield False
    return values if width == 1 else values.reshape(-1, width)


def _data(source: SplatsAtWork, evaluated: bool) -> pointclouds.Points:
    cloud = source.cloud()
    data: pointclouds.Points = splats.shown(cloud) if evaluated else cloud.data
    return data
