"""A baked file, read by Blender again and compared with what was on screen, vertex by vertex and
frame by frame.
"""

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import kdtree

from ....backend.geometry.arrays import Floats
from ....backend.protocol import InputError
from . import file_durations, outside_import, timeline, usd
from .mesh_sequence import world_vertices

CANDIDATES = 8  # vertices at one place that may part later


@dataclass(frozen=True)
class ReadBack:
    """The largest distance of any vertex of a file, in any frame, from where it was shown, in
    shares of the box; and how long the file lasts.
    """

    error: float
    seconds: float


def compare(
    context: bpy.types.Context, path: Path, kind: str, shown: Floats, frames: list[int]
) -> ReadBack:
    """What is in the file, against vertices shown (T, V, 3) in the scene's frames (T,)."""
    before, actions = set(bpy.data.objects), set(bpy.data.actions)
    scene, render = context.scene, context.scene.render
    kept = render.fps, render.fps_base, scene.frame_start, scene.frame_end
    _import(path, kind)
    seconds = file_durations.of_file(path, kind)
    if seconds is None:
        seconds = file_durations.of_import(scene, set(bpy.data.actions) - actions, kind)
    whole = render.fps
    render.fps, render.fps_base, scene.frame_start, scene.frame_end = kept
    meshes = [
        o
        for o in bpy.data.objects
        if o not in before and o.type == "MESH" and not o.name.startswith("Icosphere")
    ]  # a bone's picture
    if not meshes:
        raise InputError(f"{path.name} holds no mesh when it is read back.", "Choose another kind.")
    shift = frames[0] if kind.endswith("GLB") else 0  # engines play from 0: these files begin there
    # the FBX importer lays keys by the whole part of the rate
    stretch = whole / timeline.rate(scene) if kind.endswith("FBX") else 1.0
    error = _compared(
        context,
        max(meshes, key=lambda o: len(o.data.vertices)),
        shown,
        [(f - shift) * stretch for f in frames],
    )
    return ReadBack(error, seconds)


def compare_changing(
    context: bpy.types.Context, path: Path, animated: bpy.types.Object, frames: list[int]
) -> ReadBack:
    """The same of an object whose vertices are others in every frame: they keep their order in a
    USD file.
    """
    before = set(bpy.data.objects)
    _import(path, "USD")
    read_back = next((o for o in bpy.data.objects if o not in before and o.type == "MESH"), None)
    if read_back is None:
        raise InputError(
            f"{path.name} holds no mesh when it is read back.", "Choose another place."
        )
    worst, low, high = 0.0, np.full(3, np.inf), np.full(3, -np.inf)
    for frame in frames:
        context.scene.frame_set(frame)
        here, there = world_vertices(context, animated), world_vertices(context, read_back)
        if here.shape != there.shape:
            raise InputError(
                f"Frame {frame} has {len(there):,} vertices when it is read back, not "
                f"{len(here):,}.",
                "Choose another place.",
            )
        worst = max(worst, float(np.linalg.norm(here - there, axis=1).max(initial=0)))
        low, high = np.minimum(low, here.min(0)), np.maximum(high, here.max(0))
    error = worst / max(float((high - low).max()), 1e-12)
    return ReadBack(error, usd.time_codes(path).seconds)


def _import(path: Path, kind: str) -> None:
    if kind.endswith("GLB"):
        with timeline.as_gltf_reads_it(bpy.context.scene):
            bpy.ops.import_scene.gltf(filepath=str(path), merge_vertices=False)
    elif kind.endswith("FBX"):
        bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0.0)
    elif kind == "ALEMBIC":
        bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False, set_frame_range=True)
    else:
        outside_import.import_usd(str(path))


def _compared(
    context: bpy.types.Context, read_back: bpy.types.Object, shown: Floats, frames: list[float]
) -> float:
    """Vertices are matched by where they are in three frames, for a file may split them along
    seams, merge those that always go together, and order them anew.
    """
    several = sorted({0, len(frames) // 2, len(frames) - 1})
    partner = _partners(context, read_back, shown, frames, several)
    trajectories = (
        np.round(shown[several] / np.ptp(shown, axis=(0, 1)).max(), 5)
        .transpose(1, 0, 2)
        .reshape(shown.shape[1], -1)
    )
    missing = len(np.unique(trajectories, axis=0)) - len(
        np.unique(trajectories[np.unique(partner)], axis=0)
    )
    if missing > 0.001 * shown.shape[1]:
        raise InputError(
            f"{missing} vertices are missing when the file is read back.", "Choose another kind."
        )
    worst = 0.0
    for frame, places in zip(frames, shown, strict=True):
        timeline.go_to(context.scene, frame)
        worst = max(
            worst,
            float(
                np.linalg.norm(world_vertices(context, read_back) - places[partner], axis=1).max()
            ),
        )
    return worst / float(np.ptp(shown, axis=(0, 1)).max())


def _partners(
    context: bpy.types.Context,
    read_back: bpy.types.Object,
    shown: Floats,
    frames: list[float],
    several: list[int],
) -> np.ndarray:
    """(W,) the shown vertex of each vertex of the file: of the nearest in the first frame the one
    that stays nearest.
    """
    there = []
    for number in several:
        timeline.go_to(context.scene, frames[number])
        there.append(world_vertices(context, read_back))
    tree = kdtree.KDTree(shown.shape[1])
    for index, place in enumerate(shown[several[0]].tolist()):
        tree.insert(place, index)
    tree.balance()
    near = np.array(
        [[index for _, index, _ in tree.find_n(place, CANDIDATES)] for place in there[0].tolist()]
    )
    off: np.ndarray = sum(
        np.linalg.norm(shown[number][near] - places[:, None], axis=2)
        for number, places in zip(several, there, strict=True)
    )
    return np.asarray(near[np.arange(len(near)), off.argmin(1)])
