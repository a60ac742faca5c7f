"""Cameras that were solved elsewhere, frame by frame of the footage: the JSON that Blender's side
writes.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...formats.json_file import read_record
from ...protocol import InputError


@dataclass(frozen=True, kw_only=True)
class KnownPose:
    """Frame `index` of the footage, from 0; intrinsics in pixels of a picture `width` wide."""

    index: int
    intrinsics: tuple[float, float, float, float]  # fl_x fl_y cx cy
    width: int
    height: int
    camera_to_world: np.ndarray
    distortion: tuple[float, ...]  # k1 k2 p1 p2, OpenCV's model


def _pose(record: dict) -> KnownPose:
    matrix = np.array(record["transform_matrix"], np.float64)
    values = tuple(float(record[key]) for key in ("fl_x", "fl_y", "cx", "cy"))
    distortion = tuple(float(record.get(key, 0.0)) for key in ("k1", "k2", "p1", "p2"))
    if (
        matrix.shape != (4, 4)
        or not np.isfinite(matrix).all()
        or not np.isfinite(values + distortion).all()
        or values[0] <= 0
        or record["index"] < 0
    ):
        raise ValueError
    return KnownPose(
        index=int(record["index"]),
        intrinsics=(values[0], values[1], values[2], values[3]),
        width=int(record["w"]),
        height=int(record["h"]),
        camera_to_world=matrix,
        distortion=distortion,
    )


def read(path: Path, limit: int) -> list[KnownPose]:
    """At most `limit` poses, evenly chosen, in the footage's order."""
    try:
        poses = sorted(
            (_pose(r) for r in read_record(path)["frames"]),
            key=lambda p: p.index,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, InputError) as error:
        raise InputError(
            f"{path.name} holds no usable list of solved cameras.",
            "Solve the camera in Blender again.",
        ) from error
    if len(poses) < 3:
        raise InputError(
            f"Only {len(poses)} frames have a solved camera.",
            "Check the scene's frame range and the clip's.",
        )
    if len(poses) > limit:
        poses = [poses[round(i * (len(poses) - 1) / (limit - 1))] for i in range(limit)]
    return poses
