"""New cameras for splats or a capture: around the subject, or along the solved path, smoothed."""

import itertools
import math
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ....backend.formats import capture as captures
from ....backend.geometry.arrays import Doubles
from ....backend.geometry.upright import upright_of_cameras
from ....backend.protocol import InputError
from ..meshes.mesh_playback import straighten
from ..splats import pointclouds
from . import collections

SMOOTHING = 0.05  # of the path's length in pictures: the width of the filter
MOST_KEYS = 24  # of a fly through: few enough to be edited by hand
EDGES = (2.0, 98.0)  # percentiles between which the subject's box lies
ROOM = 1.1  # around the subject's sphere where no footage says how far off to be
NARROW = math.radians(22.9)  # what a new camera sees from top to bottom of a picture of 16:9


def capture_of(
    context: bpy.types.Context, cloud: bpy.types.Object | None
) -> bpy.types.Object | None:
    """The root of the capture that the splats hang from, else of the one in the panel's field."""
    parent = cloud.parent if cloud is not None else None
    if parent is not None and parent.get(collections.ROOT_KEY):
        return parent
    if cloud is not None:
        return None
    folder = context.scene.splatsmith.capture
    return collections.find_root(context.scene, folder) if folder else None


def _poses(root: bpy.types.Object) -> Doubles:
    """(N, 4, 4) cameras of the capture in its own space. InputError where it is gone."""
    frames = captures.read(Path(bpy.path.abspath(root[collections.ROOT_KEY]))).frames
    return np.stack([np.asarray(frame.camera_to_world, np.float64) for frame in frames])


def _middle(cloud: bpy.types.Object) -> tuple[Doubles, float]:
    """(3,) in the scene, and the radius of the sphere around most of it."""
    matrix = np.array(cloud.matrix_world, np.float64)
    places = pointclouds.positions(cloud.data) @ matrix[:3, :3].T + matrix[:3, 3]
    low, high = np.percentile(places, EDGES, axis=0)
    return (low + high) / 2, max(float(np.linalg.norm(high - low)) / 2, 1e-3)


def _looked_at(poses: Doubles, matrix: Doubles) -> Doubles:
    """(3,) in the scene: what the cameras look at, which their upright frame has at its origin."""
    target = np.linalg.inv(upright_of_cameras(poses))[:3, 3]
    return np.asarray(matrix[:3, :3] @ target + matrix[:3, 3])


def add_turntable(
    context: bpy.types.Context,
    cloud: bpy.types.Object | None,
    root: bpy.types.Object | None,
    frames: int,
) -> bpy.types.Object:
    """A camera on an empty in the subject's middle that turns once about Z; it begins where the
    footage does, and is as high and as far off as that was on the average.
    """
    if root is not None:
        middle, place = _as_filmed(cloud, root)
    elif cloud is not None:
        middle, radius = _middle(cloud)
        place = np.array([0.0, -radius * ROOM / math.sin(NARROW / 2), 0.0])
    else:
        raise InputError("There is nothing to turn around.", "Import splats or a capture first.")
    lens = _new_camera("Turntable Camera", root)
    hub = bpy.data.objects.new("Turntable", None)
    hub.location, hub.empty_display_size = Vector(middle.tolist()), float(np.ptp(place)) / 10
    camera = bpy.data.objects.new(lens.name, lens)
    camera.parent, camera.location = hub, Vector(place.tolist())
    camera.rotation_euler = Vector((-place).tolist()).to_track_quat("-Z", "Y").to_euler()
    for new in (hub, camera):
        (cloud or root).users_collection[0].objects.link(new)  # type: ignore[union-attr]
    first = context.scene.frame_start
    for frame, turn in ((first, 0.0), (first + frames, math.tau)):  # the last is the first again
        hub.rotation_euler.z = turn
        hub.keyframe_insert("rotation_euler", index=2, frame=frame)
    straighten(hub)
    _use(context, camera, frames)
    return camera


def _as_filmed(cloud: bpy.types.Object | None, root: bpy.types.Object) -> tuple[Doubles, Doubles]:
    """The subject's middle (3,) in the scene; from there (3,) in the direction of the first camera,
    as far off and as high as all are on the average.
    """
    matrix, poses = np.array(root.matrix_world, np.float64), _poses(root)
    middle = _middle(cloud)[0] if cloud is not None else _looked_at(poses, matrix)
    off = poses[:, :3, 3] @ matrix[:3, :3].T + matrix[:3, 3] - middle
    away, start = np.linalg.norm(off[:, :2], axis=1).mean(), math.atan2(off[0, 1], off[0, 0])
    return middle, np.array([math.cos(start) * away, math.sin(start) * away, off[:, 2].mean()])


def add_fly_through(
    context: bpy.types.Context, root: bpy.types.Object, frames: int
) -> bpy.types.Object:
    """A camera under the capture's root along the solved path, by few keys."""
    places, quats = smoothed(_poses(root))
    lens = _new_camera("Fly Through Camera", root)
    camera = bpy.data.objects.new(lens.name, lens)
    root.users_collection[0].objects.link(camera)
    camera.parent, camera.rotation_mode = root, "QUATERNION"
    count = min(MOST_KEYS, len(places), frames)
    for share in np.linspace(0, 1, count):
        number = round(share * (len(places) - 1))
        frame = context.scene.frame_start + share * (frames - 1)
        camera.location, camera.rotation_quaternion = places[number], quats[number]
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_quaternion", frame=frame)
    _use(context, camera, frames)
    return camera


def smoothed(poses: Doubles) -> tuple[Doubles, Doubles]:
    """Places (N, 3) and quats (N, 4; wxyz, each on the side of the one before) of poses
    (N, 4, 4), by a Gaussian filter; the path is mirrored at its ends, so that they stay in place.
    """
    quats = np.array([Matrix(pose.tolist()).to_quaternion()[:] for pose in poses])
    for before, quat in itertools.pairwise(quats):
        if before @ quat < 0:
            quat *= -1
    sigma = max(1.0, SMOOTHING * len(poses))
    at = np.arange(-math.ceil(3 * sigma), math.ceil(3 * sigma) + 1)
    weights = np.exp(-0.5 * (at / sigma) ** 2)
    both = np.concatenate([poses[:, :3, 3], quats], axis=1)
    padded = np.pad(both, ((len(at) // 2,) * 2, (0, 0)), mode="reflect", reflect_type="odd")
    both = np.stack([np.convolve(row, weights / weights.sum(), "valid") for row in padded.T], 1)
    return both[:, :3], both[:, 3:] / np.linalg.norm(both[:, 3:], axis=1, keepdims=True)


def _new_camera(name: str, root: bpy.types.Object | None) -> bpy.types.Camera:
    """With the lens of the footage, where there is one."""
    lens = bpy.data.cameras.new(name)
    children = root.children if root is not None else ()
    solved = next((child.data for child in children if child.type == "CAMERA"), None)
    if solved is not None:
        for field in ("sensor_fit", "sensor_width", "lens", "display_size"):
            setattr(lens, field, getattr(solved, field))
    return lens


def _use(context: bpy.types.Context, camera: bpy.types.Object, frames: int) -> None:
    """The scene renders through it, and lasts as long as it."""
    scene = context.scene
    scene.camera, scene.frame_end = camera, scene.frame_start + frames - 1
    scene.frame_set(scene.frame_start)
