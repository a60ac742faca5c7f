"""What a job thinks of its own result, on the object that it became: a light and reasons."""

from typing import Any

import bpy

from ...blender_types import Icon
from ...jobs.flags import in_window
from ...jobs.told_verdicts import lines_of

LEVEL_KEY, REASONS_KEY = "splatsmith_verdict", "splatsmith_reasons"
LIGHTS: dict[str, Icon] = {
    "solved": "COLORSET_03_VEC",
    "good": "COLORSET_03_VEC",
    "weak": "COLORSET_09_VEC",
    "failed": "COLORSET_01_VEC",
}
WORDS = {
    "solved": "Solved",
    "good": "Good",
    "weak": "Weak: look before you trust it",
    "failed": "Failed",
}


def attach(obj: bpy.types.Object, verdict: dict[str, Any], before: list[str] | None = None) -> None:
    """To an object, with lines that come before the reasons."""
    obj[LEVEL_KEY] = verdict["level"]
    obj[REASONS_KEY] = in_window("\n".join([*(before or []), *lines_of(verdict)]))
