"""What a segmentation leaves of its objects, as the add-on reads it. No bpy."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....backend.formats import semantics_file
from ....backend.formats.json_file import read_json
from ....backend.protocol import InputError


def read_records(folder: Path) -> list[dict[str, Any]]:
    """objects.json, checked; InputError for anything else."""
    try:
        records: list[dict[str, Any]] = read_json(folder / semantics_file.OBJECTS)
        for record in records:
            (
                int(record["id"]),
                str(record["name"]),
                int(record["splats"]),
                float(record["score"]),
                [float(c) for c in record["color"]],
            )
    except (InputError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise InputError(
            f"{folder.name} holds no list of objects.", "Press Find Objects again."
        ) from error
    return records


def edges(
    semantics: semantics_file.Semantics, numbers: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The other object of each splat, -1 where there is none, and the share of the first among the
    two.
    """
    if len(semantics.objects) != len(numbers):
        raise InputError(
            "splats.ply and semantics.npz are not of one segmentation.", "Press Find Objects again."
        )
    first, second = (semantics.objects[:, k].astype(np.int32) for k in (0, 1))
    weights = semantics.shares[:, :2].astype(np.float32)
    plain = (second == semantics_file.NOTHING) | (first != numbers)
    share = np.where(plain, 1, weights[:, 0] / np.maximum(weights.sum(1), 1))
    return np.where(plain, -1, second).astype(np.int32), share.astype(np.float32)
