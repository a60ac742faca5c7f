"""What the solver thinks of its cameras, kept on the capture's root: a traffic light, reasons, and
trust per picture.
"""

from pathlib import Path
from typing import Any

import bpy

from ...jobs.told_verdicts import manifest_of, verdict_in
from . import picture_times, verdict_light
from .collections import ROOT_KEY

CONFIDENCES_KEY = "splatsmith_confidences"
CONFIDENCE = "confidence"  # of the camera, keyframed
TURNING = "The camera only turns: there is no depth in this footage"


def attach(root: bpy.types.Object, camera: bpy.types.Object, folder: Path) -> None:
    """Verdict on the root; confidence as a keyframed property of the camera, so that the timeline
    shows it.
    """
    manifest = manifest_of(folder)
    verdict, images = verdict_in(manifest), manifest.get("pictures")
    if verdict is None:
        return
    turning = verdict.get("kind") == "turning"
    verdict_light.attach(root, verdict, [TURNING] if turning else [])
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
            if o.type == "EMPTY" and o.get(ROOT_KEY) == folder and verdict_light.LEVEL_KEY in o
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
