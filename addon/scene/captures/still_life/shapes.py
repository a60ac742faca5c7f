"""Meshes of the still life: turned shapes, boxes, planks, and a cloth that lies over a block."""

import bpy
import numpy as np

Profile = list[tuple[float, float]]


def add(
    scene: bpy.types.Scene,
    name: str,
    points: np.ndarray,
    faces: np.ndarray,
    material: bpy.types.Material,
) -> bpy.types.Object:
    """An object of points (N,3) and faces (M,3 or 4), smooth, in the scene."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.tolist(), [], faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(thing)
    return thing


def grid_faces(rows: int, columns: int, closed: bool) -> np.ndarray:
    """Quads (M,4) between neighbors of rows x columns points; closed: the last column meets the
    first.
    """
    row, column = np.mgrid[0 : rows - 1, 0 : columns - (not closed)].reshape(2, -1)
    right = (column + 1) % columns
    corners = [row * columns + column, row * columns + right]
    corners += [(row + 1) * columns + right, (row + 1) * columns + column]
    return np.stack(corners, axis=1)


def lathe(
    scene: bpy.types.Scene,
    name: str,
    profile: Profile,
    material: bpy.types.Material,
    ribs: tuple[int, float] = (0, 0.0),
    wobble: float = 0.0,
    seed: int = 0,
) -> bpy.types.Object:
    """A profile of (radius, height) turned around z; ribs are (how many, how deep), wobble is how
    far it is from round, both as shares of the radius.
    """
    columns = max(32, 8 * ribs[0])
    radius, height = np.array(profile, np.float64).T[:, :, None]
    angle = np.arange(columns)[None] * 2 * np.pi / columns
    random = np.random.default_rng(seed)
    factor = 1 - ribs[1] * (1 - np.abs(np.sin(angle * ribs[0] / 2))) ** 2 if ribs[0] else 1.0
    for wave in (2, 3):
        turn, lift = random.uniform(0, 2 * np.pi, 2)
        factor = factor + wobble / wave * np.sin(wave * angle + turn + lift * height)
    points = np.stack(
        np.broadcast_arrays(
            radius * factor * np.cos(angle), radius * factor * np.sin(angle), height
        ),
        axis=-1,
    )
    faces = grid_faces(len(profile), columns, closed=True)
    turned = add(scene, name, points.reshape(-1, 3), faces, material)
    smooth = turned.modifiers.new("Smooth", "SUBSURF")
    smooth.levels, smooth.render_levels = 1, 2
    return turned


def box(
    scene: bpy.types.Scene,
    name: str,
    size: tuple[float, float, float],
    material: bpy.types.Material,
    bevel: float = 0.01,
) -> bpy.types.Object:
    """A box with rounded edges that stands on z = 0."""
    x, y, z = size
    corners = np.array([(i, j, k) for k in (0, 1) for j in (0, 1) for i in (0, 1)], np.float64)
    points = (corners - (0.5, 0.5, 0)) * (x, y, z)
    sides = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    thing = add(scene, name, points, np.array(sides), material)
    edges = thing.modifiers.new("Edges", "BEVEL")
    edges.width, edges.segments, edges.harden_normals = bevel, 2, True
    return thing


def cloth(
    scene: bpy.types.Scene,
    name: str,
    size: tuple[float, float],
    block: tuple[float, float, float],
    material: bpy.types.Material,
) -> bpy.types.Object:
    """A cloth of `size` over a block of size (x, y, z) in its middle: flat on top, falling in folds
    around it, and in ripples where it reaches the table. UV in units of length.
    """
    rows, columns = 150, 190
    y, x = np.mgrid[-0.5 : 0.5 : rows * 1j, -0.5 : 0.5 : columns * 1j]
    x, y = x * size[0], y * size[1]
    out_x = np.maximum(np.abs(x) - block[0] / 2, 0)
    out_y = np.maximum(np.abs(y) - block[1] / 2, 0)
    away = np.hypot(out_x, out_y)
    angle = np.arctan2(y, x)
    fold = np.sin(9 * angle + 1.3 * np.sin(2 * angle)) + 0.5 * np.sin(17 * angle + 1.0)
    reach = block[2] * (0.75 + 0.22 * fold * np.clip(away / 0.15, 0, 1))
    fall = 1 - np.clip(away / np.maximum(reach, 0.05), 0, 1)
    high = block[2] * fall * fall * (3 - 2 * fall)
    ripple = 0.030 * (1 + np.sin(7 * x + 3 * y + 2 * np.sin(2.3 * y - x)))
    ripple += 0.014 * (1 + np.sin(11 * y - 5 * x + 1.7 * np.sin(3 * x)))
    settle = np.clip(away / 0.35, 0, 1) ** 2
    z = high + 0.012 + ripple * settle * np.clip((away - 0.05) / 0.3, 0, 1)
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    faces = grid_faces(rows, columns, closed=False)
    thing = add(scene, name, points, faces, material)
    layer = thing.data.uv_layers.new(name="UVMap")
    layer.data.foreach_set("uv", points[faces.ravel(), :2].ravel())
    thick = thing.modifiers.new("Thickness", "SOLIDIFY")
    thick.thickness, thick.offset = 0.012, 1
    return thing
