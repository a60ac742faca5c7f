"""Where the cameras of the splats' capture stood."""

from pathlib import Path

import bpy
import numpy as np

from ....backend.formats import capture as captures
from ....backend.geometry.arrays import Floats
from ....backend.protocol import InputError
from . import collections


def of(cloud: bpy.types.Object) -> Floats:
    """(C, 3) where the capture's cameras stood, in the splats' own space; none without one."""
    folder = cloud.parent.get(collections.ROOT_KEY, "") if cloud.parent is not None else ""
    if not folder:
        return np.zeros((0, 3), np.float32)
    try:
        frames = captures.read(Path(folder)).frames
    except InputError:  # moved or deleted since; cleaning does without
        return np.zeros((0, 3), np.float32)
    places = np.stack([frame.camera_to_world[:, 3] for frame in frames])
    local = places @ np.linalg.inv(np.array(cloud.matrix_basis, np.float64)).T
    return np.asarray(local[:, :3], np.float32)
