"""Tables that say which bone does what a face's curves ask for: plain JSON, which an artist may
edit. Standard library only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..protocol import InputError
from .arkit import BLENDSHAPES, mirrored
from .json_file import read_record
from .motion_file import HEAD

# axes of an armature whose face looks along -y: to its left, backwards, up
CHANNELS = {
    "move_left": (1, 0, 0),
    "move_back": (0, 1, 0),
    "move_up": (0, 0, 1),
    "turn_pitch": (1, 0, 0),
    "turn_yaw": (0, 0, 1),
    "turn_roll": (0, 1, 0),
}
MIRRORED = ("move_left", "turn_yaw", "turn_roll")  # go the other way on the other side
CURVES = (*BLENDSHAPES, *HEAD)
MOST_ROWS, MOST_GAIN = 2000, 1000.0
ADVICE = "Compare it with one of the tables that come along."


@dataclass(frozen=True)
class BoneRow:
    """At full shape a bone moves by `gain` eye distances, or turns by `gain` degrees."""

    shape: str
    bone: str
    channel: str
    gain: float


@dataclass(frozen=True, kw_only=True)
class BoneTable:
    """For one kind of rig."""

    name: str
    eyes: tuple[str, str]  # bones of the left and the right eye, whose distance is the unit
    needed: tuple[str, ...]  # bones by which the kind is known
    rows: tuple[BoneRow, ...]


def read(path: Path) -> BoneTable:
    """InputError where a row has no such shape or channel, or a gain that is no number."""
    data = read_record(path)
    rows = data.get("rows")
    eyes, needed = data.get("eyes"), data.get("needed", [])
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS:
        raise InputError(f"{path.name} has no rows.", ADVICE)
    if not (isinstance(eyes, list) and _names(eyes) and len(eyes) == 2 and _names(needed)):
        raise InputError(f"{path.name} does not name the two bones of the eyes.", ADVICE)
    ends = data.get("sides", [".L", ".R"])
    if not (_names(ends) and len(ends) == 2):
        raise InputError(f"{path.name} does not name the two endings of sides.", ADVICE)
    table = [_row(path, number, row) for number, row in enumerate(rows, 1)]
    both = [side for row in table for side in (row, *_other_side(row, ends))]
    return BoneTable(
        name=str(data.get("name", path.stem)),
        eyes=(eyes[0], eyes[1]),
        needed=tuple(needed),
        rows=tuple(dict.fromkeys(both)),
    )


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name for name in value)


def _row(path: Path, number: int, row: Any) -> BoneRow:
    if not isinstance(row, dict) or not isinstance(row.get("bone"), str):
        raise InputError(f"Row {number} of {path.name} names no bone.", ADVICE)
    shape, channel, gain = row.get("shape"), row.get("channel"), row.get("gain")
    if shape not in CURVES:
        raise InputError(
            f"Row {number} of {path.name}: there is no shape {shape!r}.", "Use ARKit's names."
        )
    if channel not in CHANNELS:
        raise InputError(
            f"Row {number} of {path.name}: there is no channel {channel!r}.",
            f"One of: {', '.join(CHANNELS)}.",
        )
    if isinstance(gain, bool) or not isinstance(gain, int | float) or not abs(gain) <= MOST_GAIN:
        raise InputError(f"Row {number} of {path.name}: {gain!r} is no gain.", ADVICE)
    return BoneRow(shape, row["bone"], channel, float(gain))


def _other_side(row: BoneRow, ends: Sequence[str]) -> list[BoneRow]:
    """What a left shape does to a left bone, its mirror does to the right one."""
    if not row.shape.endswith("Left"):
        return []
    bone = _swapped(row.bone, ends)  # one in the middle is its own mirror
    return [BoneRow(mirrored(row.shape), bone, row.channel, _turned(row))]


def _turned(row: BoneRow) -> float:
    return -row.gain if row.channel in MIRRORED else row.gain


def _swapped(bone: str, ends: Sequence[str]) -> str:
    """lid.T.L.002 -> lid.T.R.002, c_lips_smile.l -> c_lips_smile.r"""
    for own, other in (ends, ends[::-1]):
        if bone.endswith(own):
            return bone.removesuffix(own) + other
        if f"{own}." in bone:
            return bone.replace(f"{own}.", f"{other}.", 1)
    return bone


def fits(table: BoneTable, bones: Sequence[str]) -> bool:
    """Whether an armature with these bones is of the table's kind."""
    present = set(bones)
    return bool(table.needed) and set(table.needed) <= present
