"""What the animated mesh remembers in the .blend."""

import bpy

from ..scene.splats import splats
from .paths import RELATIVE

BAKES = [
    ("SKIN_GLB", "Skinned glTF", "Bones that move the mesh: exact, tiny, for every engine (.glb)"),
    ("SKIN_FBX", "Skinned FBX", "The same for Unreal and Unity (.fbx)"),
    ("SKIN_USD", "Skinned USD", "The same as UsdSkel, for Omniverse and Apple's devices (.usdc)"),
    ("MORPH_GLB", "Morph Targets", "A shape a frame (.glb); large, and engines play few at once"),
    (
        "VAT",
        "Vertex-Animation Texture",
        "Positions as a 16-bit picture, with a JSON and the mesh (.glb) beside it, for shaders "
        "(.png)",
    ),
    ("ALEMBIC", "Alembic", "For other programs (.abc)"),
    ("USD", "USD", "For other programs (.usdc)"),
]


class MeshSettings:
    """Part of SplatsmithSettings (properties.py)."""

    mesh_mode: bpy.props.EnumProperty(
        name="Mode",
        default="tracked",
        description="What becomes of the object",
        items=[
            (
                "tracked",
                "Fixed Topology",
                "One mesh that moves: its vertices keep their identity, with texture and bones",
            ),
            (
                "free",
                "Free Topology",
                "A new mesh in every frame, for things that part and merge; played from USD",
            ),
        ],
    )
    mesh_masks: bpy.props.StringProperty(
        name="Object Masks",
        subtype="DIR_PATH",
        options=RELATIVE,
        description="Folder of masks named like the pictures, for a few of them at least: white is "
        "the object. Empty: transparency, or what moves by itself",
    )
    mesh_outline: bpy.props.PointerProperty(
        name="Outline",
        type=bpy.types.Mask,
        description="A mask drawn around the object, in the Image Editor",
    )
    mesh_splats: bpy.props.PointerProperty(
        name="Object's Splats",
        type=bpy.types.Object,
        poll=lambda _, obj: splats.is_splats(obj),
        description="Splats of the object, found by words or picked: those that are selected, or "
        "all. Where they are is the object",
    )
    mesh_fps: bpy.props.FloatProperty(
        name="Frame Rate",
        min=0,
        max=1000,
        description="For captures without times of their pictures; 0: Auto, as the capture says",
    )
    mesh_faces: bpy.props.IntProperty(
        name="Triangles", min=0, max=200_000, description="At most; 0: Auto, as the preset says"
    )
    mesh_texture: bpy.props.IntProperty(
        name="Texture Size",
        min=0,
        max=4096,
        subtype="PIXEL",
        description="Its side; 0: Auto, as the preset says",
    )
    bake_kind: bpy.props.EnumProperty(
        name="Bake As", items=BAKES, default="SKIN_GLB", description="What the file is for"
    )
