"""Which frames of a transforms.json can be used: one that is bad among many is left out by name,
where enough good ones stay.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..geometry.arrays import Doubles
from ..protocol import InputError
from .capture_types import Frame
from .name_pairing import listed
from .named_files import is_name
from .natural_order import natural_key

ENOUGH = 3  # good frames, beside which bad ones are left out


def ordered_records(data: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The frames that name a picture, in natural order of the names, and a sentence about the
    others; InputError where too few are left.
    """
    records = data["frames"]
    named = [r for r in records if isinstance(r, dict) and is_name(r.get("file_path"))]
    bad = [
        f"number {number}"
        for number, r in enumerate(records, 1)
        if not isinstance(r, dict) or not is_name(r.get("file_path"))
    ]
    if bad and len(named) < ENOUGH:
        what = "has no file_path" if all(isinstance(r, dict) for r in records) else "is no record"
        raise InputError(f"transforms.json: a frame {what}.", "Export it again.")
    text = f"{len(bad)} of {len(records)} frames name no picture and were left out: {listed(bad)}."
    return sorted(named, key=lambda r: natural_key(r["file_path"])), text if bad else ""


def without_repeats(
    poses: Mapping[int, Doubles], records: Sequence[dict[str, Any]], places: Mapping[str, Path]
) -> tuple[dict[int, Doubles], list[str]]:
    """The poses, by the records' indices, each picture's once, and sentences about the others. Of
    records that are alike the first counts; where they differ, no one knows which is right.

    Raises:
        InputError: too few pictures are left; it names those that are listed again.
    """
    by_place: dict[Path, list[int]] = defaultdict(list)
    for index in poses:
        by_place[places[records[index]["file_path"]]].append(index)
    alike: list[str] = []
    unlike: list[str] = []
    gone: set[int] = set()
    for indices in by_place.values():
        first, *others = indices
        same = all(
            _but_name(records[first]) == _but_name(records[i])
            and np.array_equal(poses[first], poses[i])
            for i in others
        )
        if others:
            (alike if same else unlike).append(str(records[first]["file_path"]))
            gone |= set(others if same else indices)
    kept = {index: pose for index, pose in poses.items() if index not in gone}
    if unlike and len(kept) < ENOUGH:
        raise InputError(
            f"transforms.json names a picture twice, with different cameras: {listed(unlike)}.",
            "Remove the wrong ones, or export it again.",
        )
    told = []
    if alike:
        told.append(f"{len(alike)} pictures are listed twice, and count once: {listed(alike)}.")
    if unlike:
        told.append(
            f"{len(unlike)} pictures are listed twice, with different cameras, and were left out: "
            f"{listed(unlike)}."
        )
    return kept, told


def _but_name(record: dict[str, Any]) -> dict[str, Any]:
    """What a record says of its camera; names and poses are compared by what they come to."""
    return {k: v for k, v in record.items() if k not in ("file_path", "transform_matrix")}


def with_usable_lenses(
    indices: Sequence[int], records: Sequence[dict[str, Any]], frame_of: Callable[[int], Frame]
) -> tuple[dict[int, Frame], str]:
    """The frames whose camera is in order, by the records' indices, and a sentence about the
    others; the first one's InputError where too few are left.
    """
    frames: dict[int, Frame] = {}
    bad: dict[str, InputError] = {}
    for index in indices:
        try:
            frames[index] = frame_of(index)
        except InputError as error:
            bad[str(records[index]["file_path"])] = error
    if not bad:
        return frames, ""
    first = next(iter(bad.values()))
    if len(frames) < ENOUGH:
        raise first
    return frames, (
        f"{len(bad)} of {len(indices)} cameras have no usable lens or size and were left out: "
        f"{listed(bad)}. Of the first: {first.what}"
    )
