"""Moving objects with exact truth, rendered by Cycles: run with a Python that has bpy.

    python tests/helpers/moving_objects.py FOLDER CLIP [CLIP …]

Each clip becomes a capture with time, FOLDER/CLIP (RGBA pictures; `_estimated` ones have a world
around the object, no alpha, and masks beside them), and FOLDER/CLIP.npz, the object's true mesh in
every frame.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

sys.path[:0] = [str(Path(__file__).resolve().parents[k]) for k in (1, 2)]
from helpers.places import DATA  # noqa: E402

from backend.formats import capture  # noqa: E402

MODELS = {
    "fox": ("anim_fox/Fox.glb", "Survey"), "knight": ("anim_kaykit_dev/Knight.glb", "Cheer"),
    "mage": ("anim_kaykit_dev/Mage.glb", "Interact"), "horse": ("anim_quaternius_dev/Horse-v7.glb", "Eating"),
    "wolf": ("anim_quaternius_dev/Wolf-v12.glb", "Walk"), "robot": ("anim_robot/robot.glb", "Robot_Wave"),
}  # fmt: skip
HELD_THINGS = ("Sword", "Shield", "Wand", "Staff", "Spellbook", "Icosphere")
SetTime = Callable[[float], None]  # 0 at the first frame, 1 after the last


@dataclass(frozen=True)
class Shot:
    """How a clip is filmed: degrees of the circle that the camera goes around, frames, pixels."""

    arc: float = 360.0
    frames: int = 50
    size: int = 200
    samples: int = 16


# ------------------------------------------------------------------------------------------------- objects
def _paint(mesh: bpy.types.Mesh) -> None:
    """Waves of colour that differ everywhere, as on a painted toy."""
    co = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", co)
    co = co.reshape(-1, 3) / np.ptp(co.reshape(-1, 3), axis=0).max() * 2
    waves = [
        np.sin(11 * co[:, 0] + 1) * np.cos(5 * co[:, 2]),
        np.sin(13 * co[:, 1]),
        np.sin(12 * co[:, 2] + 2 + 3 * co[:, 0]),
    ]
    colors = np.stack([*(0.5 + 0.45 * w for w in waves), np.ones(len(co))], 1).astype(np.float32)
    mesh.color_attributes.new("Col", "FLOAT_COLOR", "POINT").data.foreach_set(
        "color", colors.ravel()
    )
    mesh.materials.clear()
    mesh.materials.append(_material("Col"))


def _material(attribute: str | None, scale: float = 4.0) -> bpy.types.Material:
    """Matte, coloured by an attribute or by waves through space."""
    material = bpy.data.materials.new("painted")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = nodes["Principled BSDF"]
    surface.inputs["Roughness"].default_value = 1.0
    surface.inputs["Specular IOR Level"].default_value = 0.0
    if attribute:
        color = nodes.new("ShaderNodeVertexColor")
        color.layer_name = attribute
        links.new(color.outputs["Color"], surface.inputs["Base Color"])
    else:
        texture = nodes.new("ShaderNodeTexNoise")
        texture.inputs["Scale"].default_value = scale
        texture.inputs["Detail"].default_value = 6.0
        ramp = nodes.new("ShaderNodeHueSaturation")
        ramp.inputs["Saturation"].default_value = 2.5
        where = nodes.new("ShaderNodeTexCoord")
        links.new(where.outputs["Object"], texture.inputs["Vector"])
        links.new(texture.outputs["Color"], ramp.inputs["Color"])
        links.new(ramp.outputs["Color"], surface.inputs["Base Color"])
    return material


def _monkey() -> tuple[list, SetTime]:
    bpy.ops.mesh.primitive_monkey_add(size=1.6)
    monkey = bpy.context.object
    smooth = monkey.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = 2
    bend = monkey.modifiers.new("bend", "SIMPLE_DEFORM")
    bend.deform_method, bend.deform_axis = "BEND", "X"
    _paint(monkey.data)

    def at(time: float) -> None:
        bend.angle = 0.6 * np.sin(2 * np.pi * time)
        monkey.rotation_euler = (0, 0, 0.3 * np.sin(2 * np.pi * time))
        bpy.context.view_layer.update()

    return [monkey], at


def _flag() -> tuple[list, SetTime]:
    """Cloth in the wind, simulated, pinned along one side, and as thick as a towel."""
    bpy.ops.mesh.primitive_grid_add(
        x_subdivisions=34, y_subdivisions=24, size=2, rotation=(np.pi / 2, 0, 0)
    )
    flag = bpy.context.object
    flag.scale = (1.0, 0.7, 1.0)
    bpy.ops.object.transform_apply(rotation=True, scale=True)
    pinned = flag.vertex_groups.new(name="pinned")
    pinned.add([v.index for v in flag.data.vertices if v.co.x < -0.97], 1.0, "REPLACE")
    cloth = flag.modifiers.new("cloth", "CLOTH")
    cloth.settings.vertex_group_mass, cloth.settings.quality = "pinned", 6
    cloth.settings.mass, cloth.settings.bending_stiffness = 0.4, 1.0
    cloth.settings.effector_weights.gravity = 0.3
    cloth.point_cache.frame_start, cloth.point_cache.frame_end = 1, 130
    thick = flag.modifiers.new("thick", "SOLIDIFY")
    thick.thickness, thick.offset = 0.06, 0.0
    bpy.ops.object.effector_add(
        type="WIND", location=(-3, -1.0, 0.3), rotation=(0, np.radians(78), np.radians(14))
    )
    wind = bpy.context.object.field
    wind.strength, wind.noise, wind.seed = 260.0, 1.5, 3
    _paint(flag.data)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 130
    for frame in range(1, 131):
        scene.frame_set(frame)  # the simulation is cached as it goes

    def at(time: float) -> None:
        frame = 70 + 48 * time
        scene.frame_set(int(frame), subframe=frame - int(frame))

    return [flag], at


def _metaballs() -> tuple[list, SetTime]:
    """Drops that meet and part."""
    data = bpy.data.metaballs.new("drops")
    data.resolution = data.render_resolution = 0.09
    drops = bpy.data.objects.new("drops", data)
    bpy.context.scene.collection.objects.link(drops)
    for radius in (0.9, 0.7, 0.6):
        data.elements.new().radius = radius
    data.materials.append(_material(None))

    def at(time: float) -> None:
        angle = 2 * np.pi * time
        apart = 0.75 + 0.35 * np.cos(angle)
        data.elements[1].co = (apart, 0.2 * np.sin(angle), 0.1)
        data.elements[2].co = (-0.3, -apart * 0.8, 0.35 * np.sin(angle))
        bpy.context.view_layer.update()

    return [drops], at


def _torus_to_sphere() -> tuple[list, SetTime]:
    bpy.ops.mesh.primitive_torus_add(
        major_segments=96, minor_segments=48, major_radius=0.7, minor_radius=0.3
    )
    torus = bpy.context.object
    torus.shape_key_add(name="torus")
    sphere = torus.shape_key_add(name="sphere")
    for point, vertex in zip(sphere.data, torus.data.vertices, strict=True):
        around = np.arctan2(vertex.co.y, vertex.co.x)
        across = np.arctan2(
            vertex.co.z, np.hypot(vertex.co.x, vertex.co.y) - 0.7
        )  # 0 outside, pi inside
        lift = np.pi / 2 * np.sign(across) * (np.abs(across) / np.pi) if across else 0.0
        point.co = (
            Vector((np.cos(lift) * np.cos(around), np.cos(lift) * np.sin(around), np.sin(lift)))
            * 0.85
        )
    _paint(torus.data)

    def at(time: float) -> None:
        sphere.value = 0.5 - 0.5 * np.cos(2 * np.pi * time)
        bpy.context.view_layer.update()

    return [torus], at


def _model(name: str) -> tuple[list, SetTime]:
    """A rigged model through one run of its animation."""
    file, motion = MODELS[name]
    bpy.ops.import_scene.gltf(filepath=str(DATA / "models" / file))
    objects = [o for o in bpy.data.objects if o.type == "MESH"]
    kept = [o for o in objects if not any(word in o.name for word in HELD_THINGS)]
    for other in objects:
        other.hide_render = other not in kept
    rig = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    for track in rig.animation_data.nla_tracks:
        track.mute = True
    action = bpy.data.actions[motion]
    rig.animation_data.action = action
    if getattr(action, "slots", None):
        rig.animation_data.action_slot = action.slots[0]
    first, last = action.frame_range

    def at(time: float) -> None:
        frame = first + (last - first) * time
        bpy.context.scene.frame_set(int(frame), subframe=frame - int(frame))

    return kept, at


PROCEDURAL = {"monkey": _monkey, "flag": _flag, "metaballs": _metaballs, "torus": _torus_to_sphere}


# --------------------------------------------------------------------------------------------------- truth
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


def _write_truth(path: Path, meshes: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """One array of trajectories where the topology stays, an array a frame where it does not."""
    same = (
        len({len(v) for v, _ in meshes}) == 1
    )  # quads may be cut into triangles differently from frame to frame
    if same:
        np.savez_compressed(path, vertices=np.stack([v for v, _ in meshes]), faces=meshes[0][1])
    else:
        arrays = {f"vertices{i}": v for i, (v, _) in enumerate(meshes)} | {
            f"faces{i}": f for i, (_, f) in enumerate(meshes)
        }
        np.savez_compressed(path, **arrays)


# ------------------------------------------------------------------------------------------------- filming
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
        thing.data.materials.append(_material(None, 6.0 / extent))


def film(folder: Path, name: str) -> None:
    """Renders one clip and writes its capture and its truth."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    kind, _, way = name.partition("_")
    shot = Shot(arc=50.0) if way == "front" else Shot()
    objects, at = PROCEDURAL[kind]() if kind in PROCEDURAL else _model(kind)
    camera, scene = _light_and_film(shot), bpy.context.scene
    meshes = []
    for k in range(shot.frames):
        at(k / shot.frames)
        meshes.append(_mesh(objects))
    _write_truth(folder / f"{name}.npz", meshes)
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
    scene.cycles.seed = int(
        image.stem
    )  # else the noise stands still in the picture, as no camera's does, and is followed as a texture
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
