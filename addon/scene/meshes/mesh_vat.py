"""A vertex-animation texture and the mesh that looks itself up in it: a shader needs both, and
engines sort vertices anew, so each vertex carries the place of its texel as a second set of uvs.
"""

from pathlib import Path

import bpy
import numpy as np

from ....backend.formats import vertex_animation
from ....backend.geometry.arrays import Floats
from ....backend.protocol import InputError
from . import timeline

UVS = "VAT"
Y_UP = ([0, 2, 1], [1, 1, -1])  # Blender's axes to glTF's


def files(path: Path) -> list[Path]:
    """The texture, its note, the mesh, the normals, how to use them."""
    mesh = path.with_name(f"{path.stem}_vat.glb")
    beside = (vertex_animation.normals_file(path), vertex_animation.readme_file(path))
    return [path, vertex_animation.sidecar(path), mesh, *beside]


def write(
    context: bpy.types.Context, path: Path, animated: bpy.types.Object, shown: Floats
) -> float:
    """All three, of an object as it is in the first frame; the largest error, in shares of the box,
    of what is read back from them.
    """
    error = vertex_animation.write(path, _y_up(shown), timeline.rate(context.scene))
    normals = _y_up(_normals(animated.data, shown))
    vertex_animation.write_normals(path, normals, path.name.removeprefix("part-"))
    places = vertex_animation.texels(path)
    corners = np.empty(len(animated.data.loops), np.int32)
    animated.data.loops.foreach_get("vertex_index", corners)
    flat = places[corners]
    flat[:, 1] = 1 - flat[:, 1]  # Blender counts from below, files from above
    layers = animated.data.uv_layers
    for name in [
        layer.name for layer in layers if layer != layers.active
    ]:  # by name: each removal moves the others in memory
        layers.remove(layers[name])
    if not layers:
        layers.new(name="UVMap")  # the second set stays the second
    animated.data.uv_layers.new(name=UVS).data.foreach_set("uv", flat.astype(np.float32).ravel())
    mesh = files(path)[2]
    bpy.ops.export_scene.gltf(
        filepath=str(mesh),
        export_format="GLB",
        use_selection=True,
        export_animations=False,
        export_image_format="JPEG",
        export_jpeg_quality=85,
    )
    return max(error, _off(context, mesh, places, shown[0]))


def _y_up(values: Floats) -> Floats:
    order, sign = Y_UP
    return np.ascontiguousarray(values[..., order] * np.array(sign, np.float32))


def _normals(mesh: bpy.types.Mesh, shown: Floats) -> Floats:
    """(T, V, 3) outward, of length 1, each face counting by its area."""
    mesh.calc_loop_triangles()
    corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    faces = corners.reshape(-1, 3)
    normals = np.zeros_like(shown)
    for total, places in zip(normals, shown, strict=True):
        a, b, c = (places[faces[:, k]] for k in range(3))
        across = np.cross(b - a, c - a)
        for k in range(3):
            np.add.at(total, faces[:, k], across)
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.asarray(normals / lengths.clip(1e-12), np.float32)


def _off(context: bpy.types.Context, path: Path, places: np.ndarray, first: Floats) -> float:
    """How far vertices of the mesh, read back, are from those whose texels they name."""
    before = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=str(path), merge_vertices=False)
    read_back = next((o for o in bpy.data.objects if o not in before and o.type == "MESH"), None)
    if read_back is None or len(read_back.data.uv_layers) < 2:
        raise InputError(
            f"{path.name} holds no mesh with two sets of uvs when it is read back.",
            "Choose another kind.",
        )
    context.view_layer.update()
    mesh, world = read_back.data, np.array(read_back.matrix_world)
    corners, flat = np.empty(len(mesh.loops), np.int32), np.empty((len(mesh.loops), 2), np.float32)
    co = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.loops.foreach_get("vertex_index", corners)
    mesh.uv_layers[1].data.foreach_get("uv", flat.reshape(-1))
    mesh.vertices.foreach_get("co", co)
    cells = np.stack([flat[:, 0], 1 - flat[:, 1]], 1)
    width, height = len(np.unique(places[:, 0])), round(0.5 / places[0, 1])
    number = np.round(cells[:, 1] * height - 0.5).astype(int) * width + np.round(
        cells[:, 0] / places[0, 0] / 2 - 0.5
    ).astype(int)
    if len(np.unique(number)) != len(first) or number.max() >= len(first):
        raise InputError(
            "Vertices lost their texels when the mesh was read back.", "Choose another kind."
        )
    there = co.reshape(-1, 3)[corners] @ world[:3, :3].T + world[:3, 3]
    return float(np.linalg.norm(there - first[number], axis=1).max() / np.ptp(first, axis=0).max())
