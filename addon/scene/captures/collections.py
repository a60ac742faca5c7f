"""Where results live in the scene: one named collection a capture, under an empty that places it
upright.
"""

import bpy
import numpy as np
from mathutils import Matrix

from ....backend.formats.capture import Capture

ROOT_KEY = "splatsmith_capture"  # on the root empty: folder of the capture
SIZE = 4.0  # metres from the middle of the scene to the cameras, since a solve knows no scale


def new_collection(scene: bpy.types.Scene, name: str) -> bpy.types.Collection:
    """An empty collection of that name in the scene."""
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    return collection


def upright(capture: Capture) -> Matrix:
    """World of the capture to the scene: the cameras' mean up is Z, the spot they look at the
    origin, a handy size.

    A solve leaves all three open. The artist turns the root empty where that guess is off.
    """
    poses = np.stack([frame.camera_to_world for frame in capture.frames])
    up, forward, centers = poses[:, :3, 1].mean(0), -poses[:, :3, 2], poses[:, :3, 3]
    planes = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    target = np.linalg.lstsq(planes.sum(0), np.einsum("nij,nj->i", planes, centers), rcond=None)[0]
    behind = (
        np.einsum("nj,nj->n", target - centers, forward).mean() <= 0
    )  # a pan: rays meet nowhere in front
    distance = float(np.linalg.norm(centers - target, axis=1).mean())
    if behind or not np.isfinite(distance) or distance < 1e-9:
        target, distance = centers.mean(0), max(float(np.ptp(centers, axis=0).max()), 1e-3)
    z = up / max(np.linalg.norm(up), 1e-9)
    side = np.cross(forward.mean(0), z)
    side = (
        side
        if np.linalg.norm(side) > 1e-6
        else np.cross([0.0, 0.0, 1.0] if abs(z[2]) < 0.9 else [1.0, 0.0, 0.0], z)
    )
    x = side / np.linalg.norm(side)
    turn = np.stack([x, np.cross(z, x), z])
    placed = np.eye(4)
    placed[:3, :3] = turn * (SIZE / distance)
    placed[:3, 3] = -placed[:3, :3] @ target
    return Matrix(placed.tolist())


def make_root(capture: Capture, collection: bpy.types.Collection, folder: str) -> bpy.types.Object:
    """The empty that everything of a capture hangs from."""
    root = bpy.data.objects.new(f"{collection.name} Root", None)
    root.empty_display_type, root.empty_display_size = "PLAIN_AXES", 0.5
    root.matrix_world = upright(capture)
    root[ROOT_KEY] = folder
    collection.objects.link(root)
    return root


def find_root(scene: bpy.types.Scene, folder: str) -> bpy.types.Object | None:
    """The root of a capture that was imported before."""
    return next((o for o in scene.objects if o.type == "EMPTY" and o.get(ROOT_KEY) == folder), None)
