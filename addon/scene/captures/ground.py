"""Where the floor is and how large things are: the root of a capture moved, turned and scaled by
picked points.
"""

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ....backend.protocol import InputError

SMALLEST = 1e-6


def set_floor(root: bpy.types.Object, points: list[Vector]) -> None:
    """Three world points come to lie on z = 0, what the cameras see above it; the first stays over
    its place.
    """
    a, b, c = points
    normal = (b - a).cross(c - a)
    if normal.length < SMALLEST * max((b - a).length, (c - a).length, SMALLEST):
        raise InputError(
            "The three points lie on a line.",
            "Pick three corners of the floor that are well apart.",
        )
    normal.normalize()
    if normal.dot(_mean_camera(root) - a) < 0:  # cameras are above the floor
        normal.negate()
    turn = normal.rotation_difference(Vector((0, 0, 1))).to_matrix().to_4x4()
    move = Matrix.Translation(Vector((a.x, a.y, 0))) @ turn @ Matrix.Translation(-a)
    root.matrix_world = move @ root.matrix_world


def set_length(root: bpy.types.Object, points: list[Vector], length: float) -> None:
    """Two world points come to be `length` metres apart, about the spot of the floor that the root
    stands over.
    """
    now = (points[1] - points[0]).length
    if now < SMALLEST or length <= 0:
        raise InputError("The two points are the same.", "Pick two points that are well apart.")
    spot = Vector((*root.matrix_world.translation.xy, 0))
    root.matrix_world = (
        Matrix.Translation(spot)
        @ Matrix.Scale(length / now, 4)
        @ Matrix.Translation(-spot)
        @ root.matrix_world
    )


def _mean_camera(root: bpy.types.Object) -> Vector:
    """Mean place, in the world, of the keyframed camera under the root."""
    camera = next((child for child in root.children if child.type == "CAMERA"), None)
    if camera is None:
        return root.matrix_world.translation + Vector((0, 0, 1e6))
    scene, places = bpy.context.scene, []
    before = scene.frame_current
    for number in np.unique(
        np.linspace(scene.frame_start, scene.frame_end, 12).round().astype(int)
    ):
        scene.frame_set(int(number))
        places.append(camera.matrix_world.translation.copy())
    scene.frame_set(before)
    total = Vector((0, 0, 0))
    for place in places:
        total += place
    return total / len(places)
