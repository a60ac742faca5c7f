"""Splats as a point-cloud object that carries Blender 5.3's own attributes, and back."""

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ....backend.formats import splat_moves, splat_ply
from ....backend.formats.splat_arrays import COEFFICIENTS
from ....backend.formats.splat_notes import comments_of, notes_of
from ....backend.formats.splat_ply import SplatArrays
from ....backend.formats.splats import files
from ....backend.protocol import InputError
from ....backend.runtime.atomic import atomic_path
from . import file_tools, native, pointclouds, splat_nodes, surroundings
from .pointclouds import Attributes
from .radiance import SH_C0, srgb_to_linear, whole_degrees

MARK = "splatsmith_splats"  # on the object: where its splats came from
AROUND = "splatsmith_surroundings"  # on a subject: the object with its surroundings
IS_AROUND = "splatsmith_is_surroundings"  # on that object
GROWING = "splatsmith_growing"  # on what stands in for splats that train: the number of their job
NOTES = "splatsmith_notes"  # what the file said of all its splats
ROOTED = "splatsmith_rooted"  # where the parent stood when they came in, row by row
FOLLOW, FOLLOW_COLOR = (
    "Follow the Head",
    "head_color",
)  # the modifier; sRGB by point, as its nodes leave it
LOGIT_LIMIT = 1e-6


def is_splats(candidate: bpy.types.Object | None) -> bool:
    """A point cloud with the splat attributes, ours or Blender's."""
    return (
        candidate is not None
        and candidate.type in ("POINTCLOUD", "MESH")
        and "radiance:base" in candidate.data.attributes
    )


def follows(cloud: bpy.types.Object | None) -> bool:
    """Whether the splats ride on a mesh (gaussian_head.py), so that only their evaluated data says
    where they are.
    """
    modifier = cloud.modifiers.get(FOLLOW) if cloud is not None else None
    return modifier is not None and modifier.show_viewport


def shown(cloud: bpy.types.Object) -> pointclouds.Points:
    """The splats' data; what the nodes have made of it where they follow a mesh."""
    if follows(cloud):
        cloud = cloud.evaluated_get(bpy.context.evaluated_depsgraph_get())
    data: pointclouds.Points = cloud.data
    return data


def constant_color(data: pointclouds.Points, base: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 3) degree-0 coefficients: of `base` (N, 4), or what the nodes have made of them."""
    moved = pointclouds.read_attribute(data, FOLLOW_COLOR, 3)
    return base[:, :3] if moved is None else (moved - 0.5) / SH_C0


def base_of(cloud: bpy.types.Object) -> NDArray[np.float32]:
    """(N, 4) the stored degree-0 coefficients, and the opacity; InputError where they are gone."""
    base = pointclouds.read_attribute(cloud.data, "radiance:base", 4)
    if base is None:
        raise InputError(f"{cloud.name} lacks a splat attribute.", "Import the splats again.")
    return base


def visible_splats(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The splat objects that the view layer shows."""
    return [
        o
        for o in context.view_layer.objects
        if is_splats(o) and o.visible_get(view_layer=context.view_layer)
    ]


def _active(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active splat object, or the one that the active empty crops."""
    active = context.object
    cropped: bpy.types.Object | None = active and active.splatsmith_crop.cloud
    return next((o for o in (active, cropped) if is_splats(o)), None)


def is_active(context: bpy.types.Context, cloud: bpy.types.Object) -> bool:
    """Whether these splats, or an empty that crops them, are active."""
    return _active(context) == cloud


def chosen(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active splat object, or the one that the active empty crops; else the only or newest one
    in the scene, a subject before surroundings and heads.
    """
    active = _active(context)
    if active is not None:
        return active
    clouds = sorted(
        (o for o in context.scene.objects if is_splats(o) and GROWING not in o),
        key=lambda o: (not follows(o), not o.get(IS_AROUND, False)),
    )
    return clouds[-1] if clouds else None


def demand(context: bpy.types.Context) -> bpy.types.Object:
    """The same; InputError where there is none."""
    cloud = chosen(context)
    if cloud is None:
        raise InputError("There are no splats.", "Train or import some first.")
    return cloud


def attributes(a: SplatArrays) -> Attributes:
    """What a splat object has by point, but for its position."""
    opacities = 1 / (1 + np.exp(-a.opacity_logits.astype(np.float64)))
    base = np.concatenate([a.sh[:, 0], opacities[:, None]], 1).astype(np.float32)
    color = np.concatenate(
        [srgb_to_linear((a.sh[:, 0] * SH_C0 + 0.5).clip(0, 1)), opacities[:, None]], 1
    ).astype(np.float32)
    base_type = "FLOAT4" if pointclouds.has_type("FLOAT4") else "FLOAT_COLOR"
    columns: dict[str, tuple[str, NDArray[Any]]] = {
        "scale": ("FLOAT_VECTOR", np.exp(a.log_scales)),
        "rotation": ("QUATERNION", a.quats),
        "radiance:base": (base_type, base),
    }
    if not native.is_known():  # the bare points stay out of the picture
        columns["splat_color"] = ("FLOAT_COLOR", color)
        columns["radius"] = ("FLOAT", np.zeros(len(a), np.float32))
    for k in range(1, a.sh.shape[1]):
        columns[f"radiance:sh_{k - 1}"] = ("FLOAT_VECTOR", a.sh[:, k])
    for name, values in a.extra.items():
        if name in columns or name in ("position", "selected", "hidden", "filtered", "fit"):
            continue  # the splat's own, and the marks of whoever looks at them
        if values.dtype.kind in "iu":
            columns[name] = ("INT", values.astype(np.int32))
        elif values.dtype.kind == "f":
            columns[name] = ("FLOAT", values.astype(np.float32))
    return columns


def read_file(path: Path) -> SplatArrays:
    """Of any format. Raises InputError for anything that is no splat file, and for one without
    splats.
    """
    return files.read(path, file_tools.tools())


def add(
    arrays: SplatArrays,
    source: str,
    name: str,
    collection: bpy.types.Collection,
    root: bpy.types.Object | None,
) -> list[bpy.types.Object]:
    """The subject as an object of that name, and its surroundings, where there are any, as one
    beside it.
    """
    around = surroundings.is_surroundings(arrays)
    subject = add_one(splat_ply.take(arrays, ~around), source, name, collection, root)
    if not around.any():
        return [subject]
    plain = name.removesuffix(" Splats")
    other = add_one(
        splat_ply.take(arrays, around), source, f"{plain} Surroundings", collection, root
    )
    subject[AROUND], other[IS_AROUND] = other, True
    return [subject, other]


def add_one(
    arrays: SplatArrays,
    source: str,
    name: str,
    collection: bpy.types.Collection,
    root: bpy.types.Object | None,
) -> bpy.types.Object:
    """All of them as one object."""
    cloud = show(pointclouds.new_object(name, collection, arrays.means, attributes(arrays)))
    cloud.parent = root
    cloud[MARK] = source
    if root is not None:
        cloud[ROOTED] = [value for row in root.matrix_world for value in row]
    cloud[NOTES] = "\n".join(comments_of(arrays.notes))
    return cloud


def blended_linearly(cloud: bpy.types.Object) -> bool:
    """Whether the splats were trained to be laid over each other in linear light."""
    return notes_of(str(cloud.get(NOTES, "")).splitlines()).blend == "linear"


def surroundings_of(cloud: bpy.types.Object) -> bpy.types.Object | None:
    """The object with a subject's surroundings, while it is in the file."""
    other = cloud.get(AROUND)
    return other if isinstance(other, bpy.types.Object) and is_splats(other) else None


def show(cloud: bpy.types.Object) -> bpy.types.Object:
    """Makes an object that has the splats' attributes one that is drawn and rendered."""
    if not native.adopt(cloud):
        cloud.display_type = "BOUNDS"
        splat_nodes.add_modifier(cloud)
    return cloud


def read(cloud: bpy.types.Object) -> SplatArrays:
    """The object's splats, with whatever was edited in Blender; in the object's own space."""
    data = shown(cloud)
    means, scale = (
        pointclouds.read_attribute(data, "position", 3),
        pointclouds.read_attribute(data, "scale", 3),
    )
    quats, base = (
        pointclouds.read_attribute(data, "rotation", 4),
        pointclouds.read_attribute(cloud.data, "radiance:base", 4),  # as stored: none hidden
    )
    if means is None or scale is None or quats is None or base is None:
        raise InputError(f"{cloud.name} lacks a splat attribute.", "Import the splats again.")
    base[:, :3] = constant_color(data, base)
    opacity = base[:, 3].astype(np.float64).clip(LOGIT_LIMIT, 1 - LOGIT_LIMIT)
    rest = [
        pointclouds.read_attribute(data, f"radiance:sh_{k}", 3) for k in range(COEFFICIENTS[-1] - 1)
    ]
    sh = np.stack([base[:, :3], *whole_degrees(rest)], 1)
    logits = np.log(opacity / (1 - opacity)).astype(np.float32)
    return SplatArrays(
        means=means,
        quats=quats,
        log_scales=np.log(scale.clip(1e-12)),
        opacity_logits=logits,
        sh=sh,
        extra=_extras(data),
        notes=notes_of(str(cloud.get(NOTES, "")).splitlines()),
    )


def _extras(data: pointclouds.Points) -> dict[str, NDArray[np.generic]]:
    """The artist's own numbers by point: labels, weights. They ride along in the PLY."""
    extras: dict[str, NDArray[np.generic]] = {}
    for attribute in data.attributes:
        kind = {"INT": np.int32, "FLOAT": np.float32}.get(attribute.data_type)
        if (
            kind
            and attribute.domain == "POINT"
            and attribute.name.isidentifier()
            and attribute.name not in ("radius", "fit")
        ):
            extras[attribute.name] = np.empty(len(attribute.data), kind)
            attribute.data.foreach_get("value", extras[attribute.name])
    return extras


def read_moved(cloud: bpy.types.Object, in_scene: bool = False) -> SplatArrays:
    """The splats as the artist moved, turned and scaled their object: in the space of its parent,
    which is that of the capture, or in the scene's.
    """
    matrix = cloud.matrix_world if in_scene else cloud.matrix_basis
    arrays = read(cloud)
    return arrays if _is_identity(matrix) else splat_moves.moved(arrays, np.array(matrix))


def _is_identity(matrix: Matrix) -> bool:
    return bool(np.abs(np.array(matrix) - np.eye(4)).max() < 1e-9)


def export_ply(arrays: SplatArrays, path: Path, extras: bool = True) -> int:
    """Writes the 3DGS PLY; how many splats. An older file stays until the new one is whole."""
    if not extras:
        arrays.extra.clear()
    with atomic_path(path) as part:
        splat_ply.write(part, arrays, ("Splatsmith",))
    return len(arrays)


def apply_transform(cloud: bpy.types.Object) -> None:
    """Makes the object's own location, rotation and scale the splats'; what they look like, and
    every other attribute, stays.
    """
    if follows(cloud):
        raise InputError(
            f"{cloud.name} rides on a head.", "Move, turn and scale the head's mesh instead."
        )
    arrays = read_moved(cloud)
    changed = attributes(arrays)
    kept = {
        name: changed[name]
        for name in ("scale", "rotation", *(n for n in changed if n.startswith("radiance:sh_")))
    }
    pointclouds.write_attributes(cloud.data, {"position": ("FLOAT_VECTOR", arrays.means), **kept})
    cloud[NOTES] = "\n".join(comments_of(arrays.notes))
    cloud.matrix_basis = Matrix.Identity(4)
    cloud.data.update_tag()
