"""Meshes with a topology of their own in every frame: written as USD, which Blender plays by a
modifier of its own, without the add-on.
"""

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ....backend.formats.mesh_frames import MeshFrames
from ....backend.protocol import InputError
from ..splats import radiance
from . import passing

USD = "mesh_frames.usdc"
FRAMES_KEY = "splatsmith_frames"  # on the object: its mesh_frames.npz


def _pxr() -> Any:
    """Blender's own USD; InputError where this Blender was built without it."""
    expose = getattr(bpy.utils, "expose_bundled_modules", None)
    try:
        if expose is not None:
            expose()
        import pxr.Sdf
        import pxr.Usd
        import pxr.UsdGeom
        import pxr.Vt
    except ImportError as error:
        raise InputError(
            "This Blender was built without USD, which meshes of changing topology need.",
            "Use blender.org's build.",
        ) from error
    return pxr


def write_usd(path: Path, sequence: MeshFrames, fps: float) -> None:
    """One mesh prim, a sample a frame from frame 1: points, faces, colours (linear) and `id`, which
    is the same place in every frame.
    """
    pxr = _pxr()
    Sdf, Usd, UsdGeom, Vt = pxr.Sdf, pxr.Usd, pxr.UsdGeom, pxr.Vt
    part = path.with_name(f"part-{path.name}")
    part.unlink(missing_ok=True)
    stage = Usd.Stage.CreateNew(str(part))
    stage.SetStartTimeCode(1)
    stage.SetEndTimeCode(len(sequence.frames))
    stage.SetTimeCodesPerSecond(fps)
    stage.SetFramesPerSecond(fps)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, "/World").GetPrim())
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
    for number, frame in enumerate(sequence.frames, 1):
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


def import_frames(
    sequence: MeshFrames,
    path: Path,
    name: str,
    collection: bpy.types.Collection,
    root: bpy.types.Object | None,
    fps: float,
) -> bpy.types.Object:
    """The object that plays the sequence; its USD lies beside `path`."""
    usd = path.with_name(USD)
    write_usd(usd, sequence, fps)
    scene, before = bpy.context.scene, passing.blocks()
    kept = scene.render.fps, scene.render.fps_base
    passing.import_usd(str(usd))
    scene.render.fps, scene.render.fps_base = kept
    made = passing.since(before)["objects"]
    animated: bpy.types.Object | None = next((o for o in made if o.type == "MESH"), None)
    if animated is None:
        raise InputError(f"{usd.name} can't be read back.", "Make the meshes again.")
    for other in made:
        for home in list(other.users_collection):
            home.objects.unlink(other)
        if other is not animated:
            bpy.data.objects.remove(other)
    collection.objects.link(animated)
    animated.name, animated.parent = name, root
    animated[FRAMES_KEY] = str(path)
    animated.data.materials.clear()
    animated.data.materials.append(_material(name))
    return animated


def _material(name: str) -> bpy.types.Material:
    """Matte, in the colours of the vertices."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Roughness"].default_value = 0.9
    color = nodes.new("ShaderNodeVertexColor")
    color.layer_name, color.location = "displayColor", (-320, 280)
    links.new(color.outputs["Color"], surface.inputs["Base Color"])
    return material
