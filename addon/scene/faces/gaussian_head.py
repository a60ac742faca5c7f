"""A Gaussian head in the scene: splats that follow a head's mesh on every frame."""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ....backend.formats.gaussian_head_file import GaussianHead
from ....backend.formats.head_file import Head
from ....backend.formats.splat_ply import SplatArrays
from ..splats import pointclouds, radiance, splat_nodes, splats
from . import head_nodes
from .head_mesh import METRES, to_blender

FILMED = "splatsmith_filmed"  # on the mesh: degrees from which the footage shows the head
FULL_TURN = 0.5  # radians of the head that a neck's shape of 1 stands for (whole_head/neck.py)
NECK = (
    ("neckUp", 0, -1), ("neckDown", 0, 1), ("neckLeft", 2, 1), ("neckRight", 2, -1),
    ("neckTiltLeft", 1, 1), ("neckTiltRight", 1, -1),
)  # fmt: skip
NOTE = "Synthetic: contains a face that was animated by Splatsmith."


def import_gaussians(
    scene: bpy.types.Scene,
    gaussians: GaussianHead,
    head: Head,
    mesh: bpy.types.Object,
    collection: bpy.types.Collection,
) -> bpy.types.Object:
    """Splats on the mesh that `head` became. The mesh itself is no longer rendered, and shown as
    its bounds.
    """
    _prepare_mesh(mesh, head, gaussians)
    _bend_neck(mesh)
    if gaussians.yaw_range is not None:
        mesh[FILMED] = [float(angle) for angle in gaussians.yaw_range]
    arrays = _at_rest(gaussians, head)
    cloud = pointclouds.new_object(
        f"{mesh.name} Gaussians",
        collection,
        arrays.means,
        {**splats.attributes(arrays), **_local(gaussians)},
    )
    cloud.parent = mesh
    modifier = cloud.modifiers.new(splats.FOLLOW, "NODES")
    modifier.node_group = head_nodes.build(
        f"{mesh.name} Follow", mesh, gaussians.latent_bias.tolist()
    )
    splats.show(cloud)
    cloud[splats.MARK] = "gaussian head"
    mesh.display_type, mesh.hide_render = "BOUNDS", True
    splat_nodes.prepare_scene(scene)
    if NOTE not in scene.render.stamp_note_text:
        scene.render.use_stamp_note, scene.render.stamp_note_text = (
            True,
            f"{scene.render.stamp_note_text} {NOTE}".strip(),
        )
    return cloud


def _prepare_mesh(mesh: bpy.types.Object, head: Head, gaussians: GaussianHead) -> None:
    """Rest places, and the vectors whose sum with what the vertices moved is the latent pose:
    weights times the shapes' inverse.
    """
    shapes = (to_blender(head.shapes) * METRES).reshape(len(head.names), -1).astype(np.float64)
    gram = shapes @ shapes.T
    solved = np.linalg.solve(gram + 1e-6 * np.trace(gram) / len(gram) * np.eye(len(gram)), shapes)
    table = (
        (gaussians.latent_weights.astype(np.float64) @ solved)
        .reshape(len(gaussians.latent_bias), -1, 3)
        .astype(np.float32)
    )
    attributes: dict[str, tuple[str, NDArray[Any]]] = {
        "head_rest": ("FLOAT_VECTOR", to_blender(head.vertices) * METRES)
    }
    attributes |= {f"latent_{k}": ("FLOAT_VECTOR", row) for k, row in enumerate(table)}
    pointclouds.write_attributes(mesh.data, attributes)


def _local(gaussians: GaussianHead) -> pointclouds.Attributes:
    """What the nodes read of each point. Frames are the triangles' own, so axes need no change."""
    attributes: dict[str, tuple[str, NDArray[Any]]] = {
        "local_mean": ("FLOAT_VECTOR", gaussians.means * METRES),
        "local_rotation": ("QUATERNION", gaussians.quats),
        "local_scale": ("FLOAT_VECTOR", gaussians.scales * METRES),
        "rest_size": ("FLOAT", np.maximum(gaussians.rest_sizes, 1e-6) * METRES),
        "local_color": ("FLOAT_VECTOR", gaussians.sh[:, 0] * radiance.SH_C0 + 0.5),
        "local_opacity": ("FLOAT", gaussians.opacities),
        "invented": ("FLOAT", _invented(gaussians)),
    }
    for corner in range(3):
        attributes[f"corner_{corner}"] = ("INT", gaussians.corners[:, corner].astype(np.int32))
    for k, (means, colors) in enumerate(
        zip(gaussians.mean_shapes, gaussians.color_shapes, strict=True)
    ):
        attributes[f"mean_shape_{k}"], attributes[f"color_shape_{k}"] = (
            ("FLOAT_VECTOR", means * METRES),
            ("FLOAT_VECTOR", colors),
        )
    return attributes


def _invented(gaussians: GaussianHead) -> NDArray[np.float32]:
    """(N,) 0..1; heads of earlier versions do not say, and have learned all from the footage."""
    if gaussians.invented is None:
        return np.zeros(len(gaussians.opacities), np.float32)
    return gaussians.invented


def slider(mesh: bpy.types.Object) -> tuple[Any, str] | None:
    """What has the property that shows or hides what is invented, and its name, of the head that
    rides on a mesh.
    """
    for cloud in mesh.children:
        modifier = cloud.modifiers.get(splats.FOLLOW)
        if modifier is None or modifier.node_group is None:
            continue
        items: Any = modifier.node_group.interface.items_tree
        for item in items:
            if item.name == head_nodes.INVENTED:
                if not hasattr(modifier, "properties"):  # before Blender 5.2
                    return modifier, f'["{item.identifier}"]'
                return getattr(modifier.properties.inputs, item.identifier), "value"
    return None


def _bend_neck(mesh: bpy.types.Object) -> None:
    """The shoulders stay where they are while the object, which is the head, is turned: drivers of
    the neck's shape keys.
    """
    keys = mesh.data.shape_keys.key_blocks if mesh.data.shape_keys is not None else {}
    for name, axis, sign in NECK:
        if name not in keys:
            continue
        driver = keys[name].driver_add("value").driver
        turn = driver.variables.new()
        turn.name, turn.targets[0].id = "turn", mesh
        turn.targets[0].data_path = f"delta_rotation_euler[{axis}]"
        driver.expression = f"max(0, turn * {sign / FULL_TURN})"


def _at_rest(gaussians: GaussianHead, head: Head) -> SplatArrays:
    """Something near what the nodes make of them on the mesh at rest; turns, and places in the
    triangles, are the nodes' alone.
    """
    corners = to_blender(head.vertices)[gaussians.corners] * METRES
    logits = np.log(
        gaussians.opacities.clip(1e-4, 1 - 1e-4) / (1 - gaussians.opacities.clip(1e-4, 1 - 1e-4))
    )
    first = np.stack(
        [gaussians.sh[:, 2], -gaussians.sh[:, 1], gaussians.sh[:, 3]], 1
    )  # degree 1 in Blender's axes: its basis is -y, z, -x
    sh = np.concatenate([gaussians.sh[:, :1], first], 1)
    return SplatArrays(
        means=corners.mean(1),
        quats=gaussians.quats,
        log_scales=np.log(np.maximum(gaussians.scales, 1e-6) * METRES),
        opacity_logits=logits.astype(np.float32),
        sh=sh,
    )
