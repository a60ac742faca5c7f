"""Whether a mesh moves at all, by what could move it: no frame is evaluated, since panels ask."""

from typing import Any

import bpy

from .mesh_frames import FRAMES_KEY
from .mesh_sequence import SEQUENCE_KEY

MOVERS = {
    *("ARMATURE", "CAST", "CURVE", "DISPLACE", "HOOK", "LATTICE", "MESH_DEFORM", "NODES"),
    *("SHRINKWRAP", "SURFACE_DEFORM", "WARP", "WAVE", "UV_WARP", "BUILD", "OCEAN", "EXPLODE"),
    *("CLOTH", "SOFT_BODY", "FLUID", "DYNAMIC_PAINT", "PARTICLE_INSTANCE", "SURFACE"),
    *("MESH_CACHE", "MESH_SEQUENCE_CACHE"),
}


def moves(thing: bpy.types.Object) -> bool:
    """Keys, drivers or layers on it or on what it is made of, a modifier or a constraint that can
    move it, physics, or a parent that moves.
    """
    blocks: list[Any] = [thing, thing.data, getattr(thing.data, "shape_keys", None)]
    return (
        SEQUENCE_KEY in thing
        or FRAMES_KEY in thing
        or any(block is not None and _is_animated(block) for block in blocks)
        or any(modifier.type in MOVERS for modifier in thing.modifiers)
        or len(thing.constraints) > 0
        or thing.rigid_body is not None
        or (thing.parent is not None and moves(thing.parent))
    )


def _is_animated(block: Any) -> bool:
    data = block.animation_data
    return data is not None and bool(data.action or len(data.nla_tracks) or len(data.drivers))
