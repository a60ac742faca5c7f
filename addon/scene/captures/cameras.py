"""A capture as a Blender camera: animated, with lens, matching render size and frame range, footage
behind it.
"""

import bpy
import numpy as np
from mathutils import Matrix

from ....backend.formats import points_ply
from ....backend.formats.capture import Capture, Frame
from ....backend.formats.name_pairing import listed
from ....backend.geometry.arrays import Doubles
from ..meshes import timeline
from ..splats import pointclouds
from . import picture_times
from .footage import misshapen, show_footage
from .lens import CameraView, set_lens, set_render, stretched, view_of

POINTS_KEY = "splatsmith_points"  # on the point cloud of a capture
MOST_DOTS = 8000  # that leave the picture behind them to be seen


def _lens_changes(frames: list[Frame]) -> bool:
    lenses = np.array(
        [[f.fl_x / f.width, f.cx / f.width, f.cy / f.height, f.width / f.height] for f in frames]
    )
    return bool(np.ptp(lenses, axis=0).max() > 1e-5)


def _animate(camera: bpy.types.Object, frames: list[Frame], view: CameraView, at: Doubles) -> None:
    """Keys of every picture's camera at the scene's frames `at` (N,)."""
    camera.rotation_mode = "QUATERNION"
    changes, previous = _lens_changes(frames), None
    for index in np.argsort(at, kind="stable").tolist():
        frame, number = frames[index], float(at[index])
        camera.location, turn, _ = Matrix(frame.camera_to_world.tolist()).decompose()
        if previous is not None:
            turn.make_compatible(previous)
        camera.rotation_quaternion = previous = turn
        camera.keyframe_insert("location", frame=number)
        camera.keyframe_insert("rotation_quaternion", frame=number)
        if changes:
            set_lens(camera.data, frame, view)
            for path in ("lens", "shift_x", "shift_y"):
                camera.data.keyframe_insert(path, frame=number)


def import_cameras(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    root: bpy.types.Object,
    capture: Capture,
) -> tuple[bpy.types.Object, list[str]]:
    """The animated camera, the scene's render size, frame rate, range and active camera following
    it; and what of its pictures could not be shown, as sentences.
    """
    frames, view, times = capture.frames, view_of(capture.frames), picture_times.of(capture)
    picture_times.remember(root, times)
    data = bpy.data.cameras.new(f"{collection.name} Camera")
    camera = bpy.data.objects.new(data.name, data)
    collection.objects.link(camera)
    camera.parent = root
    set_lens(data, frames[0], view)
    _animate(camera, frames, view, times.frames)
    data.display_size = 0.4 / max(root.matrix_world.to_scale()[0], 1e-9)
    said = [show_footage(data, frames, view, times.frames), *_not_as_shown(frames, view)]
    set_render(scene.render, view)
    scene.frame_start, scene.frame_end = timeline.shown_range(times.frames)
    if times.fps:
        timeline.set_rate(scene, times.fps)
    scene.frame_set(1)
    scene.camera = camera
    return camera, [text for text in said if text]


def _not_as_shown(frames: list[Frame], view: CameraView) -> list[str]:
    """What of the pictures Blender's camera can't show as they are."""
    said = []
    if bent := [f.image.name for f in frames if not f.is_pinhole]:
        said.append(
            f"{len(bent)} pictures have lens distortion, which Blender's camera has not: Solve "
            f"Cameras undistorts them."
        )
    if turned := misshapen(frames):
        said.append(
            f"{len(turned)} pictures are not of their camera's shape ({listed(turned, 3)}): Solve "
            f"Cameras turns them."
        )
    if odd := stretched(frames, view):
        said.append(f"{len(odd)} pictures have pixels of another shape than the scene's.")
    return said


def import_points(
    collection: bpy.types.Collection, root: bpy.types.Object, capture: Capture
) -> tuple[bpy.types.Object | None, str]:
    """The points as a coloured point cloud, None where there are none, and what of them was left
    out, as a sentence. An even share of them where they'd be black dots.
    """
    if capture.points is None:
        return None, ""
    points, colors, told = points_ply.read(capture.points, capture.reading.points_offset)
    if not len(points):
        return None, told
    if not pointclouds.are_real():
        step = -(-len(points) // MOST_DOTS)
        points, colors = points[::step], colors[::step]
    rgba = np.concatenate([(colors / 255.0) ** 2.2, np.ones((len(colors), 1))], 1).astype(
        np.float32
    )
    scale = max(root.matrix_world.to_scale()[0], 1e-9)
    radius = np.full(len(points), 0.008 / scale, np.float32)
    attributes = {"color": ("FLOAT_COLOR", rgba), "radius": ("FLOAT", radius)}
    cloud = pointclouds.new_object(f"{collection.name} Points", collection, points, attributes)
    cloud.parent = root
    cloud[POINTS_KEY] = True
    return cloud, told


def points_of(root: bpy.types.Object) -> bpy.types.Object | None:
    """The point cloud of a capture."""
    return next((child for child in root.children if child.get(POINTS_KEY)), None)


def hide_points(root: bpy.types.Object) -> bool:
    """Where splats are shown, which they would speckle; whether they were to be seen."""
    cloud = points_of(root)
    if cloud is None or not cloud.visible_get():
        return False
    cloud.hide_set(True)
    return True
