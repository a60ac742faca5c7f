"""The depth of one picture as a mesh that wears the picture, seen right from its camera."""

from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ....backend.formats.capture import Capture, Frame
from ....backend.protocol import InputError
from . import picture_times

# relative depth step across which no face is made: what lies behind is another thing
STEP_LIMIT = 0.08


def read_depth(path: Path) -> np.ndarray:
    """(h, w), the first row on top; 0 where there is none."""
    image = bpy.data.images.load(str(path))
    try:
        image.colorspace_settings.name = "Non-Color"
        width, height = image.size
        if not width or not height:
            raise InputError(f"{path.name} can't be read.", "Solve the cameras again with depth.")
        pixels = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(image)
    return np.flipud(pixels.reshape(height, width, -1)[..., 0])


def grid(frame: Frame, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3) in the camera's OpenGL axes, their place (V, 2) in the picture from the lower
    left, quads (Q, 4).
    """
    height, width = depth.shape
    u, v = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    x, y = (u * frame.width - frame.cx) / frame.fl_x, (v * frame.height - frame.cy) / frame.fl_y
    vertices = np.stack([x * depth, -y * depth, -depth], -1).reshape(-1, 3)
    index = np.arange(height * width).reshape(height, width)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(
        -1, 4
    )
    corners = depth.reshape(-1)[quads]
    near, far = corners.min(1), corners.max(1)
    return (
        vertices,
        np.stack([u, 1 - v], -1).reshape(-1, 2),
        quads[(near > 0) & (far < near * (1 + STEP_LIMIT))],
    )


def _material(name: str, image_path: Path) -> bpy.types.Material:
    """The picture as it was filmed: light that falls on it was there already."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    image, glow, output = (
        nodes.new(f"ShaderNode{kind}") for kind in ("TexImage", "Emission", "OutputMaterial")
    )
    image.image = bpy.data.images.load(str(image_path), check_existing=True)
    links.new(image.outputs["Color"], glow.inputs["Color"])
    links.new(glow.outputs["Emission"], output.inputs["Surface"])
    return material


def make(
    collection: bpy.types.Collection, root: bpy.types.Object, capture: Capture, number: int
) -> bpy.types.Object:
    """The mesh of the picture that is shown at frame `number`, hanging from the capture's root."""
    index = picture_times.picture_at(root, capture, number)
    if index is None:
        last = picture_times.frames_of(root, len(capture.frames)).max()
        raise InputError(
            f"The capture has frames 1 to {last:.0f}.", "Go to one of them on the timeline."
        )
    frame = capture.frames[index]
    if frame.depth is None or frame.depth.suffix.lower() != ".exr" or not frame.depth.is_file():
        raise InputError(
            "The capture has no depth of ours.", "Solve the cameras with depth (step 2, Advanced)."
        )
    vertices, places, quads = grid(frame, read_depth(frame.depth))
    if not len(quads):
        raise InputError("The depth of this frame is empty.", "Try another frame.")
    mesh = bpy.data.meshes.new(f"{collection.name} Depth {number}")
    mesh.from_pydata(vertices, [], quads.tolist())
    uv = mesh.uv_layers.new(name="Picture")
    corners = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    uv.uv.foreach_set("vector", places[corners].astype(np.float32).ravel())
    mesh.materials.append(_material(mesh.name, frame.image))
    mesh.update()
    surface = bpy.data.objects.new(mesh.name, mesh)
    collection.objects.link(surface)
    surface.parent = root
    surface.matrix_basis = Matrix(frame.camera_to_world.tolist())
    return surface
