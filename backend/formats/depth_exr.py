"""Depth maps as OpenEXR files: one half-float channel, the distance along the viewing axis; 0 where
there is none.

The channel is called Y, luminance, not Z: Blender 4.5 reads nothing from a file that holds Z alone.
"""

from pathlib import Path

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from ..protocol import InputError

LARGEST = 65504.0  # of a half


def write(path: Path, depth: NDArray[np.float32]) -> None:
    """(H, W); what is not a positive number is written as 0."""
    clean = np.where(np.isfinite(depth) & (depth > 0), np.minimum(depth, LARGEST), 0).astype(
        np.float16
    )
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"Y": np.ascontiguousarray(clean)}) as file:
        file.write(str(path))


def read(path: Path) -> NDArray[np.float32]:
    """(H, W) float32."""
    try:
        with OpenEXR.File(str(path)) as file:
            return np.asarray(file.channels()["Y"].pixels, np.float32)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path.name} is not a depth map.", "Solve the cameras again with depth."
        ) from error
