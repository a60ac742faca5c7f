"""Things that move, for Cycles: of Blender's own means, and of the model files of the real data."""

from collections.abc import Callable

import bpy
import numpy as np
from helpers.places import DATA
from mathutils import Vector

MODELS = {
    "fox": ("anim_fox/Fox.glb", "Survey"), "knight": ("anim_kaykit_dev/Knight.glb", "Cheer"),
    "mage": ("anim_kaykit_dev/Mage.glb", "Interact"), "horse": ("anim_quaternius_dev/Horse-v7.glb",
    "Eating"),
    "wolf": ("anim_quaternius_dev/Wolf-v12.glb", "Walk"), "robot": ("anim_robot/robot.glb",
    "Robot_Wave"),
}  # fmt: skip
# one gait cycle after the other at the action's own speed, in place
GAITS = {
    "knightwalk": ("anim_kaykit_dev/Knight.glb", "Walking_A"),
    "foxrun": ("anim_fox/Fox.glb", "Run"),
    "knightrun": ("anim_kaykit_dev/Knight.glb", "Running_A"),
    "magerun": ("anim_kaykit_dev/Mage.glb", "Running_B"),
    "wolfwalk": ("anim_quaternius_dev/Wolf-v12.glb", "Walk"),
    "horsewalk": ("anim_quaternius_dev/Horse-v7.glb", "Walk"),
    "robotwalk": ("anim_robot/robot.glb", "Robot_Walking"),
}
GAIT_FRAMES = 96  # at 24 a second, on one circle: more than three cycles of each
HELD_THINGS = ("Sword", "Shield", "Wand", "Staff", "Spellbook", "Icosphere")
SetTime = Callable[[float], None]  # 0 at the first frame, 1 after the last


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
    mesh.materials.append(material("Col"))


def material(attribute: str | None, scale: float = 4.0) -> bpy.types.Material:
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
    data.materials.append(material(None))

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


def model(name: str) -> tuple[list, SetTime]:
    """A rigged model through one run of its animation; one that walks or runs, through as many
    cycles as there is time for.
    """
    file, motion = GAITS.get(name) or MODELS[name]
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
        done = GAIT_FRAMES * time % (last - first) if name in GAITS else (last - first) * time
        frame = first + done
        bpy.context.scene.frame_set(int(frame), subframe=frame - int(frame))

    return kept, at


THINGS = {"monkey": _monkey, "flag": _flag, "metaballs": _metaballs, "torus": _torus_to_sphere}
