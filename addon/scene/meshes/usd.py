"""Blender's own USD library, and what it knows of a file's time, which Blender's importer leaves
out: it plays time codes as frames, whatever the file's rate is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ....backend.protocol import InputError


@dataclass(frozen=True)
class TimeCodes:
    """First and last time code of a stage, and how many of them there are a second."""

    first: float
    last: float
    per_second: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return (self.last - self.first) / self.per_second


def library() -> Any:
    """The package pxr; InputError where this Blender was built without it."""
    expose = getattr(bpy.utils, "expose_bundled_modules", None)
    try:
        if expose is not None:
            expose()
        import pxr.Sdf
        import pxr.Usd
        import pxr.UsdGeom
        import pxr.Vt
    except ImportError as error:
        raise InputError(
            "This Blender was built without USD, which meshes of changing topology need.",
            "Use blender.org's build.",
        ) from error
    return pxr


def time_codes(path: Path) -> TimeCodes:
    """Of a file; InputError where it can't be read, or this Blender has no USD."""
    Usd, Tf = library().Usd, __import__("pxr.Tf").Tf
    try:
        stage = Usd.Stage.Open(str(path), Usd.Stage.LoadNone)
    except Tf.ErrorException as error:
        raise InputError(f"{path.name} can't be read.", "Export it again.") from error
    rate = float(stage.GetTimeCodesPerSecond())
    if not 0 < rate < 1e6:
        raise InputError(f"{path.name} has an impossible frame rate.", "Export it again.")
    return TimeCodes(float(stage.GetStartTimeCode()), float(stage.GetEndTimeCode()), rate)
