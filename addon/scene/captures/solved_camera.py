"""A camera that was solved in Blender, for the backend: one pose a frame of the clip."""

import json
import tempfile
from pathlib import Path

import bpy
import numpy as np

from ....backend.protocol import InputError


def pose_record(
    scene: bpy.types.Scene, camera: bpy.types.Object, width: int, height: int
) -> dict[str, object]:
    """The camera as it stands now, for pictures of that size; K after Blender's lens, sensor fit,
    shift and pixel aspect.
    """
    data, render = camera.data, scene.render
    if data.type != "PERSP":
        raise InputError(
            f"The camera {camera.name} is not a perspective camera.", "Choose a perspective lens."
        )
    pixel_height = render.pixel_aspect_y / render.pixel_aspect_x
    tall = pixel_height * height  # in widths of a pixel, as `side` and `focal` are
    fits_width = data.sensor_fit == "HORIZONTAL" or (data.sensor_fit == "AUTO" and width >= tall)
    sensor = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    side = width if fits_width else tall
    focal = data.lens / sensor * side
    cx = width / 2 - data.shift_x * side
    cy = height / 2 + data.shift_y * side / pixel_height
    matrix = np.array(camera.matrix_world, np.float64)  # Blender's camera axes are OpenGL's already
    matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
    return {
        "transform_matrix": matrix.tolist(),
        "fl_x": focal,
        "fl_y": focal / pixel_height,
        "cx": cx,
        "cy": cy,
        "w": width,
        "h": height,
    }


def _distortion(clip: bpy.types.MovieClip) -> dict[str, float]:
    """k1 and k2 of the tracker's lens; its polynomial model is OpenCV's radial one."""
    lens = clip.tracking.camera
    if lens.distortion_model == "POLYNOMIAL":
        return {"k1": lens.k1, "k2": lens.k2}
    if lens.distortion_model == "BROWN":
        return {"k1": lens.brown_k1, "k2": lens.brown_k2, "p1": lens.brown_p1, "p2": lens.brown_p2}
    raise InputError(
        f"The lens model {lens.distortion_model.title()} is not supported.",
        "Solve with Polynomial or Brown.",
    )


def write_poses(scene: bpy.types.Scene, clip: bpy.types.MovieClip | None) -> Path:
    """A JSON file with the scene camera's pose at every frame of the clip in the scene's range."""
    if clip is None or scene.camera is None:
        raise InputError(
            "A clip and a scene camera are both needed.",
            "Choose the clip, and make the solved camera the scene's camera.",
        )
    width, height = clip.size
    if not width or not height:
        raise InputError(
            f"The clip {clip.name} can't be read.", "Reload it in the Movie Clip Editor."
        )
    current, frames, distortion = scene.frame_current, [], _distortion(clip)
    try:
        first = max(scene.frame_start, clip.frame_start)
        last = min(scene.frame_end, clip.frame_start + clip.frame_duration - 1)
        for number in range(first, last + 1):
            scene.frame_set(number)
            record = pose_record(scene, scene.camera, width, height)
            frames.append(
                {"index": number - clip.frame_start + clip.frame_offset, **record, **distortion}
            )
    finally:
        scene.frame_set(current)
    path = Path(tempfile.mkdtemp(prefix="splatsmith-")) / "poses.json"
    path.write_text(json.dumps({"frames": frames}), encoding="utf-8")
    return path
