"""What code may expect of a row in the list of objects."""

from collections.abc import Iterable, Sequence
from typing import Protocol


class ObjectItem(Protocol):
    """A row of the list: SplatsmithObject in properties/, which Blender makes."""

    name: str
    number: int
    color: Sequence[float]
    count: int
    score: float
    fit: float
    parts: str
    hide: bool
    lock: bool
    chosen: bool
    group: int


def group_of(item: ObjectItem) -> int:
    """The number of the object that its group is called after; its own where it is alone."""
    return item.group if item.group >= 0 else item.number


def whole(listed: Iterable[ObjectItem], items: Iterable[ObjectItem]) -> list[ObjectItem]:
    """Those items and all others of their groups, in the order of the list."""
    wanted = {group_of(item) for item in items}
    return [item for item in listed if group_of(item) in wanted]
