"""Moving objects with exact truth, rendered by Cycles: run with a Python that has bpy.

    python tests/helpers/moving_objects.py FOLDER CLIP [CLIP …]

Each clip becomes a capture with time, FOLDER/CLIP (RGBA pictures; `_estimated` ones have a world
around the object, no alpha, and masks beside them), and FOLDER/CLIP.npz, the object's true mesh in
every frame.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

sys.path[:0] = [str(Path(__file__).resolve().parents[k]) for k in (1, 2)]
from helpers.moving_things import GAIT_FRAMES, GAITS, THINGS, material, model  # noqa: E402

from backend.formats import capture  # noqa: E402


@dataclass(frozen=True)
class Shot:
    """How a clip is filmed: degrees of the circle that the camera goes around, frames, pixels."""

    arc: float = 360.0
    frames: int = 50
    size: int = 200
    samples: int = 16


# ---- truth
def _mesh(objects: list) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) in the world and triangles (F, 3) of all objects as they stand."""
    graph, vertices, faces, count = bpy.context.evaluated_depsgraph_get(), [], [], 0
    for thing in objects:
        shown = thing.evaluated_get(graph)
        mesh = shown.to_mesh()
        mesh.calc_loop_triangles()
        co, corner = (
            np.empty(len(mesh.vertices) * 3, np.float32),
            np.empty(len(mesh.loop_triangles) * 3, np.int32),
        )
        mesh.vertices.foreach_get("co", co)
        mesh.loop_triangles.foreach_get("vertices", corner)
        world = np.array(shown.matrix_world)
        vertices.append(co.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3])
        faces.append(corner.reshape(-1, 3) + count)
        count += len(vertices[-1])
        shown.to_mesh_clear()
    return np.concatenate(vertices).astype(np.float32), np.concatenate(faces)


def _bones(objects: list) -> dict[str, np.ndarray]:
    """`bones` (B,) names, and `bone` (V,) the one that moves each vertex most; nothing where the
    vertices have none.
    """
    names: list[str] = []
    for thing in objects:
        groups = {group.index: group.name for group in thing.vertex_groups}
        for vertex in thing.data.vertices:
            most = max(vertex.groups, key=lambda g: g.weight, default=None)
            names.append(groups[most.group] if most else thing.parent_bone)
    if not all(names):
        return {}
    bones, bone = np.unique(names, return_inverse=True)
    return {"bones": bones, "bone": bone.astype(np.int32)}


def _write_truth(
    path: Path, meshes: list[tuple[np.ndarray, np.ndarray]], bones: dict[str, np.ndarray]
) -> None:
    """One array of trajectories where the topology stays, an array a frame where it does not."""
    same = (
        len({len(v) for v, _ in meshes}) == 1
    )  # quads may be cut into triangles differently from frame to frame
    if same:
        if "bone" in bones and len(bones["bone"]) != len(meshes[0][0]):
            bones = {}  # a modifier made other vertices
        vertices = np.stack([v for v, _ in meshes])
        np.savez_compressed(path, vertices=vertices, faces=meshes[0][1], **bones)
    else:
        arrays = {f"vertices{i}": v for i, (v, _) in enumerate(meshes)} | {
            f"faces{i}": f for i, (_, f) in enumerate(meshes)
        }
        np.savez_compressed(path, **arrays)


# ---- filming
def _light_and_film(shot: Shot) -> bpy.types.Object:
    scene = bpy.context.scene
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 1.0, (0.7, 0.2, 0.5)
    scene.collection.objects.link(sun)
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs[0].default_value = (1, 1, 1, 1)
    scene.world.node_tree.nodes["Background"].inputs[1].default_value = 0.7
    scene.render.engine, scene.cycles.device = "CYCLES", "CPU"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = (
        shot.samples,
        False,
        2,
    )
    scene.cycles.use_adaptive_sampling = False
    scene.render.resolution_x = scene.render.resolution_y = shot.size
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Standard"
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.angle = np.radians(40)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def _surroundings(center: np.ndarray, extent: float, lowest: float) -> None:
    """A floor and some blocks, textured, so that cameras can be solved."""
    bpy.ops.mesh.primitive_plane_add(
        size=extent * 12, location=(*center[:2], lowest - 0.02 * extent)
    )
    made = [bpy.context.object]
    for index in range(14):
        angle, reach = index * 2.4, 2.6 + 0.35 * (index % 4)
        place = center + extent * np.array(
            [reach * np.cos(angle), reach * np.sin(angle), 0.15 * (index % 3) - 0.2]
        )
        bpy.ops.mesh.primitive_cube_add(
            size=extent * (0.5 + 0.15 * (index % 3)), location=place, rotation=(0, 0, angle)
        )
        made.append(bpy.context.object)
    for thing in made:
        thing.data.materials.append(material(None, 6.0 / extent))


def film(folder: Path, name: str) -> None:
    """Renders one clip and writes its capture and its truth."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    kind, _, way = name.partition("_")
    shot = Shot(arc=50.0) if way == "front" else Shot()
    if kind in GAITS:
        shot = replace(shot, frames=GAIT_FRAMES)
    objects, at = THINGS[kind]() if kind in THINGS else model(kind)
    camera, scene = _light_and_film(shot), bpy.context.scene
    meshes = []
    for k in range(shot.frames):
        at(k / shot.frames)
        meshes.append(_mesh(objects))
    _write_truth(folder / f"{name}.npz", meshes, _bones(objects))
    everything = np.concatenate([v for v, _ in meshes])
    center, extent = (
        (everything.max(0) + everything.min(0)) / 2,
        float(np.ptp(everything, axis=0).max()),
    )
    if way == "estimated":
        _surroundings(center, extent, float(everything[:, 2].min()))
    others = [
        o for o in bpy.data.objects if o.type == "MESH" and o not in objects and not o.hide_render
    ]
    focal, frames, root = shot.size / 2 / np.tan(camera.data.angle / 2), [], folder / name
    for k in range(shot.frames):
        at(k / shot.frames)
        angle, height = (
            np.radians(shot.arc) * (k / shot.frames - (0.5 if way == "front" else 0.0)),
            np.radians(15),
        )
        direction = np.array(
            [np.cos(height) * np.cos(angle), np.cos(height) * np.sin(angle), np.sin(height)]
        )
        camera.location = center + 1.9 * extent * direction
        camera.rotation_euler = (
            (Vector(center) - camera.location).to_track_quat("-Z", "Y").to_euler()
        )
        bpy.context.view_layer.update()
        image = root / "images" / f"{k:03d}.png"
        _render(image, others, way == "estimated", root / "masks" / f"{k:03d}.png")
        frames.append(
            capture.Frame(
                image=image,
                camera_to_world=np.array(camera.matrix_world),
                fl_x=focal,
                fl_y=focal,
                cx=shot.size / 2,
                cy=shot.size / 2,
                width=shot.size,
                height=shot.size,
                time=k / 24,
            )
        )
    capture.write(root, frames, None)
    scene.render.film_transparent = False


def _render(image: Path, others: list, surrounded: bool, mask: Path) -> None:
    """The picture; where there are surroundings, also the object alone, whose alpha is its mask."""
    scene = bpy.context.scene
    for thing in others:
        thing.hide_render = False
    scene.render.film_transparent, scene.render.image_settings.color_mode = (
        not surrounded,
        "RGB" if surrounded else "RGBA",
    )
    scene.render.filepath = str(image)
    # else the noise stands still in the picture, as no camera's does, and is followed as a texture
    scene.cycles.seed = int(image.stem)
    bpy.ops.render.render(write_still=True)
    if surrounded:
        for thing in others:
            thing.hide_render = True
        scene.render.film_transparent, scene.render.image_settings.color_mode = True, "RGBA"
        scene.render.filepath = str(mask)
        bpy.ops.render.render(write_still=True)
        picture = bpy.data.images.load(str(mask))
        alpha = np.array(picture.pixels[:], np.float32).reshape(-1, 4)[:, 3:]
        bpy.data.images.remove(picture)
        white = bpy.data.images.new("mask", scene.render.resolution_x, scene.render.resolution_y)
        white.colorspace_settings.name = "Non-Color"
        white.pixels.foreach_set(
            np.hstack([np.repeat(alpha, 3, 1), np.ones_like(alpha)]).astype(np.float32).ravel()
        )
        white.filepath_raw, white.file_format = str(mask), "PNG"
        white.save()
        bpy.data.images.remove(white)


if __name__ == "__main__":
    for clip in sys.argv[2:]:
        film(Path(sys.argv[1]), clip)
