"""What a transforms.json says, value by value, every one checked."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError
from .json_file import read_json

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp")
MAX_JSON = 256 * 2**20
MOST_FRAMES = 200_000


def find_transforms(path: Path) -> Path | None:
    """The transforms.json that `path` is or holds."""
    if path.is_file():
        return path if path.suffix.lower() == ".json" else None
    for name in ("transforms.json", "transforms_train.json"):
        if (path / name).is_file():
            return path / name
    return None


def load_json(path: Path) -> dict[str, Any]:
    """The record; InputError for what is no JSON object or too large."""
    data = read_json(path, MAX_JSON)
    frames = data.get("frames") if isinstance(data, dict) else None
    if isinstance(frames, list) and len(frames) > MOST_FRAMES:
        raise InputError(
            f"{path.name} is too large to be a list of cameras.", "Choose another file."
        )
    if not isinstance(data, dict) or not isinstance(frames, list) or not frames:
        raise InputError(
            f"{path.name} lists no frames.",
            "Choose the transforms.json of a nerfstudio or instant-ngp scene.",
        )
    return data


def number(record: dict[str, Any], key: str, default: float | None = None) -> float:
    """A finite number; InputError that names the key."""
    value = record.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
        raise InputError(
            f"transforms.json: {key!r} must be a finite number, not {value!r}.", "Export it again."
        )
    return float(value)


def pose(record: dict[str, Any], where: str) -> NDArray[np.float64]:
    """(4, 4) camera to world, made orthonormal; InputError for what is no pose."""
    try:
        matrix = np.array(record.get("transform_matrix"), np.float64)
    except (TypeError, ValueError, OverflowError):
        matrix = np.zeros(0)
    if matrix.shape == (3, 4):
        matrix = np.vstack([matrix, [0, 0, 0, 1]])
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise InputError(
            f"The camera of {where} has no usable pose (NaN, infinite or not 4 x 4).",
            "Solve the cameras again.",
        )
    u, singular, vt = np.linalg.svd(matrix[:3, :3])
    if singular[2] < 1e-9 or np.linalg.det(matrix[:3, :3]) < 0:
        raise InputError(
            f"The camera of {where} has no usable pose (its rotation is degenerate or mirrored).",
            "Solve the cameras again.",
        )
    clean = np.eye(4)
    clean[:3, :3], clean[:3, 3] = u @ vt, matrix[:3, 3]
    return clean


def focal_lengths(camera: dict[str, Any], width: int, height: int) -> tuple[float, float]:
    """fl_x and fl_y in pixels, from whichever of the keys there are; InputError where none is."""
    if "fl_x" in camera:
        fl_x = number(camera, "fl_x")
        fl_y = number(camera, "fl_y", fl_x)
    elif "camera_angle_x" in camera:
        fl_x = 0.5 * width / math.tan(0.5 * min(max(number(camera, "camera_angle_x"), 1e-6), 3.14))
        fl_y = (
            0.5 * height / math.tan(0.5 * number(camera, "camera_angle_y"))
            if "camera_angle_y" in camera
            else fl_x
        )
    else:
        raise InputError(
            "transforms.json gives no focal length (fl_x or camera_angle_x).", "Export it again."
        )
    if fl_x <= 0 or fl_y <= 0:
        raise InputError(
            "transforms.json: the focal length must be above zero.", "Export it again."
        )
    return fl_x, fl_y
