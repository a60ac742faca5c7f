"""A talking face in Blender: targets and tables, layers of F-curves, sounds, and what must not be
lost.
"""

import math
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ARKIT = ("jawOpen", "mouthSmile_L", "mouthSmile_R", "mouthPress_L", "mouthPress_R", "mouthFunnel",
    "mouthPucker", "eyeBlinkLeft",
         "eyeBlinkRight", "mouthLowerDownLeft", "mouthLowerDownRight")  # fmt: skip


def speech(path: Path, seconds: float = 3.0, rate: int = 16_000) -> Path:
    """Something that babbles: a buzzing voice whose syllables come and go."""
    t = np.arange(int(seconds * rate)) / rate
    voice = (
        np.sign(np.sin(2 * np.pi * 120 * t))
        * (0.5 + 0.5 * np.sin(2 * np.pi * 700 * t))
        * np.maximum(0, np.sin(2 * np.pi * 3 * t))
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((voice * 12_000).astype("<i2").tobytes())
    return path


@pytest.fixture
def face(bpy: Any) -> Any:
    """A mesh with shape keys, selected; an empty list of targets."""
    return add_face(bpy, "Face", ARKIT)


def add_face(bpy: Any, name: str, keys: tuple[str, ...]) -> Any:
    bpy.context.scene.splatsmith.face_targets.clear()
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.update()
    for other in bpy.context.scene.objects:
        other.select_set(other is obj)
    bpy.context.view_layer.objects.active = obj
    for key in ("Basis", *keys):
        obj.shape_key_add(name=key)
    return obj


def tracks(block: Any) -> dict[str, Any]:
    return (
        {track.name: track for track in block.animation_data.nla_tracks}
        if block.animation_data
        else {}
    )


def fcurves(action: Any) -> list[Any]:
    return (
        list(action.layers[0].strips[0].channelbags[0].fcurves)
        if hasattr(action, "layers") and action.layers
        else list(action.fcurves)
    )


def make_motion(rooms: Any, names: list[str], frames: int = 100, fps: float = 24.0) -> Any:
    from backend.formats.motion_file import Curve, Motion

    at = np.arange(frames, dtype=np.float32)
    layer = {"e": "blink", "h": "head"}
    curves = [
        Curve(n, layer.get(n[0], "speech"), at, (0.5 + 0.5 * np.sin(at / 7 + k)).astype(np.float32))
        for k, n in enumerate(names)
    ]
    return Motion(fps, frames - 1.0, curves)


def test_speaking_moves_the_face_in_layers(bpy: Any, face: Any, tmp_path: Path) -> None:
    settings, scene = bpy.context.scene.splatsmith, bpy.context.scene
    assert bpy.ops.splatsmith.add_face_targets() == {"FINISHED"}
    assert {row.key for row in settings.face_targets[0].rows} == set(ARKIT)
    settings.speech, settings.speech_start = str(speech(tmp_path / "line.wav")), 11
    scene.render.fps, scene.render.fps_base = 30, 1.001
    assert bpy.ops.splatsmith.speak() == {"FINISHED"}
    found = tracks(face.data.shape_keys)
    assert set(found) == {"Splatsmith speech", "Splatsmith blink"}
    jaw = next(
        c for c in fcurves(found["Splatsmith speech"].strips[0].action) if "jawOpen" in c.data_path
    )
    places = np.array([k.co[:] for k in jaw.keyframe_points])
    assert (
        abs(places[0, 0] - 11) < 1e-3
        and abs(places[-1, 0] - 11 - math.ceil(3 * 30 / 1.001)) <= 1
        and places[:, 1].max() > 0.05
    )
    scene.frame_set(round(places[places[:, 1].argmax(), 0]))
    assert abs(face.data.shape_keys.key_blocks["jawOpen"].value - places[:, 1].max()) < 0.02
    strips = (
        scene.sequence_editor.strips
        if hasattr(scene.sequence_editor, "strips")
        else scene.sequence_editor.sequences
    )
    assert [(s.type, round(s.frame_start)) for s in strips] == [("SOUND", 11)]
    strips.remove(strips[0])


def test_a_new_bake_keeps_what_the_artist_made(bpy: Any, face: Any, rooms: Any) -> None:
    targets = rooms("scene.faces.face_targets")
    bpy.ops.splatsmith.add_face_targets()
    keys = face.data.shape_keys
    for _ in range(2):
        targets.apply(
            bpy.context.scene, make_motion(rooms, ["jawOpen", "eyeBlinkLeft"]), 1, "First"
        )
    own = bpy.data.actions.new("Mine")
    track = keys.animation_data.nla_tracks.new()
    track.name = "Mine"
    track.strips.new("Mine", 1, own)
    targets.apply(bpy.context.scene, make_motion(rooms, ["jawOpen"]), 1, "Second")
    assert set(tracks(keys)) == {"Splatsmith speech", "Mine"}
    assert [t.name for t in keys.animation_data.nla_tracks][-1] == "Mine", "the artist's lies above"
    assert sorted(a.name for a in bpy.data.actions if a.name.startswith(("First", "Second"))) == [
        "Second Face speech"
    ], "nothing is left behind"
    assert tracks(keys)["Mine"].strips[0].action == own


def test_another_frame_rate_does_not_drift(bpy: Any, face: Any, rooms: Any) -> None:
    bpy.ops.splatsmith.add_face_targets()
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 60, 1.0
    rooms("scene.faces.face_targets").apply(
        bpy.context.scene, make_motion(rooms, ["jawOpen"], 241, 24.0), 1, "T"
    )
    jaw = fcurves(tracks(face.data.shape_keys)["Splatsmith speech"].strips[0].action)[0]
    assert abs(jaw.keyframe_points[-1].co[0] - 601) < 1e-3


def test_gains_rows_and_visemes(bpy: Any, rooms: Any) -> None:
    obj = add_face(bpy, "Vroid", ("Fcl_MTH_A", "Fcl_MTH_O", "Smirk"))
    bpy.ops.splatsmith.add_face_targets()
    target = bpy.context.scene.splatsmith.face_targets[0]
    assert [(r.curve, r.key) for r in target.rows] == [
        ("viseme_aa", "Fcl_MTH_A"),
        ("viseme_oh", "Fcl_MTH_O"),
    ]
    bpy.ops.splatsmith.face_row(remove=False)
    row = target.rows[-1]
    row.curve, row.key, row.gain = "jawOpen", "Smirk", -0.5
    rooms("scene.faces.face_targets").apply(
        bpy.context.scene, make_motion(rooms, ["viseme_aa", "jawOpen"]), 1, "V"
    )
    found = {
        c.data_path: c
        for c in fcurves(tracks(obj.data.shape_keys)["Splatsmith speech"].strips[0].action)
    }
    assert set(found) == {'key_blocks["Fcl_MTH_A"].value', 'key_blocks["Smirk"].value'}
    values = [k.co[1] for k in found['key_blocks["Smirk"].value'].keyframe_points]
    assert min(values) < -0.49 and max(values) <= 0
    bpy.ops.splatsmith.match_face()
    assert len(target.rows) == 2


def add_jaw(bpy: Any, mode: str = "QUATERNION") -> Any:
    """An armature whose bone `jaw` opens by 20 degrees, as the panel's fields say."""
    armature = bpy.data.armatures.new("Rig")
    rig = bpy.data.objects.new("Rig", armature)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = armature.edit_bones.new("jaw")
    bone.head, bone.tail = (0, 0, 0), (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.pose.bones["jaw"].rotation_mode = mode
    settings = bpy.context.scene.splatsmith
    settings.jaw_rig, settings.jaw_bone, settings.jaw_degrees = rig, "jaw", 20
    return rig


@pytest.fixture
def settings(bpy: Any) -> Any:
    """The panel's, whose jaw and head are of this test alone."""
    settings = bpy.context.scene.splatsmith
    yield settings
    settings.jaw_rig = settings.head_object = None


def opening(bpy: Any, rig: Any, frame: float) -> float:
    """Degrees by which the jaw bone is turned."""
    bpy.context.scene.frame_set(int(frame))
    turned = rig.pose.bones["jaw"].matrix_basis.to_quaternion()
    return math.degrees(2 * math.acos(min(1.0, abs(turned.w))))


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZXY", "AXIS_ANGLE"])
def test_a_jaw_bone_and_a_head(bpy: Any, face: Any, rooms: Any, settings: Any, mode: str) -> None:
    rig, settings.head_object = add_jaw(bpy, mode), face
    motion = make_motion(rooms, ["jawOpen", "headYaw"])
    text = rooms("scene.faces.face_targets").apply(bpy.context.scene, motion, 1, "B")
    assert text == "2 curves" and rig.pose.bones["jaw"].rotation_mode == mode
    for frame in (1, 12, 34, 60):
        value = motion.curves[0].values[frame - 1]
        assert opening(bpy, rig, frame) == pytest.approx(20 * value, abs=0.05)
    turn = fcurves(tracks(face)["Splatsmith head"].strips[0].action)[0]
    assert (turn.data_path, turn.array_index) == ("delta_rotation_euler", 2)


def test_many_keys_are_written_at_once(bpy: Any, rooms: Any, capsys: Any) -> None:
    from backend.formats.arkit import BLENDSHAPES

    obj = add_face(bpy, "All", (*BLENDSHAPES, "another"))
    bpy.ops.splatsmith.add_face_targets()
    row = bpy.context.scene.splatsmith.face_targets[0].rows.add()
    row.curve, row.key = "jawOpen", "another"
    motion = make_motion(rooms, list(BLENDSHAPES), 900)
    start = time.process_time()
    text = rooms("scene.faces.face_targets").apply(bpy.context.scene, motion, 1, "Long")
    seconds = time.process_time() - start
    with capsys.disabled():
        print(f"\n53 curves of 900 keys: {seconds:.3f} CPU s")
    assert text == "53 curves" and seconds < 3.0  # 0.2 on a quiet machine
    total = sum(
        len(c.keyframe_points)
        for t in tracks(obj.data.shape_keys).values()
        for c in fcurves(t.strips[0].action)
    )
    assert total == 53 * 900


def test_what_can_not_be_moved_is_said(bpy: Any, face: Any, tmp_path: Path) -> None:
    settings = bpy.context.scene.splatsmith
    bare = bpy.data.objects.new("Bare", bpy.data.meshes.new("Bare"))
    bpy.context.scene.collection.objects.link(bare)
    face.select_set(False)
    bare.select_set(True)
    with pytest.raises(RuntimeError, match="no shape keys"):
        bpy.ops.splatsmith.add_face_targets()
    settings.speech = ""
    with pytest.raises(RuntimeError, match="No sound"):
        bpy.ops.splatsmith.speak()
    settings.speech = str(tmp_path / "gone.wav")
    with pytest.raises(RuntimeError, match=r"no file .*gone\.wav"):
        bpy.ops.splatsmith.speak()
    (tmp_path / "noise.wav").write_bytes(b"this is no sound" * 100)
    settings.speech = str(tmp_path / "noise.wav")
    with pytest.raises(RuntimeError, match=r"noise\.wav can't be read"):
        bpy.ops.splatsmith.speak()
    settings.consent = False
    assert not bpy.ops.splatsmith.read_face.poll()
    with pytest.raises(RuntimeError, match="not a motion"):
        bpy.ops.splatsmith.import_motion(filepath=str(tmp_path / "noise.wav"))
    assert len(settings.face_targets) == 0


def test_linked_faces_are_refused_with_advice(bpy: Any, face: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "face.blend")
    bpy.data.libraries.write(path, {face}, fake_user=True)
    with bpy.data.libraries.load(path, link=True) as (source, wanted):
        wanted.objects = source.objects
    linked = wanted.objects[0]
    bpy.context.scene.collection.objects.link(linked)
    face.select_set(False)
    linked.select_set(True)
    with pytest.raises(RuntimeError, match="library override"):
        bpy.ops.splatsmith.add_face_targets()
    bpy.data.objects.remove(linked)
    bpy.data.libraries.remove(bpy.data.libraries[0])


def test_a_second_line_leaves_the_first_alone(bpy: Any, face: Any, rooms: Any) -> None:
    """Two lines one after the other, then the second anew; and the expression of a filmed face
    stays under a new line.
    """
    targets, scene = rooms("scene.faces.face_targets"), bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.0
    targets.add_target(scene, face)
    motion = make_motion(rooms, ["jawOpen", "eyeBlinkLeft"])
    targets.apply(scene, motion, 1, "first")
    targets.apply(scene, motion, 201, "second")
    targets.apply(scene, motion, 205, "again")
    strips = list(tracks(face.data.shape_keys)["Splatsmith speech"].strips)
    assert [round(strip.frame_start) for strip in strips] == [1, 205]
    assert [strip.action.name.split()[0] for strip in strips] == ["first", "again"]


def test_shapes_of_a_face_models_own_are_moved(bpy: Any, rooms: Any) -> None:
    """FLAME's expressions have no names in ARKit: a curve and a key of the same name belong
    together.
    """
    face, targets = (
        add_face(bpy, "Flame", ("jawOpen", "expression01")),
        rooms("scene.faces.face_targets"),
    )
    face.data.shape_keys.key_blocks["expression01"].slider_min = -1
    targets.add_target(bpy.context.scene, face)
    targets.apply(bpy.context.scene, make_motion(rooms, ["jawOpen", "expression01"]), 1, "flame")
    found = [
        curve
        for track in tracks(face.data.shape_keys).values()
        for curve in fcurves(track.strips[0].action)
    ]
    assert {c.data_path for c in found} == {
        'key_blocks["jawOpen"].value',
        'key_blocks["expression01"].value',
    }


def test_more_videos_of_a_person_are_listed_once(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    heads, settings = rooms("operators.heads"), bpy.context.scene.splatsmith
    settings.face_videos.clear()
    names = ("first.mp4", "second.mp4", "third.mp4")
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    settings.speech, settings.consent = str(tmp_path / "first.mp4"), True
    chosen = [{"name": name} for name in names]
    add = bpy.ops.splatsmith.add_face_videos
    assert add(directory=str(tmp_path), files=chosen) == {"FINISHED"}
    assert add(directory=str(tmp_path), files=chosen[1:2]) == {"FINISHED"}
    found = heads._more_videos(bpy.context)
    assert found == [str(tmp_path / name) for name in names[1:]]
    settings.face_video = 0
    assert bpy.ops.splatsmith.remove_face_video() == {"FINISHED"}
    assert [Path(v.path).name for v in settings.face_videos] == ["third.mp4"]
    (tmp_path / "third.mp4").unlink()
    with pytest.raises(RuntimeError, match=r"no file .*third\.mp4.*More Videos"):
        bpy.ops.splatsmith.read_face()
    assert bpy.ops.splatsmith.remove_face_video() == {"FINISHED"}
    assert not bpy.ops.splatsmith.remove_face_video.poll()
    settings.speech, settings.consent = "", False
