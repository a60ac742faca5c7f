"""What is selected of splats, for the tests."""

from typing import Any

import numpy as np


def count(rooms: Any, cloud: Any) -> int:
    return rooms("scene.splats.pointclouds").point_count(cloud.data)


def selected(rooms: Any, cloud: Any) -> np.ndarray:
    return rooms("scene.splats.marks").read(cloud, "selected")
