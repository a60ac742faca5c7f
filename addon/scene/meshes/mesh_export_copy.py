"""What exporters get of a moving mesh: a copy without modifiers or parents, moved by bones or by
keys that they understand.
"""

from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ....backend.formats import mesh_sequence as sequences
from ....backend.formats.mesh_sequence import Nodes
from ....backend.geometry.arrays import Doubles, Floats
from ....backend.protocol import InputError
from .engine_looks import Take, plain_name, prepare
from .mesh_playback import straighten
from .mesh_sequence import BONES_KEY, SEQUENCE_KEY

# of the box: beyond this, bones were found for another shape than the object has now
BELONGS = 0.05


def nodes_of(animated: bpy.types.Object, shown: Floats, frames: list[int]) -> Nodes | None:
    """The nodes that the tracker moved this mesh by, in the world; None where its shape is no
    longer theirs.
    """
    try:
        sequence = sequences.read(Path(str(animated.get(SEQUENCE_KEY, ""))))
    except InputError:
        return None
    if sequence.nodes is None or shown.shape[1] != len(sequence.rest):
        return None
    at = np.array(animated.get(BONES_KEY, []), np.float64)
    if len(at) == 0 and len(frames) == len(sequence.seconds):
        at = np.array(frames, np.float64)  # in files of older versions
    if len(at) != len(sequence.seconds):
        return None
    scene, now = bpy.context.scene, bpy.context.scene.frame_current
    scene.frame_set(frames[0])
    world = np.array(animated.matrix_world, np.float64)
    scene.frame_set(now)
    moved = in_world(_in_frames(sequence.nodes, at, frames), world)
    rest = sequence.rest @ world[:3, :3].T + world[:3, 3]
    error = np.abs(sequences.skinned(rest.astype(np.float32), moved) - shown).max()
    return moved if error < BELONGS * np.ptp(shown, axis=(0, 1)).max() else None


def _in_frames(nodes: Nodes, at: Doubles, frames: list[int]) -> Nodes:
    """Nodes whose transforms are known at frames `at` (T,), in other frames: straight between, as
    the vertices go.
    """
    if np.array_equal(at, frames):
        return nodes
    after = np.searchsorted(at, frames, "right").clip(1, max(len(at) - 1, 1))
    before = np.minimum(after - 1, len(at) - 1)
    after = np.minimum(after, len(at) - 1)
    span = np.where(after > before, at[after] - at[before], 1.0)
    share = ((np.array(frames) - at[before]) / span).clip(0, 1)[:, None, None, None]
    between = nodes.transforms[before] * (1 - share) + nodes.transforms[after] * share
    return Nodes(nodes.rest, between.astype(np.float32), nodes.skin, nodes.weights)


def in_world(nodes: Nodes, world: np.ndarray) -> Nodes:
    """x -> A x + b of another space: M A M^-1, and b moved accordingly; turns stay turns, for M has
    one scale.
    """
    linear, shift = world[:3, :3], world[:3, 3]
    turned = linear @ nodes.transforms[..., :3].astype(np.float64) @ np.linalg.inv(linear)
    moved = nodes.transforms[..., 3] @ linear.T + shift - turned @ shift
    transforms = np.concatenate([turned, moved[..., None]], -1).astype(np.float32)
    return Nodes(
        (nodes.rest @ linear.T + shift).astype(np.float32), transforms, nodes.skin, nodes.weights
    )


def export_copy(
    context: bpy.types.Context,
    animated: bpy.types.Object,
    shown: Floats,
    frames: list[int],
    kind: str,
    nodes: Nodes | None,
    take: Take,
) -> list[bpy.types.Object]:
    """A copy without modifiers or parents, in world space, moved by bones or by keys. It takes the
    object's name, as the artist gave it.
    """
    mesh, name = animated.data.copy(), plain_name(animated)
    copy = bpy.data.objects.new(name, mesh)
    take(copy, name)
    take(mesh, name)
    prepare(copy, take)
    context.scene.collection.objects.link(copy)
    copy.shape_key_clear()
    if np.linalg.det(np.array(animated.matrix_world)[:3, :3]) < 0:
        mesh.flip_normals()  # the copy stands in the world, no longer mirrored
    if len(mesh.vertices) != shown.shape[1]:
        raise InputError(f"{animated.name} has modifiers that add vertices.", "Apply them first.")
    made = [copy]
    if kind.startswith("SKIN"):
        if nodes is None:
            raise InputError(
                f"{animated.name} has no bones that move it.",
                "Press Find Bones first; or choose another kind.",
            )
        made.append(_with_bones(context, copy, shown, nodes, frames))
        take(made[-1], f"{name} Rig")
        take(made[-1].data, f"{name} Rig")
    elif kind == "VAT":
        copy.data.vertices.foreach_set("co", np.ascontiguousarray(shown[0]).ravel())
        copy.data.update()
    else:
        _with_keys(copy, shown, frames)
    context.view_layer.update()
    return made


def _rest_of(shown: Floats, nodes: Nodes) -> Floats:
    """(V, 3) that the first moment's transforms carry to where it is shown: the blended matrix,
    inverted.
    """
    blended = (
        (nodes.transforms[0, nodes.skin] * nodes.weights[..., None, None]).sum(1).astype(np.float64)
    )
    return np.linalg.solve(blended[:, :, :3], (shown[0] - blended[:, :, 3])[..., None])[
        ..., 0
    ].astype(np.float32)


def _with_bones(
    context: bpy.types.Context,
    copy: bpy.types.Object,
    shown: Floats,
    nodes: Nodes,
    frames: list[int],
) -> bpy.types.Object:
    """One bone a node, without parents, keyed in every frame."""
    rest = _rest_of(shown, nodes)
    copy.data.vertices.foreach_set("co", rest.ravel())
    copy.data.update()
    armature = bpy.data.armatures.new(f"{copy.name} Bones")
    rig = bpy.data.objects.new(armature.name, armature)
    context.scene.collection.objects.link(rig)
    names = [f"node_{i:03d}" for i in range(len(nodes.rest))]
    length = 0.03 * float(np.ptp(rest, axis=0).max())
    context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, head in zip(names, nodes.rest.tolist(), strict=True):
        bone = armature.edit_bones.new(name)
        bone.head, bone.tail = head, (head[0], head[1] + length, head[2])
    bpy.ops.object.mode_set(mode="OBJECT")
    for number, name in enumerate(names):
        group = copy.vertex_groups.new(name=name)
        for vertex, place in zip(
            *np.nonzero((nodes.skin == number) & (nodes.weights > 1e-5)), strict=True
        ):
            group.add([int(vertex)], float(nodes.weights[vertex, place]), "REPLACE")
    copy.parent = rig
    copy.modifiers.new("Bones", "ARMATURE").object = rig
    _key_bones(rig, names, nodes, frames)
    return rig


def _key_bones(rig: bpy.types.Object, names: list[str], nodes: Nodes, frames: list[int]) -> None:
    for number, name in enumerate(names):
        bone = rig.pose.bones[name]
        bone.rotation_mode = "QUATERNION"
        rest, previous = bone.bone.matrix_local, None
        for frame, transform in zip(frames, nodes.transforms[:, number], strict=True):
            place, turn, _ = (
                rest.inverted() @ Matrix([*transform.tolist(), [0, 0, 0, 1]]) @ rest
            ).decompose()
            if previous is not None:
                turn.make_compatible(previous)
            bone.location, bone.rotation_quaternion, previous = place, turn, turn
            bone.keyframe_insert("location", frame=frame)
            bone.keyframe_insert("rotation_quaternion", frame=frame)


def _with_keys(copy: bpy.types.Object, shown: Floats, frames: list[int]) -> None:
    """One relative key a frame, at 1 there and at 0 beside it: what glTF and FBX can play."""
    copy.data.vertices.foreach_set("co", shown[0].ravel())
    copy.data.update()
    copy.shape_key_add(name="Basis", from_mix=False)
    for frame, places in zip(frames[1:], shown[1:], strict=True):
        key = copy.shape_key_add(name=f"frame_{frame:04d}", from_mix=False)
        key.data.foreach_set("co", np.ascontiguousarray(places).ravel())
        for at, value in ((frame - 1, 0.0), (frame, 1.0), (frame + 1, 0.0)):
            key.value = value
            key.keyframe_insert("value", frame=at)
        key.value = 0.0
    if len(frames) > 1:
        straighten(copy.data.shape_keys)
