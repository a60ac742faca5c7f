"""What code may expect of a row in the list of objects."""

from collections.abc import Sequence
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
