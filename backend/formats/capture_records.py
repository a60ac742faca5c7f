"""The frames of a transforms.json as a whole: with poses that can be used, and near the origin."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..geometry.arrays import Doubles
from ..geometry.far_origin import lost_cameras, offset_of
from ..protocol import InputError
from .capture_types import Frame, World, nowhere
from .name_pairing import listed
from .transforms_json import pose


def usable_poses(records: Sequence[dict[str, Any]]) -> tuple[dict[int, Doubles], str]:
    """The poses that can be used, by the records' indices, and a sentence about the others;
    InputError where none can.
    """
    poses: dict[int, Doubles] = {}
    first: InputError | None = None
    for index, record in enumerate(records):
        try:
            poses[index] = pose(record, str(record["file_path"]))
        except InputError as error:
            first = first or error
    if first is not None and not poses:
        raise first
    order = list(poses)
    for lost in lost_cameras(np.stack([poses[i][:3, 3] for i in order])):
        del poses[order[lost]]
    gone = [str(r["file_path"]) for i, r in enumerate(records) if i not in poses]
    return poses, (
        f"{len(gone)} of {len(records)} cameras have no usable pose and were left out: "
        f"{listed(gone)}."
        if gone
        else ""
    )


def numbers(data: dict[str, Any], key: str, shape: tuple[int, ...]) -> Doubles | None:
    """An array that the file may hold; None where it does not, or holds something else."""
    try:
        values = np.array(data.get(key), np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    if shape == (3, 4) and values.shape == (4, 4):
        values = values[:3]
    return values if values.shape == shape and np.isfinite(values).all() else None


def recentred(frames: list[Frame], data: dict[str, Any]) -> tuple[list[Frame], World, Doubles, str]:
    """Frames of a world that lies far from its origin moved near it, in double precision; what
    that took from the points.
    """
    said = numbers(data, "offset", (3,))
    before = nowhere() if said is None else said
    applied = numbers(data, "applied_transform", (3, 4))
    offset = offset_of(np.stack([f.camera_to_world[:3, 3] for f in frames]))
    if offset is None:
        return frames, World(offset=before, applied=applied), nowhere(), ""
    moved = []
    for frame in frames:
        matrix = frame.camera_to_world.copy()
        matrix[:3, 3] -= offset
        moved.append(replace(frame, camera_to_world=matrix))
    if applied is not None:
        applied = applied.copy()
        applied[:, 3] -= offset
    place = ", ".join(f"{v:.12g}" for v in offset)
    text = f"The world lies far from its origin and was moved by ({place}), which is kept."
    return moved, World(offset=before + offset, applied=applied), offset, text


def other_lists(file: Path) -> str:
    """nerf_synthetic's and its kin's other lists of frames, which are not read."""
    if file.name != "transforms_train.json":
        return ""
    others = [
        n for n in ("transforms_val.json", "transforms_test.json") if (file.parent / n).is_file()
    ]
    return f"Only {file.name} was read, not {' and '.join(others)}." if others else ""
