"""After *Speak* the face is looked at: what drivers, mutes, limits, rotation modes or an artist's
own animation keep from moving is named, and all of that stays as it is.
"""

import math
from typing import Any

import numpy as np
import pytest

from .test_talking import add_face, add_jaw, fcurves, make_motion, opening, settings, tracks

__all__ = ["settings"]  # a fixture
MOUTH = ("jawOpen", "mouthFunnel", "mouthPucker", "eyeBlinkLeft")


@pytest.fixture
def mouth(bpy: Any, rooms: Any) -> Any:
    """A mesh whose shapes move it by one unit each, in the list of targets."""
    obj = add_face(bpy, "Mouth", MOUTH)
    for number, block in enumerate(obj.data.shape_keys.key_blocks[1:]):
        block.data[number % 3].co.z += 1
        block.value = 0.0
    rooms("scene.faces.face_targets").add_target(bpy.context.scene, obj)
    return obj


def speak(bpy: Any, rooms: Any, names: tuple[str, ...] = MOUTH) -> str:
    motion = make_motion(rooms, list(names))
    return str(rooms("scene.faces.face_targets").apply(bpy.context.scene, motion, 1, "Line"))


def moved(bpy: Any, rooms: Any, obj: Any) -> float:
    """How far the mesh goes in a hundred frames."""
    sequence = rooms("scene.meshes.mesh_sequence")
    shown = sequence.evaluated_frames(bpy.context, obj, list(range(1, 101, 9)))
    return float(np.ptp(shown, axis=0).max())


def test_a_free_face_moves_and_nothing_is_said(bpy: Any, rooms: Any, mouth: Any) -> None:
    bpy.context.scene.frame_set(7)
    assert speak(bpy, rooms) == "4 curves"
    assert moved(bpy, rooms, mouth) > 0.8
    assert bpy.context.scene.frame_current == 7


@pytest.mark.parametrize("seed", range(4))
def test_few_keys_far_apart_are_no_fault(bpy: Any, rooms: Any, mouth: Any, seed: int) -> None:
    """Between them a curve eases in and out, and is not where a straight line would be; and each
    begins and ends where it likes.
    """
    from backend.formats.motion_file import Curve, Motion

    random, curves = np.random.default_rng(seed), []
    for name in MOUTH:
        at = np.unique(random.integers(0, 100, 7)).astype(np.float32)
        layer = "blink" if name.startswith("eye") else "speech"
        curves.append(Curve(name, layer, at, random.random(len(at)).astype(np.float32)))
    motion = Motion(24.0, 100.0, curves)
    apply = rooms("scene.faces.face_targets").apply
    assert apply(bpy.context.scene, motion, 5, "Sparse") == "4 curves"


def drive(mouth: Any) -> None:
    curve = mouth.data.shape_keys.key_blocks["jawOpen"].driver_add("value")
    curve.driver.expression = "0.25"


def limit(mouth: Any) -> None:
    mouth.data.shape_keys.key_blocks["jawOpen"].slider_max = 0.001


def mute(mouth: Any) -> None:
    mouth.data.shape_keys.key_blocks["jawOpen"].mute = True


def own_action(mouth: Any) -> None:
    block = mouth.data.shape_keys.key_blocks["jawOpen"]
    for frame in (1, 100):
        block.value = 0.1
        block.keyframe_insert("value", frame=frame)


@pytest.mark.parametrize(
    ("hold", "why"),
    [
        (drive, "driven"),
        (limit, "its range ends at 0.001"),
        (mute, "muted"),
        (own_action, "the action .* lies over it"),
    ],
)
def test_one_key_that_is_held_is_named(
    bpy: Any, rooms: Any, mouth: Any, hold: Any, why: str
) -> None:
    hold(mouth)
    text = speak(bpy, rooms)
    import re

    assert re.fullmatch(rf"4 curves; 1 of 4 do not move as they should: jawOpen \({why}.*\)", text)
    again = speak(bpy, rooms)
    assert "jawOpen" in again and "mouthFunnel" not in again


@pytest.mark.parametrize("how", ["absolute", "pinned", "solo", "modifier"])
def test_a_whole_face_that_is_held_is_named(bpy: Any, rooms: Any, mouth: Any, how: str) -> None:
    if how == "absolute":
        mouth.data.shape_keys.use_relative = False
    elif how == "pinned":
        mouth.show_only_shape_key, mouth.active_shape_key_index = True, 0
    elif how == "solo":
        data = mouth.data.shape_keys.animation_data_create()
        track = data.nla_tracks.new()
        track.strips.new("Mine", 1, bpy.data.actions.new("Mine"))
        track.is_solo = True
    else:
        group = mouth.vertex_groups.new(name="none")
        group.add([0, 1, 2], 0.0, "REPLACE")
        for block in mouth.data.shape_keys.key_blocks[1:]:
            block.vertex_group = group.name
    text = speak(bpy, rooms)
    assert "4 of 4 do not move" in text and " and 1 more" in text
    words = {"absolute": "absolute", "pinned": "pinned", "solo": "solo", "modifier": "stands still"}
    assert words[how] in text
    assert moved(bpy, rooms, mouth) < 1e-6


def test_a_driver_that_follows_what_was_written_is_no_fault(
    bpy: Any, rooms: Any, mouth: Any
) -> None:
    """Teeth whose keys follow the face's by drivers."""
    speak(bpy, rooms)
    teeth = mouth.copy()
    teeth.data = mouth.data.copy()
    bpy.context.scene.collection.objects.link(teeth)
    keys = teeth.data.shape_keys
    keys.animation_data_clear()
    curve = keys.key_blocks["jawOpen"].driver_add("value")
    variable = curve.driver.variables.new()
    variable.name, target = "value", variable.targets[0]
    target.id_type, target.id = "KEY", mouth.data.shape_keys
    target.data_path = 'key_blocks["jawOpen"].value'
    curve.driver.expression = "value"
    rooms("scene.faces.face_targets").add_target(bpy.context.scene, teeth)
    assert speak(bpy, rooms) == "8 curves"


def key_jaw(rig: Any, bone: Any, degrees: tuple[float, ...]) -> None:
    for frame, angle in zip((1, 50, 100), degrees, strict=True):
        half = math.radians(angle) / 2
        bone.rotation_quaternion = (math.cos(half), 0, math.sin(half), 0)
        bone.keyframe_insert("rotation_quaternion", frame=frame)


def test_an_artists_jaw_in_quaternions_keeps_mode_and_animation(
    bpy: Any, rooms: Any, mouth: Any, settings: Any
) -> None:
    rig = add_jaw(bpy)
    bone = rig.pose.bones["jaw"]
    key_jaw(rig, bone, (0, 30, 0))
    before = [opening(bpy, rig, frame) for frame in (1, 25, 50, 75)]
    text = speak(bpy, rooms)
    assert bone.rotation_mode == "QUATERNION"
    assert [opening(bpy, rig, frame) for frame in (1, 25, 50, 75)] == pytest.approx(before)
    assert "jaw (the action" in text and "push it down" in text
    data = rig.animation_data  # what the sentence advises
    action, slot = data.action, getattr(data, "action_slot", None)
    track = data.nla_tracks.new(prev=None)
    data.nla_tracks.active = track
    strip = track.strips.new("Mine", 1, action)
    if slot is not None:
        strip.action_slot = slot
    data.action = None
    assert "jaw (the NLA track" in speak(bpy, rooms)


def test_speech_is_added_to_an_artists_jaw_below(
    bpy: Any, rooms: Any, mouth: Any, settings: Any
) -> None:
    rig = add_jaw(bpy)
    bone = rig.pose.bones["jaw"]
    for frame in (1, 100):
        bone.rotation_quaternion = (math.cos(0.1), math.sin(0.1), 0, 0)
        bone.keyframe_insert("rotation_quaternion", frame=frame)
    data = rig.animation_data
    strip = data.nla_tracks.new().strips.new("Mine", 1, data.action)
    if hasattr(data, "action_slot"):
        strip.action_slot = data.action_slot
    data.action = None
    assert speak(bpy, rooms) == "5 curves"
    values = make_motion(rooms, ["jawOpen"]).curves[0].values
    for frame in (10, 40, 70):
        wanted = math.degrees(0.2) + 20 * values[frame - 1]
        assert opening(bpy, rig, frame) == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize(
    ("how", "why"), [("driver", "driven"), ("rest", "Rest Position"), ("lock", "constraints")]
)
def test_a_jaw_that_is_held_is_named(
    bpy: Any, rooms: Any, mouth: Any, settings: Any, how: str, why: str
) -> None:
    rig = add_jaw(bpy, "XYZ")
    bone = rig.pose.bones["jaw"]
    if how == "driver":
        bone.driver_add("rotation_euler", 0).driver.expression = "0.1"
    elif how == "rest":
        rig.data.pose_position = "REST"
    else:
        bone.constraints.new("LIMIT_ROTATION").use_limit_x = True
    text = speak(bpy, rooms)
    assert f"jaw ({why}" in text or f"jaw (the armature is in {why})" in text


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "YZX"])
def test_a_head_turns_in_its_own_rotation_mode(
    bpy: Any, rooms: Any, mouth: Any, settings: Any, mode: str
) -> None:
    settings.head_object, mouth.rotation_mode = mouth, mode
    assert speak(bpy, rooms, ("headYaw", "headPitch")) == "2 curves"
    assert mouth.rotation_mode == mode
    yaw = make_motion(rooms, ["headYaw"]).curves[0].values
    bpy.context.scene.frame_set(30)
    turned = np.array(mouth.matrix_world.to_3x3())
    assert math.atan2(turned[1, 0], turned[0, 0]) == pytest.approx(yaw[29], abs=0.05)


def test_a_head_without_delta_rotation_is_named(
    bpy: Any, rooms: Any, mouth: Any, settings: Any
) -> None:
    settings.head_object, mouth.rotation_mode = mouth, "AXIS_ANGLE"
    assert "Mouth (its rotation mode is Axis Angle" in speak(bpy, rooms, ("headYaw",))
    assert mouth.rotation_mode == "AXIS_ANGLE"


def test_the_head_of_a_table_is_read_in_its_own_mode(
    bpy: Any, rooms: Any, mouth: Any, settings: Any
) -> None:
    settings.head_object, mouth.rotation_mode = mouth, "QUATERNION"
    speak(bpy, rooms, ("headYaw",))
    bpy.context.scene.frame_set(30)
    angles = rooms("scene.faces.face_export")._turn(mouth)
    yaw = make_motion(rooms, ["headYaw"]).curves[0].values[29]
    assert angles == pytest.approx([0, yaw, 0], abs=1e-4)


def test_layers_of_other_bones_stay_out_of_it(
    bpy: Any, rooms: Any, mouth: Any, settings: Any
) -> None:
    rig = add_jaw(bpy)
    rig.keyframe_insert("location", frame=1)
    speak(bpy, rooms)
    assert rig.animation_data.action is not None
    paths = {c.data_path for c in fcurves(tracks(rig)["Splatsmith speech"].strips[0].action)}
    assert paths == {'pose.bones["jaw"].rotation_quaternion'}
