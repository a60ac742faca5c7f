"""A capture as a Blender camera: animated, with lens, matching render size and frame range, footage
behind it.
"""

import bpy
import numpy as np
from mathutils import Matrix

from ....backend.formats import points_ply
from ....backend.formats.capture import Capture, Frame
from ....backend.geometry.arrays import Doubles
from ..meshes import timeline
from ..meshes.mesh_playback import curves_of
from ..splats import pointclouds
from . import picture_times

POINTS_KEY = "splatsmith_points"  # on the point cloud of a capture
SENSOR = 36.0  # mm; only the ratio to the lens matters
MOST_DOTS = 8000  # that leave the picture behind them to be seen


def _set_lens(data: bpy.types.Camera, frame: Frame) -> None:
    data.sensor_fit, data.sensor_width = "HORIZONTAL", SENSOR
    data.lens = frame.fl_x / frame.width * SENSOR
    data.shift_x = 0.5 - frame.cx / frame.width
    data.shift_y = (frame.cy - 0.5 * frame.height) / frame.width


def _lens_changes(frames: list[Frame]) -> bool:
    lenses = np.array([[f.fl_x / f.width, f.cx / f.width, f.cy / f.height] for f in frames])
    return bool(np.ptp(lenses, axis=0).max() > 1e-5)


def _animate(camera: bpy.types.Object, frames: list[Frame], at: Doubles) -> None:
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
            _set_lens(camera.data, frame)
            for path in ("lens", "shift_x", "shift_y"):
                camera.data.keyframe_insert(path, frame=number)


def _show_footage(data: bpy.types.Camera, frames: list[Frame], at: Doubles) -> None:
    """The pictures as an image sequence behind the camera, each from its frame in `at` (N,) until
    the next; captures of ours are numbered for this, others may not be.
    """
    numbers = [
        int(f.image.stem[-8:].lstrip("_")) if f.image.stem[-8:].lstrip("_").isdigit() else -1
        for f in frames
    ]
    if numbers != list(range(numbers[0], numbers[0] + len(frames))):
        return
    image = bpy.data.images.load(str(frames[0].image), check_existing=True)
    image.source = "SEQUENCE"
    background = data.background_images.new()
    background.image = image
    user = background.image_user
    user.frame_duration, user.frame_start, user.use_auto_refresh = len(frames), 1, True
    user.frame_offset = numbers[0] - 1
    if not np.array_equal(at, np.arange(1, len(frames) + 1)):
        user.frame_duration = 1  # which picture is shown is then its offset alone
        _key_pictures(data, at, numbers)
    background.alpha, background.display_depth, background.frame_method = 0.5, "BACK", "FIT"
    data.show_background_images = True


def _key_pictures(data: bpy.types.Camera, at: Doubles, numbers: list[int]) -> None:
    user = data.background_images[0].image_user
    path = "background_images[0].image_user.frame_offset"
    for frame, number in zip(at.tolist(), numbers, strict=True):
        user.frame_offset = number - 1
        data.keyframe_insert(path, frame=round(frame))
    for curve in curves_of(data):
        if curve.data_path == path:
            for point in curve.keyframe_points:
                point.interpolation = "CONSTANT"


def import_cameras(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    root: bpy.types.Object,
    capture: Capture,
) -> bpy.types.Object:
    """The animated camera; the scene's render size, frame rate and range, and its active camera
    follow it.
    """
    frames, times = capture.frames, picture_times.of(capture)
    picture_times.remember(root, times)
    data = bpy.data.cameras.new(f"{collection.name} Camera")
    camera = bpy.data.objects.new(data.name, data)
    collection.objects.link(camera)
    camera.parent = root
    _set_lens(data, frames[0])
    _animate(camera, frames, times.frames)
    data.display_size = 0.4 / max(root.matrix_world.to_scale()[0], 1e-9)
    _show_footage(data, frames, times.frames)
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = (
        frames[0].width,
        frames[0].height,
        100,
    )
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    scene.frame_start, scene.frame_end = timeline.shown_range(times.frames)
    if times.fps:
        timeline.set_rate(scene, times.fps)
    scene.frame_set(1)
    scene.camera = camera
    return camera


def import_points(
    collection: bpy.types.Collection, root: bpy.types.Object, capture: Capture
) -> bpy.types.Object | None:
    """The points as a coloured point cloud; None where there are none. An even share of them where
    they'd be black dots.
    """
    if capture.points is None:
        return None
    points, colors = points_ply.read(capture.points)
    if not len(points):
        return None
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
    return cloud
