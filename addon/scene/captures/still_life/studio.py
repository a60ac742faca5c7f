"""Around the table: a round plastered wall, and the light of a studio."""

from pathlib import Path

import bpy
import numpy as np

from . import shapes, surfaces

PANORAMA = "studio.exr"
POWER = 1.6
WARM = (1.0, 0.88, 0.74, 1.0)


def wall(scene: bpy.types.Scene) -> None:
    """A round wall behind all that the camera sees; light goes through it."""
    colors = [(0.3, (0.07, 0.075, 0.065)), (0.5, (0.16, 0.165, 0.14)), (0.7, (0.3, 0.29, 0.24))]
    angle = np.radians(np.linspace(-35, 275, 96))
    height = np.linspace(-0.2, 4.6, 12)
    points = np.stack(
        np.broadcast_arrays(5.6 * np.cos(angle)[None], 5.6 * np.sin(angle)[None], height[:, None]),
        axis=-1,
    )
    faces = shapes.grid_faces(12, 96, closed=False)
    round_wall = shapes.add(
        scene, "Wall", points.reshape(-1, 3), faces, surfaces.plaster("Plaster", colors)
    )
    round_wall.visible_shadow = round_wall.visible_diffuse = False


def world(scene: bpy.types.Scene) -> None:
    """The photo studio that Blender ships as a panorama, or an even sky where it is not there."""
    made = bpy.data.worlds.new("Demo")
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    background = next(n for n in nodes if n.type == "BACKGROUND")
    shipped = [
        light.path
        for light in bpy.context.preferences.studio_lights
        if light.type == "WORLD" and light.name == PANORAMA and Path(light.path).is_file()
    ]
    if shipped:
        panorama = nodes.new("ShaderNodeTexEnvironment")
        panorama.image = bpy.data.images.load(shipped[0])
        tint = nodes.new("ShaderNodeVectorMath")
        tint.operation, tint.inputs[1].default_value = "MULTIPLY", WARM[:3]
        links.new(panorama.outputs[0], tint.inputs[0])
        links.new(tint.outputs[0], background.inputs[0])
        background.inputs[1].default_value = POWER
    else:
        background.inputs[0].default_value = WARM
    scene.world = made
