"""How long a file of an animated mesh lasts by what stands in it, whatever the scene's rate is."""

import json
import struct
from collections.abc import Iterable
from pathlib import Path

import bpy

from ....backend.formats import vertex_animation
from . import timeline, usd

FBX_SECOND = 46_186_158_000  # of FBX's units of time


def of_file(path: Path, kind: str) -> float | None:
    """Seconds, of the kinds that can be asked without importing them; None of others, and of files
    without animation.
    """
    if kind.endswith("GLB"):
        return _of_glb(path)
    if kind == "FBX":
        return _of_fbx(path)
    if kind.endswith("USD"):
        return usd.time_codes(path).seconds
    return vertex_animation.seconds(path) if kind == "VAT" else None


def _of_glb(path: Path) -> float | None:
    """From the first to the last key of its animations."""
    with open(path, "rb") as file:
        length = struct.unpack("<I", file.read(20)[12:16])[0]
        document = json.loads(file.read(length))
    inputs = [
        document["accessors"][sampler["input"]]
        for animation in document.get("animations", [])
        for sampler in animation["samplers"]
    ]
    if not inputs:
        return None
    return float(max(i["max"][0] for i in inputs) - min(i["min"][0] for i in inputs))


def _of_fbx(path: Path) -> float | None:
    """From the first to the last key of its curves, by the parser of Blender's own importer."""
    try:
        from io_scene_fbx import parse_fbx  # type: ignore[import-not-found]
    except ImportError:  # a Blender without it writes no FBX either
        return None
    root, _ = parse_fbx.parse(str(path))
    objects = [child for child in root.elems if child.id == b"Objects"]
    curves = [c for group in objects for c in group.elems if c.id == b"AnimationCurve"]
    times = [e.props[0] for c in curves for e in c.elems if e.id == b"KeyTime" and len(e.props[0])]
    if not times:
        return None
    return float(max(t[-1] for t in times) - min(t[0] for t in times)) / FBX_SECOND


def of_import(scene: bpy.types.Scene, actions: Iterable[bpy.types.Action], kind: str) -> float:
    """Seconds of what was just imported, at the rate and range that the importer has set: of FBX
    its actions, of Alembic its samples.
    """
    if kind == "ALEMBIC":
        return (scene.frame_end - scene.frame_start) / timeline.rate(scene)
    ranges = [tuple(action.frame_range) for action in actions]
    if not ranges:
        return 0.0
    span = float(max(last for _, last in ranges) - min(first for first, _ in ranges))
    return span / scene.render.fps  # what the FBX importer lays keys by, without the rate's base
