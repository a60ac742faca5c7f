"""What a capture holds: frames with their cameras, points, and where its world lies."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Doubles
from ..geometry.conventions import intrinsics
from .lens_keys import PERSPECTIVE


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture and its camera."""

    image: Path
    camera_to_world: NDArray[np.float64]  # (4, 4), OpenGL axes
    fl_x: float
    fl_y: float
    cx: float
    cy: float
    width: int
    height: int
    camera_model: str = "OPENCV"  # one of lens_keys.MODELS
    distortion: tuple[float, ...] = (0.0,) * 6  # k1 k2 p1 p2 k3 k4
    more_distortion: tuple[float, ...] = (0.0,) * 6  # k5 k6, and the thin prism's s1 s2 s3 s4
    time: float | None = None  # seconds in the video that the frame is from
    mask: Path | None = None
    source: str = ""  # name of the picture before it was copied into the capture
    depth: Path | None = None  # see formats/depth_exr.py
    is_size_told: bool = True  # else width and height are those of the file, turned by nothing

    @property
    def K(self) -> NDArray[np.float64]:
        """(3, 3) intrinsics in pixels."""
        return intrinsics(self.fl_x, self.fl_y, self.cx, self.cy)

    @property
    def is_pinhole(self) -> bool:
        """Whether the lens draws straight lines straight."""
        return self.camera_model in PERSPECTIVE and not any(
            (*self.distortion, *self.more_distortion)
        )


def nowhere() -> Doubles:
    """The zero offset (3,)."""
    return np.zeros(3)


@dataclass(frozen=True, kw_only=True)
class World:
    """Where a capture's world lies in the one that its cameras were solved in."""

    offset: Doubles = field(default_factory=nowhere)  # (3,) to add, for the coordinates there
    applied: Doubles | None = None  # (3, 4) nerfstudio's applied_transform, of whoever wrote it


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What reading did to what a capture's file says."""

    world: World = field(default_factory=World)
    points_offset: Doubles = field(default_factory=nowhere)  # (3,) to subtract from the PLY's
    told: tuple[str, ...] = ()  # what was left out or read otherwise, as sentences


@dataclass(frozen=True, kw_only=True)
class Capture:
    """Frames in natural order of their pictures' names; `points` is a coloured PLY where there is
    one, to be read with `reading.points_offset`; `fps` of the video that they are from, 0 where
    that is not known.
    """

    root: Path
    frames: list[Frame]
    points: Path | None = None
    reading: Reading = field(default_factory=Reading)
    fps: float = 0.0
