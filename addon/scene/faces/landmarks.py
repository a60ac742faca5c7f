"""Landmarks of a face as empties that hang on its mesh: where they are, put there by hand or by the
backend.
"""

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ....backend.formats.character_file import LANDMARKS
from ....backend.geometry.arrays import Doubles
from ....backend.protocol import InputError

KEY = "splatsmith_landmark"  # on an empty: which one it is
SIZE = 0.012  # of an empty, in parts of the mesh's height


def marked(mesh: bpy.types.Object) -> dict[str, bpy.types.Object]:
    """The empties of a mesh by their landmark's name, in the order of the names."""
    own = {child[KEY]: child for child in mesh.children if child.get(KEY) in LANDMARKS}
    return {name: own[name] for name in LANDMARKS if name in own}


def mark(mesh: bpy.types.Object, name: str, place: Vector) -> bpy.types.Object:
    """Puts a landmark at a place of the mesh's own space; the one that was there moves."""
    empty = marked(mesh).get(name)
    if empty is None:
        empty = bpy.data.objects.new(LANDMARKS[name].capitalize(), None)
        empty[KEY] = name
        empty.empty_display_type = "SPHERE"
        empty.show_in_front = empty.show_name = True
        for collection in mesh.users_collection[:1]:
            collection.objects.link(empty)
        empty.parent = mesh
        empty.matrix_parent_inverse = Matrix.Identity(4)
    corners = np.array([corner[:] for corner in mesh.bound_box])
    empty.empty_display_size = SIZE * float(np.ptp(corners, axis=0).max()) or 0.01
    empty.location = place
    return empty


def places(mesh: bpy.types.Object) -> dict[str, Doubles]:
    """(3,) of each landmark in the world, at the nearest point of the mesh's surface."""
    inverse = mesh.matrix_world.inverted_safe()
    result = {}
    for name, empty in marked(mesh).items():
        local = inverse @ empty.matrix_world.translation
        if mesh.mode == "OBJECT":
            hit, point, _, _ = mesh.closest_point_on_mesh(local)
            local = point if hit else local
        result[name] = np.array((mesh.matrix_world @ local)[:])
    return result


def active_vertex(mesh: bpy.types.Object) -> Vector:
    """The selected vertex of a mesh in Edit Mode, in its own space; the middle of several."""
    mesh.update_from_editmode()
    chosen = [v.co for v in mesh.data.vertices if v.select]
    if not chosen:
        raise InputError("No vertex is selected.", "Select the one at the landmark.")
    return sum(chosen, Vector()) / len(chosen)


def clear(mesh: bpy.types.Object) -> int:
    """Takes all landmarks off; how many."""
    empties = list(marked(mesh).values())
    for empty in empties:
        bpy.data.objects.remove(empty)
    return len(empties)
