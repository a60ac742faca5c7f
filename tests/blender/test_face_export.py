"""Faces for game engines: names, animation, and that nothing in the scene has changed
afterwards.
"""

import csv
import json
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .test_talking import add_face

KEYS = ("Jaw_Open", "blink_L", "Something Else")


@pytest.fixture
def face(bpy: Any, rooms: Any) -> Any:
    """A mesh whose jaw opens over ten frames; its keys bear an artist's names."""
    obj = add_face(bpy, "Face", KEYS)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 11, 24
    scene.splatsmith.head_object = None
    rooms("scene.faces.face_targets").add_target(scene, obj)
    assert {row.key: row.curve for row in scene.splatsmith.face_targets[0].rows} == {
        "Jaw_Open": "jawOpen",
        "blink_L": "eyeBlinkLeft",
    }
    for number, key in enumerate(KEYS):
        block = obj.data.shape_keys.key_blocks[key]
        block.data[number].co.z += 1
        block.value = 0.0
    block = obj.data.shape_keys.key_blocks["Jaw_Open"]
    for frame, value in ((1, 0.0), (11, 1.0)):
        block.value = value
        block.keyframe_insert("value", frame=frame)
    return obj


def contents(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def weights(document: dict[str, Any], binary: bytes) -> np.ndarray:
    """(T, targets) of the only animation's weights."""
    animation = document["animations"][0]
    channel = next(c for c in animation["channels"] if c["target"]["path"] == "weights")
    accessor = document["accessors"][animation["samplers"][channel["sampler"]]["output"]]
    view = document["bufferViews"][accessor["bufferView"]]
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    return np.frombuffer(binary[start : start + 4 * accessor["count"]], "<f4").reshape(-1, 3)


def test_gltf_has_arkit_names_and_the_animation(bpy: Any, face: Any, tmp_path: Path) -> None:
    face.select_set(False)
    bpy.ops.splatsmith.export_face(filepath=str(tmp_path / "face.glb"), kind="GLTF")
    document, binary = contents(tmp_path / "face.glb")
    names = document["meshes"][0]["extras"]["targetNames"]
    assert names == ["jawOpen", "eyeBlinkLeft", "Something Else"]
    assert "Synthetic" in document["asset"]["copyright"]
    moved = weights(document, binary)
    assert len(moved) == 11
    assert np.allclose(moved[[0, -1], 0], [0, 1], atol=1e-3) and 0.3 < moved[5, 0] < 0.7
    assert np.allclose(moved[:, 1:], 0)
    assert [block.name for block in face.data.shape_keys.key_blocks] == ["Basis", *KEYS], (
        "the artist's names are back"
    )
    assert not face.select_get()
    assert sorted(p.name for p in tmp_path.glob("*.glb")) == ["face.glb"]


def test_fbx_has_arkit_names(bpy: Any, face: Any, tmp_path: Path) -> None:
    bpy.ops.splatsmith.export_face(filepath=str(tmp_path / "face.fbx"), kind="FBX")
    data = (tmp_path / "face.fbx").read_bytes()
    assert b"jawOpen" in data and b"eyeBlinkLeft" in data and b"AnimCurve" in data
    assert b"Jaw_Open" not in data
    assert [block.name for block in face.data.shape_keys.key_blocks] == ["Basis", *KEYS]


def test_table_for_live_link(bpy: Any, face: Any, tmp_path: Path) -> None:
    bpy.context.scene.frame_set(4)
    bpy.ops.splatsmith.export_face(filepath=str(tmp_path / "face.csv"), kind="CSV")
    with open(tmp_path / "face.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11
    assert [float(rows[i]["JawOpen"]) for i in (0, 10)] == pytest.approx([0, 1], abs=1e-5)
    assert {float(row["EyeBlinkLeft"]) for row in rows} == {0.0}
    assert bpy.context.scene.frame_current == 4


def test_a_head_is_added_exported_and_fast(bpy: Any, tmp_path: Path) -> None:
    """The project's own head with 900 frames of animation."""
    scene = bpy.context.scene
    scene.splatsmith.face_targets.clear()
    assert bpy.ops.splatsmith.add_head() == {"FINISHED"}
    head = bpy.data.objects["Talking Head"]
    assert len(head.data.shape_keys.key_blocks) == 53 and len(head.data.color_attributes) == 1
    assert scene.splatsmith.face_targets[0].obj == head and scene.splatsmith.head_object == head
    assert max(head.dimensions) < 0.5, "a head in metres"
    nose = min(head.data.vertices, key=lambda v: v.co.y).co
    assert abs(nose.x) < 0.01, "it looks along -y"
    scene.frame_start, scene.frame_end = 1, 900
    for number, block in enumerate(head.data.shape_keys.key_blocks[1:]):
        for frame in range(1, 901, 30):
            block.value = 0.5 + 0.5 * np.sin(frame * number)
            block.keyframe_insert("value", frame=frame)
    start = time.process_time()
    bpy.ops.splatsmith.export_face(filepath=str(tmp_path / "head.glb"), kind="GLTF")
    took = time.process_time() - start
    print(f"glTF of the head, 52 shapes, 900 frames: {took:.1f} CPU s")
    assert took < 60, "seconds, not minutes"
