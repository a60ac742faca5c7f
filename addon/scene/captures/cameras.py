"""A capture as a Blender camera: animated, with lens, matching render size and frame range, footage
behind it.
"""

import bpy
import numpy as np
from mathutils import Matrix

from ....backend.formats import points_ply
from ....backend.formats.capture import Capture, Frame
from ..splats import pointclouds

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


def _animate(camera: bpy.types.Object, frames: list[Frame]) -> None:
    camera.rotation_mode = "QUATERNION"
    changes, previous = _lens_changes(frames), None
    for number, frame in enumerate(frames, 1):
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


def _show_footage(data: bpy.types.Camera, frames: list[Frame]) -> None:
    """The pictures as an image sequence behind the camera; captures of ours are numbered for this,
    others may not be.
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
    user.frame_duration, user.frame_start, user.frame_offset, user.use_auto_refresh = (
        len(frames),
        1,
        numbers[0] - 1,
        True,
    )
    background.alpha, background.display_depth, background.frame_method = 0.5, "BACK", "FIT"
    data.show_background_images = True


def import_cameras(
    scene: bpy.types.Scene,
    collection: bpy.types.Collection,
    root: bpy.types.Object,
    capture: Capture,
) -> bpy.types.Object:
    """The animated camera; the scene's render size, frame range and active camera follow it."""
    frames = capture.frames
    data = bpy.data.cameras.new(f"{collection.name} Camera")
    camera = bpy.data.objects.new(data.name, data)
    collection.objects.link(camera)
    camera.parent = root
    _set_lens(data, frames[0])
    _animate(camera, frames)
    data.display_size = 0.4 / max(root.matrix_world.to_scale()[0], 1e-9)
    _show_footage(data, frames)
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = (
        frames[0].width,
        frames[0].height,
        100,
    )
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    scene.frame_start, scene.frame_end = 1, len(frames)
    _play_in_real_time(render, frames)
    scene.frame_set(1)
    scene.camera = camera
    return camera


def _play_in_real_time(render: bpy.types.RenderSettings, frames: list[Frame]) -> None:
    """As many pictures a second as the footage was filmed with, where they say when they were."""
    times = [frame.time for frame in frames if frame.time is not None]
    if len(times) < 2 or len(times) < len(frames) or times[-1] <= times[0]:
        return
    rate = (len(times) - 1) / (times[-1] - times[0])
    render.fps = max(1, min(round(rate), 240))
    render.fps_base = render.fps / rate


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
