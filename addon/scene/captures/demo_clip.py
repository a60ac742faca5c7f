"""A short clip that the add-on renders itself, so that everything can be tried without footage:
painted blocks, balls and a ring on a tiled floor, filmed on an arc. The true cameras are written
beside it.
"""

import json
import math
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from .solved_camera import pose_record

FRAMES, WIDTH, HEIGHT, SAMPLES = 48, 480, 320, 12


def _painted(name: str, seed: int, tint: tuple[float, float, float]) -> bpy.types.Material:
    """A material with a picture of random rectangles and blots: corners wherever one looks, like
    posters or tiles.
    """
    random, size = np.random.default_rng(seed), 512
    pixels = np.ones((size, size, 4), np.float32)
    pixels[..., :3] = tint
    for _ in range(260):
        x, y = random.integers(0, size, 2)
        w, h = random.integers(6, 70, 2)
        color = np.clip(np.array(tint) + random.normal(0, 0.3, 3), 0.02, 1)
        pixels[y : y + h, x : x + w, :3] = color
    pixels[..., :3] *= (
        random.uniform(0.85, 1.0, (size // 4, size // 4, 1)).repeat(4, 0).repeat(4, 1)
    )
    image = bpy.data.images.new(name, size, size)
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = image
    surface = next(n for n in nodes if n.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = 0.8
    links.new(texture.outputs["Color"], surface.inputs["Base Color"])
    return material


def _add(
    scene: bpy.types.Scene,
    kind: str,
    material: bpy.types.Material,
    location: tuple,
    rotation: float,
    **size: object,
) -> None:
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        getattr(bpy.ops.mesh, f"primitive_{kind}_add")(
            location=location, rotation=(0, 0, rotation), **size
        )
    added = scene.view_layers[0].objects.active
    added.data.materials.append(material)
    for polygon in added.data.polygons:
        polygon.use_smooth = kind != "cube" and kind != "plane"


def _build(scene: bpy.types.Scene) -> None:
    paint = [
        _painted(f"Demo {i}", i, t)
        for i, t in enumerate(
            (
                (0.6, 0.55, 0.5),
                (0.75, 0.3, 0.2),
                (0.2, 0.45, 0.7),
                (0.75, 0.65, 0.2),
                (0.3, 0.6, 0.35),
            )
        )
    ]
    _add(scene, "plane", paint[0], (0, 0, 0), 0.0, size=9)
    _add(scene, "cube", paint[1], (-0.9, 0.5, 0.6), 0.4, size=1.2)
    _add(scene, "uv_sphere", paint[2], (0.9, 0.7, 0.6), 0.3, radius=0.6, segments=48, ring_count=24)
    _add(scene, "torus", paint[3], (0.3, -0.9, 0.25), 0.0, major_radius=0.6, minor_radius=0.22)
    _add(scene, "cylinder", paint[4], (-1.3, -1.1, 0.5), 0.0, radius=0.35, depth=1.0)
    _add(scene, "cube", paint[2], (0.0, 2.2, 1.1), 0.15, size=2.2)
    sun = bpy.data.objects.new("Demo Sun", bpy.data.lights.new("Demo Sun", "SUN"))
    sun.data.energy, sun.data.angle, sun.rotation_euler = 3.0, 0.15, (0.7, 0.2, 0.5)
    scene.collection.objects.link(sun)
    world = bpy.data.worlds.new("Demo")
    world.use_nodes = True
    next(n for n in world.node_tree.nodes if n.type == "BACKGROUND").inputs[0].default_value = (
        0.75,
        0.82,
        0.95,
        1,
    )
    scene.world = world


def _film(scene: bpy.types.Scene) -> bpy.types.Object:
    camera = bpy.data.objects.new("Demo Camera", bpy.data.cameras.new("Demo Camera"))
    camera.data.lens = 38
    scene.collection.objects.link(camera)
    scene.camera = camera
    for frame in range(1, FRAMES + 1):
        share = (frame - 1) / (FRAMES - 1)
        angle = math.radians(-160 + 200 * share)
        camera.location = (
            4.4 * math.cos(angle),
            4.4 * math.sin(angle),
            1.7 + 0.7 * math.sin(2 * math.pi * share),
        )
        camera.rotation_euler = (
            (Vector((0, 0.2, 0.55)) - camera.location).to_track_quat("-Z", "Y").to_euler()
        )
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
    return camera


def _settings(scene: bpy.types.Scene, path: Path) -> None:
    render = scene.render
    render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", SAMPLES, False
    scene.cycles.max_bounces = 3
    render.resolution_x, render.resolution_y, render.resolution_percentage, render.fps = (
        WIDTH,
        HEIGHT,
        100,
        24,
    )
    render.use_persistent_data = True
    scene.view_settings.view_transform = "Standard"
    scene.frame_start, scene.frame_end = 1, FRAMES
    if hasattr(render.image_settings, "media_type"):  # Blender 5
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec, render.ffmpeg.constant_rate_factor = (
        "MPEG4",
        "H264",
        "HIGH",
    )
    render.ffmpeg.gopsize, render.filepath, render.use_file_extension = 1, str(path), False


def make(path: Path) -> Path:
    """Renders the clip to `path` (mp4) and the true cameras to `truth.json` beside it; leaves no
    trace in the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    before = {
        kind: set(getattr(bpy.data, kind))
        for kind in (
            "objects",
            "meshes",
            "materials",
            "images",
            "cameras",
            "lights",
            "worlds",
            "actions",
        )
    }
    scene = bpy.data.scenes.new("Splatsmith Demo")
    try:
        _build(scene)
        camera = _film(scene)
        _settings(scene, path)
        records = []
        for number in range(1, FRAMES + 1):
            scene.frame_set(number)
            records.append(
                {
                    "file_path": f"{number:04d}.png",
                    "time": (number - 1) / 24,
                    **pose_record(scene, camera, WIDTH, HEIGHT),
                }
            )
        bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        # frees what Cycles still holds of the data that goes now
        scene.render.use_persistent_data = False
        bpy.data.scenes.remove(scene)
        for kind, known in before.items():
            for block in set(getattr(bpy.data, kind)) - known:
                getattr(bpy.data, kind).remove(block)
    (path.parent / "truth.json").write_text(json.dumps({"frames": records}), encoding="utf-8")
    return path
