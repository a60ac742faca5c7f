"""Faces on bones: Rigify's own rigs, an artist's table, and a mesh and a rig moved in one go."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .test_talking import add_face, make_motion


@pytest.fixture
def clean(bpy: Any) -> Any:
    settings = bpy.context.scene.splatsmith
    settings.face_targets.clear()
    yield bpy
    settings.face_targets.clear()
    settings.bone_table = ""


def add_rig(bpy: Any, name: str, mode: str = "QUATERNION") -> Any:
    """An armature with a jaw that points down and forward, and two eyes."""
    armature = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, armature)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for bone, head, tail in (
        ("jaw", (0, 0, 0), (0, -1, -1)),
        ("eye.L", (0.5, -1, 1), (0.5, -2, 1)),
        ("eye.R", (-0.5, -1, 1), (-0.5, -2, 1)),
        ("lip.L", (0.3, -1, 0), (0.3, -1.2, 0.1)),
        ("lip.R", (-0.3, -1, 0), (-0.3, -1.2, 0.1)),
    ):
        new = armature.edit_bones.new(bone)
        new.head, new.tail, new.roll = head, tail, 0.4
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    return rig


def write_table(path: Path) -> Path:
    rows = [
        {"shape": "jawOpen", "bone": "jaw", "channel": "turn_pitch", "gain": 20},
        {"shape": "mouthSmileLeft", "bone": "lip.L", "channel": "move_left", "gain": 0.1},
        {"shape": "mouthSmileLeft", "bone": "lip.L", "channel": "move_up", "gain": 0.2},
        {"shape": "mouthPucker", "bone": "nowhere", "channel": "move_up", "gain": 1},
    ]
    path.write_text(json.dumps({"name": "Mine", "eyes": ["eye.L", "eye.R"], "rows": rows}))
    return path


def shown(bpy: Any, rig: Any, bone: str, frame: int) -> np.ndarray:
    """(3, 4) how the bone has moved from its rest, in the armature's axes."""
    bpy.context.scene.frame_set(frame)
    pose = rig.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones[bone]
    return np.array(pose.matrix @ pose.bone.matrix_local.inverted())[:3]


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZYX", "AXIS_ANGLE"])
def test_an_own_table_moves_bones(
    clean: Any, rooms: Any, tmp_path: Path, mode: str, capsys: Any
) -> None:
    bpy = clean
    face, rig = add_face(bpy, "Anna", ("jawOpen",)), add_rig(bpy, "Ben", mode)
    bpy.context.scene.splatsmith.bone_table = str(write_table(tmp_path / "mine.json"))
    rig.select_set(True)
    face.select_set(True)
    assert bpy.ops.splatsmith.add_face_targets() == {"FINISHED"}
    text = capsys.readouterr().out
    assert "Ben: 3 curves move bones by Mine" in text and "1 missing bones: nowhere" in text
    assert "not in the table: eyeBlinkLeft" in text
    motion = make_motion(rooms, ["jawOpen", "mouthSmileRight"])
    line = rooms("scene.faces.face_targets").apply(bpy.context.scene, motion, 1, "Go")
    assert line == "3 curves", "a mesh and a rig in one go"
    values = [curve.values for curve in motion.curves]
    for frame in (5, 12, 30):
        turn = shown(bpy, rig, "jaw", frame)[:, :3]
        angle = np.degrees(np.arctan2(turn[2, 1], turn[1, 1]))
        assert angle == pytest.approx(20 * values[0][frame - 1], abs=0.3), "about the left axis"
        moved = shown(bpy, rig, "lip.R", frame)
        at = np.array(rig.data.bones["lip.R"].head_local)
        off = moved[:, :3] @ at + moved[:, 3] - at
        np.testing.assert_allclose(off, np.array([-0.1, 0, 0.2]) * values[1][frame - 1], atol=2e-3)
        jaw = face.data.shape_keys.key_blocks["jawOpen"].value
        assert jaw == pytest.approx(values[0][frame - 1], abs=0.02)


def test_rigs_that_are_unknown_and_tables_that_are_wrong(clean: Any, tmp_path: Path) -> None:
    bpy = clean
    rig = add_rig(bpy, "Ben")
    rig.select_set(True)
    with pytest.raises(RuntimeError, match="no face rig that is known"):
        bpy.ops.splatsmith.add_face_targets()
    bpy.context.scene.splatsmith.bone_table = str(tmp_path / "gone.json")
    with pytest.raises(RuntimeError, match=r"no file .*gone\.json"):
        bpy.ops.splatsmith.add_face_targets()
    assert not len(bpy.context.scene.splatsmith.face_targets)


def test_rigify_s_face_is_known_and_moves(clean: Any, rooms: Any, capsys: Any) -> None:
    """The rig that Blender's own add-on generates of its human."""
    bpy = clean
    bpy.ops.preferences.addon_enable(module="rigify")
    bpy.ops.object.armature_human_metarig_add()
    bpy.ops.pose.rigify_generate()
    rig = bpy.context.object
    assert bpy.ops.splatsmith.add_face_targets() == {"FINISHED"}
    text = capsys.readouterr().out
    assert "curves move bones by Rigify" in text and "missing bones" not in text
    motion = make_motion(rooms, ["jawOpen", "eyeBlinkLeft"])
    rooms("scene.faces.face_targets").apply(bpy.context.scene, motion, 1, "Go")
    for curve, bone, still in (
        ("jawOpen", "chin", "nose"),
        ("eyeBlinkLeft", "lid.T.L.002", "lid.T.R.002"),
    ):
        values = next(c.values for c in motion.curves if c.name == curve)
        frames = [int(values.argmin()) + 1, int(values.argmax()) + 1]
        moved, stayed = (places(bpy, rig, f"DEF-{name}", frames) for name in (bone, still))
        assert moved[1] < moved[0] - 0.008, curve
        assert abs(stayed[1] - stayed[0]) < 0.004, curve


def places(bpy: Any, rig: Any, bone: str, frames: list[int]) -> list[float]:
    """Heights of a bone's head in some frames."""
    at = np.array((*rig.data.bones[bone].head_local, 1))
    return [float((shown(bpy, rig, bone, frame) @ at)[2]) for frame in frames]
