"""What the solver thinks of its cameras, kept on the capture's root: a traffic light, reasons, and
trust per picture.
"""

from pathlib import Path
from typing import Any

import bpy

from ....backend.formats.json_file import read_record
from ....backend.protocol import InputError
from ...blender_types import Icon
from ...jobs.flags import in_window
from . import picture_times
from .collections import ROOT_KEY

LEVEL_KEY, REASONS_KEY, CONFIDENCES_KEY = (
    "splatsmith_verdict",
    "splatsmith_reasons",
    "splatsmith_confidences",
)
CONFIDENCE = "confidence"  # of the camera, keyframed
LIGHTS: dict[str, Icon] = {
    "solved": "COLORSET_03_VEC",
    "weak": "COLORSET_09_VEC",
    "failed": "COLORSET_01_VEC",
}
WORDS = {"solved": "Solved", "weak": "Weak: look before you trust it", "failed": "Failed"}


def _manifest(folder: Path) -> dict[str, Any]:
    """The capture's manifest; empty for captures of other programs."""
    try:
        return read_record(folder / "manifest.json")
    except InputError:
        return {}


def attach(root: bpy.types.Object, camera: bpy.types.Object, folder: Path) -> None:
    """Verdict on the root; confidence as a keyframed property of the camera, so that the timeline
    shows it.
    """
    manifest = _manifest(folder)
    verdict, images = manifest.get("verdict"), manifest.get("pictures")
    if not isinstance(verdict, dict) or verdict.get("level") not in LIGHTS:
        return
    root[LEVEL_KEY] = verdict["level"]
    turning = (
        ["The camera only turns: there is no depth in this footage"]
        if verdict.get("kind") == "turning"
        else []
    )
    reasons = [str(r) for r in verdict.get("reasons", [])] + [
        str(a) for a in verdict.get("advice", [])
    ]
    lines = turning + [reason[:1].upper() + reason[1:] for reason in reasons]
    root[REASONS_KEY] = in_window("\n".join(lines))
    if not isinstance(images, list) or not images:
        return
    values = [image.get("confidence") if isinstance(image, dict) else None for image in images]
    root[CONFIDENCES_KEY] = [float(v) if isinstance(v, (int, float)) else 0.0 for v in values]
    camera[CONFIDENCE] = 0.0
    interface: Any = camera.id_properties_ui(CONFIDENCE)  # type: ignore[func-returns-value]
    interface.update(min=0.0, max=1.0, description="How well this picture's camera is known")
    frames = picture_times.frames_of(root, len(values))
    for number, value in zip(frames.tolist(), root[CONFIDENCES_KEY], strict=True):
        camera[CONFIDENCE] = value
        camera.keyframe_insert(f'["{CONFIDENCE}"]', frame=number)


def find(context: bpy.types.Context) -> bpy.types.Object | None:
    """The root whose verdict the panel shows: that of the chosen capture."""
    folder = context.scene.splatsmith.capture
    return next(
        (
            o
            for o in context.scene.objects
            if o.type == "EMPTY" and o.get(ROOT_KEY) == folder and LEVEL_KEY in o
        ),
        None,
    )


def confidence_now(context: bpy.types.Context, root: bpy.types.Object) -> float | None:
    """Of the camera at the current frame; None where nothing is known of it."""
    values = root.get(CONFIDENCES_KEY)
    if values is None:
        return None
    frames = picture_times.frames_of(root, len(values))
    index = picture_times.index_at(frames, context.scene.frame_current)
    return None if index is None else float(values[index])
