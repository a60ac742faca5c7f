"""Where results live in the scene: one named collection a capture, under an empty that places it
upright.
"""

import bpy
import numpy as np
from mathutils import Matrix

from ....backend.formats.capture import Capture
from ....backend.geometry.arrays import Doubles
from ....backend.geometry.upright import upright_of_cameras

ROOT_KEY = "splatsmith_capture"  # on the root empty: folder of the capture


def new_collection(scene: bpy.types.Scene, name: str) -> bpy.types.Collection:
    """An empty collection of that name in the scene."""
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    return collection


def make_root(
    matrix: Doubles, collection: bpy.types.Collection, folder: str = ""
) -> bpy.types.Object:
    """The empty that everything of a capture hangs from, or splats that came alone: it sets them
    upright, and the artist turns it where that guess is off.
    """
    root = bpy.data.objects.new(f"{collection.name} Root", None)
    root.empty_display_type, root.empty_display_size = "PLAIN_AXES", 0.5
    root.matrix_world = Matrix(matrix.tolist())
    if folder:
        root[ROOT_KEY] = folder
    collection.objects.link(root)
    return root


def upright(capture: Capture) -> Doubles:
    """(4, 4) the capture's world to the scene."""
    return upright_of_cameras(np.stack([frame.camera_to_world for frame in capture.frames]))


def find_root(scene: bpy.types.Scene, folder: str) -> bpy.types.Object | None:
    """The root of a capture that was imported before."""
    return next((o for o in scene.objects if o.type == "EMPTY" and o.get(ROOT_KEY) == folder), None)
