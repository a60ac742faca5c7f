"""Meshes with a topology of their own in every frame: written as USD, which Blender plays by a
modifier of its own, without the add-on.
"""

import itertools
import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ....backend.formats.mesh_frames import MeshFrames
from ....backend.geometry.arrays import Doubles
from ....backend.protocol import InputError
from ..splats import radiance
from . import outside_import, passing, timeline, usd
from .mesh_materials import new_material

USD = "mesh_frames.usdc"
FRAMES_KEY = "splatsmith_frames"  # on the object: its mesh_frames.npz


def write_usd(path: Path, sequence: MeshFrames, frames: Doubles, fps: float) -> None:
    """One mesh prim: points, faces, colours (linear) and `id`, which is the same place in every
    mesh. Each is shown from its own of `frames` (T,) until the next, at both ends of which it is
    written: where two have as many vertices, programs would mix them between. USD keeps equal
    arrays once.
    """
    pxr = usd.library()
    Sdf, UsdGeom, Vt = pxr.Sdf, pxr.UsdGeom, pxr.Vt
    part = path.with_name(f"part-{path.name}")
    part.unlink(missing_ok=True)
    stage = _new_stage(part, frames, fps)
    mesh = UsdGeom.Mesh.Define(stage, "/World/Mesh")
    mesh.CreateSubdivisionSchemeAttr("none")
    points, indices, counts = (
        mesh.CreatePointsAttr(),
        mesh.CreateFaceVertexIndicesAttr(),
        mesh.CreateFaceVertexCountsAttr(),
    )
    primvars = UsdGeom.PrimvarsAPI(mesh)
    colors = primvars.CreatePrimvar(
        "displayColor", Sdf.ValueTypeNames.Color3fArray, UsdGeom.Tokens.vertex
    )
    ids = primvars.CreatePrimvar("id", Sdf.ValueTypeNames.IntArray, UsdGeom.Tokens.vertex)
    for number, index in samples(frames):
        frame = sequence.frames[index]
        points.Set(Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(frame.vertices)), number)
        indices.Set(Vt.IntArray.FromNumpy(np.ascontiguousarray(frame.faces.ravel())), number)
        counts.Set(Vt.IntArray.FromNumpy(np.full(len(frame.faces), 3, np.int32)), number)
        colors.Set(
            Vt.Vec3fArray.FromNumpy(np.asarray(radiance.srgb_to_linear(frame.colors), np.float32)),
            number,
        )
        ids.Set(Vt.IntArray.FromNumpy(np.ascontiguousarray(frame.ids)), number)
    stage.GetRootLayer().Save()
    del stage
    part.replace(path)


def _new_stage(path: Path, frames: Doubles, fps: float) -> Any:
    """An empty one that lasts as long, z up, in metres."""
    pxr = usd.library()
    stage = pxr.Usd.Stage.CreateNew(str(path))
    stage.SetStartTimeCode(round(float(frames.min())))
    stage.SetEndTimeCode(math.ceil(float(frames.max()) - 1e-6))
    stage.SetTimeCodesPerSecond(fps)
    stage.SetFramesPerSecond(fps)
    pxr.UsdGeom.SetStageUpAxis(stage, pxr.UsdGeom.Tokens.z)
    pxr.UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetDefaultPrim(pxr.UsdGeom.Xform.Define(stage, "/World").GetPrim())
    return stage


def samples(frames: Doubles) -> list[tuple[int, int]]:
    """Whole frames and which of the meshes at frames (T,) is shown there: from its own frame until
    the one before the next. Of several that fall on one frame the last is shown.
    """
    starts = np.floor(frames + 0.5).astype(int)
    shown = {int(start): index for index, start in enumerate(starts)}
    begun = sorted(shown)
    held = {after - 1: shown[before] for before, after in itertools.pairwise(begun)}
    return sorted({**held, **shown}.items())


def import_frames(
    sequence: MeshFrames,
    path: Path,
    name: str,
    collection: bpy.types.Collection,
    root: bpy.types.Object | None,
    fps: float = 0.0,
) -> bpy.types.Object:
    """The object that plays the sequence by its seconds, 0 at frame 1 and `fps` frames a second,
    0: the scene's; its USD lies beside `path`.
    """
    file, rate = path.with_name(USD), timeline.rate(bpy.context.scene)
    frames = timeline.frames_at(sequence.seconds, fps or rate)
    write_usd(file, sequence, frames, rate)
    scene, before = bpy.context.scene, passing.blocks()
    kept = scene.render.fps, scene.render.fps_base
    outside_import.import_usd(str(file))
    scene.render.fps, scene.render.fps_base = kept
    made = passing.since(before)["objects"]
    animated: bpy.types.Object | None = next((o for o in made if o.type == "MESH"), None)
    if animated is None:
        raise InputError(f"{file.name} can't be read back.", "Make the meshes again.")
    for other in made:
        for home in list(other.users_collection):
            home.objects.unlink(other)
        if other is not animated:
            bpy.data.objects.remove(other)
    collection.objects.link(animated)
    animated.name, animated.parent = name, root
    animated[FRAMES_KEY] = str(path)
    timeline.remember(animated, frames, sequence.seconds)
    animated.data.materials.clear()
    animated.data.materials.append(new_material(name, "displayColor", None))
    return animated
