"""Splats in glTF: Khronos' KHR_gaussian_splatting. The arrays stay as they are, and the node that
holds them turns them to glTF's axes (y up).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...geometry.arrays import Doubles, Floats, Reals
from ...protocol import InputError
from .. import splat_moves
from ..splat_arrays import (
    COEFFICIENTS,
    SplatArrays,
    joined,
    logits_of,
    opacities_of,
    sound,
)
from ..splat_notes import SplatNotes, comments_of, notes_of
from . import spz, spz_streams
from .axes import HALF_TURN, placed
from .glb_file import GlbWriter, Gltf, bad, read_gltf
from .packing import beside, colors_of, to_bytes

EXTENSION = "KHR_gaussian_splatting"
PACKED = "KHR_gaussian_splatting_compression_spz_2"
DEEPEST = 200  # nodes in nodes
LINEAR, DISPLAY = "lin_rec709_display", "srgb_rec709_display"
OURS = "splatsmith"  # in a primitive's extras


def read(path: Path) -> SplatArrays:
    """All splats of the scene, in the axes of PLY files. Raises InputError where there are none."""
    gltf = read_gltf(path)
    meshes = _meshes(gltf)
    parts = [part for mesh, matrix in meshes for part in _placed(gltf, mesh, matrix)]
    if not parts:
        raise InputError(
            f"{path.name} holds no Gaussian splats.",
            f"Choose a glTF file with {EXTENSION}; meshes are imported by Blender itself.",
        )
    whole = joined(splat_moves.placed_near(parts))
    others = sum(len(_primitives(mesh)) for mesh, _ in meshes) - len(parts)
    return replace(whole, left_out=(*whole.left_out, *beside(others)))


def _primitives(mesh: dict[str, Any]) -> list[Any]:
    primitives = mesh.get("primitives")
    return primitives if isinstance(primitives, list) else []


def _meshes(gltf: Gltf) -> list[tuple[dict[str, Any], Doubles]]:
    """Every mesh that the scene shows, and where its node stands."""
    scenes = gltf.rows("scenes")
    if scenes:
        roots = gltf.listed(gltf.row("scenes", gltf.document.get("scene", 0)), "nodes")
    else:
        roots = list(range(len(gltf.rows("nodes"))))
    todo: list[tuple[object, Doubles, int]] = [(root, np.eye(4), 0) for root in roots]
    placements, seen = [], set()
    while todo:
        index, above, depth = todo.pop()
        node = gltf.row("nodes", index)
        if index in seen or depth > DEEPEST:
            raise bad(gltf.path.name, "a node is in itself")
        seen.add(index)
        matrix = above @ _matrix(gltf, node)
        if "mesh" in node:
            placements.append((gltf.row("meshes", node["mesh"]), matrix))
        children = reversed(gltf.listed(node, "children"))
        todo += [(child, matrix, depth + 1) for child in children]
    return placements


def _matrix(gltf: Gltf, node: dict[str, Any]) -> Doubles:
    """(4, 4) of a node: its matrix, or its parts."""
    if "matrix" in node:
        return _numbers(gltf, node, "matrix", [0.0] * 16).reshape(4, 4).T
    x, y, z, w = _numbers(gltf, node, "rotation", [0.0, 0.0, 0.0, 1.0])
    matrix = np.eye(4)
    turn = splat_moves.matrices_of(np.array([[w, x, y, z]], np.float32))[0]
    if not np.isfinite(turn).all():
        raise bad(gltf.path.name, "a node's rotation is no number")
    matrix[:3, :3] = turn * _numbers(gltf, node, "scale", [1.0, 1.0, 1.0])
    matrix[:3, 3] = _numbers(gltf, node, "translation", [0.0, 0.0, 0.0])
    return matrix


def _numbers(gltf: Gltf, node: dict[str, Any], key: str, default: list[float]) -> Doubles:
    values = node.get(key, default)
    if not isinstance(values, list) or len(values) != len(default):
        raise bad(gltf.path.name, f"a node's {key} is damaged")
    if not all(isinstance(v, int | float) for v in values):
        raise bad(gltf.path.name, f"a node's {key} is damaged")
    try:
        return np.array(values, np.float64)
    except OverflowError as error:  # a whole number of hundreds of digits
        raise bad(gltf.path.name, f"a node's {key} is damaged") from error


def _placed(
    gltf: Gltf, mesh: dict[str, Any], matrix: Doubles
) -> list[tuple[SplatArrays, Doubles | None]]:
    """The splats of a mesh, and what moves them where its node has them; None for ours, which are
    as they were written.
    """
    parts: list[tuple[SplatArrays, Doubles | None]] = []
    for primitive in _primitives(mesh):
        extensions = primitive.get("extensions") if isinstance(primitive, dict) else None
        if not isinstance(extensions, dict) or not isinstance(extensions.get(EXTENSION), dict):
            continue
        a = _splats(gltf, primitive, extensions[EXTENSION])
        back = HALF_TURN @ matrix
        kept = np.abs(matrix - placed(a)).max() < 1e-5 * max(1, np.abs(matrix).max())
        if not kept and not abs(np.linalg.det(back[:3, :3])) > 1e-30:  # NaN is
            raise bad(gltf.path.name, "a node flattens its splats to nothing")
        parts.append((a, None if kept else back))
    return parts


def _splats(gltf: Gltf, primitive: dict[str, Any], extension: dict[str, Any]) -> SplatArrays:
    name = gltf.path.name
    nested = extension.get("extensions")
    packed = nested.get(PACKED) if isinstance(nested, dict) else None
    if isinstance(packed, dict):
        data = bytes(gltf.view(packed.get("bufferView"))[0])
        return spz.unpacked(spz_streams.unpack(data, name), name)
    if extension.get("kernel", "ellipse") != "ellipse":
        raise bad(name, f"its kernel {str(extension['kernel'])[:40]!r} is unknown")
    attributes = primitive.get("attributes")
    if not isinstance(attributes, dict):
        raise bad(name, "a primitive has no attributes")
    columns = _Attributes(gltf, attributes)
    quats = columns.get(f"{EXTENSION}:ROTATION", 4)[:, [3, 0, 1, 2]]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_scales = np.log(columns.get(f"{EXTENSION}:SCALE", 3))
        logits = logits_of(columns.get(f"{EXTENSION}:OPACITY", 1)[:, 0].astype(np.float64))
    extras = primitive.get("extras")
    ours = extras.get(OURS) if isinstance(extras, dict) else None
    ours = ours if isinstance(ours, dict) else {}
    arrays = SplatArrays(
        means=columns.get("POSITION", 3),
        quats=np.ascontiguousarray(quats),
        log_scales=log_scales,
        opacity_logits=logits,
        sh=columns.harmonics(),
        extra=columns.extras(ours.get("properties")),
        notes=_notes(ours.get("notes"), extension.get("colorSpace")),
    )
    arrays.left_out = columns.left_out
    return sound(arrays, name)


def _notes(lines: object, space: object) -> SplatNotes:
    lines = lines if isinstance(lines, list) else []
    notes = notes_of([line for line in lines if isinstance(line, str)])
    if space == LINEAR:
        return replace(notes, blend="linear")
    return notes


class _Attributes:
    """A primitive's arrays, all of one length."""

    def __init__(self, gltf: Gltf, numbers: dict[str, Any]) -> None:
        self.gltf, self.numbers = gltf, numbers
        self.left_out: tuple[str, ...] = ()
        self.count = len(self._array("POSITION", 3))

    def _array(self, name: str, width: int) -> Reals:
        if name not in self.numbers:
            raise bad(self.gltf.path.name, f"it lacks {name}")
        values = self.gltf.array(self.numbers[name])
        if values.shape[1] != width:
            raise bad(self.gltf.path.name, f"{name} is of a wrong type")
        return values

    def get(self, name: str, width: int) -> Floats:
        """(N, width). Raises InputError where it is missing or of another length."""
        values = self._array(name, width)
        if len(values) != self.count:
            raise bad(self.gltf.path.name, f"{name} has another length than POSITION")
        return np.array(values, np.float32)

    def harmonics(self) -> Floats:
        """(N, K, 3) of as many degrees as are there."""
        degree = 0
        while degree < 3 and f"{EXTENSION}:SH_DEGREE_{degree + 1}_COEF_0" in self.numbers:
            degree += 1
        sh = np.empty((self.count, COEFFICIENTS[degree], 3), np.float32)
        for k, name in enumerate(coefficient_names(degree)):
            sh[:, k] = self.get(name, 3)
        return sh

    def extras(self, kinds: object) -> dict[str, Any]:
        """Properties of our own, in the types that they had."""
        kinds = kinds if isinstance(kinds, dict) else {}
        properties = {}
        for name, number in self.numbers.items():
            if name.startswith("_") and name[1:].isidentifier():
                values = self.gltf.array(number)
                if values.shape != (self.count, 1):
                    self.left_out += (f"the property {name}",)
                    continue
                kind = kinds.get(name[1:])
                kind = kind if kind in ("i1", "u1", "i2", "u2", "i4") else "f4"
                properties[name[1:]] = np.nan_to_num(values[:, 0].astype(np.float32)).astype(kind)
        return properties


def coefficient_names(degree: int) -> list[str]:
    """The attributes of the harmonics, from the first."""
    pairs = [(d, n) for d in range(degree + 1) for n in range(2 * d + 1)]
    return [f"{EXTENSION}:SH_DEGREE_{d}_COEF_{n}" for d, n in pairs]


def write(path: Path, a: SplatArrays) -> tuple[str, ...]:
    """Writes a GLB: one primitive of points, whose colours show where splats are unknown.

    Raises InputError for a .gltf, which would be several files.
    """
    if path.suffix.lower() == ".gltf":
        raise InputError(".gltf files are only read.", "Write a .glb.")
    glb = GlbWriter()
    with np.errstate(over="ignore"):
        opacities = opacities_of(a)
    points = np.concatenate([to_bytes(colors_of(a.sh[:, 0])), to_bytes(opacities)[:, None]], 1)
    attributes = {
        "POSITION": glb.add(a.means, bounds=True),
        "COLOR_0": glb.add(points, share=True),
        f"{EXTENSION}:ROTATION": glb.add(_unit(a.quats)[:, [1, 2, 3, 0]]),
        f"{EXTENSION}:SCALE": glb.add(np.exp(a.log_scales)),
        f"{EXTENSION}:OPACITY": glb.add(np.clip(opacities, 0, 1)),
    }
    for k, name in enumerate(coefficient_names(a.sh_degree)):
        attributes[name] = glb.add(a.sh[:, k])
    for name, values in a.extra.items():
        attributes[f"_{name}"] = glb.add(values.astype(np.float32))
    ours = {
        "notes": list(comments_of(a.notes)),
        "properties": {name: v.dtype.str[1:] for name, v in a.extra.items()},
    }
    linear = a.notes.blend == "linear"
    extension = {
        "kernel": "ellipse",
        "colorSpace": LINEAR if linear else DISPLAY,
        "sortingMethod": "cameraDistance",
        "projection": "perspective",
    }
    primitive = {"attributes": attributes, "mode": 0, "extensions": {EXTENSION: extension}}
    if ours["notes"] or ours["properties"]:
        primitive["extras"] = {OURS: ours}
    document = {
        "asset": {"version": "2.0", "generator": "Splatsmith"},
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": path.stem, "matrix": placed(a).T.ravel().tolist()}],
        "meshes": [{"primitives": [primitive]}],
    }
    glb.write(path, document)
    return ()


def _unit(quats: Floats) -> Floats:
    """Of length one to the last bit that float32 has."""
    return np.asarray(quats / np.sqrt(np.einsum("nk,nk->n", quats, quats))[:, None], np.float32)
