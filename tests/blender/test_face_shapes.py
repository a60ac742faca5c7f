"""ARKit's shapes added to a character in Blender: landmarks are placed and moved, keys come to all
its meshes in their own axes, and nothing of the artist's is lost.
"""

from typing import Any

import numpy as np
import pytest

KEY = "splatsmith_landmark"


@pytest.fixture
def character(bpy: Any, rooms: Any) -> Any:
    """The default head without its shapes, turned and scaled; eyes and teeth are meshes of their
    own.
    """
    import mathutils

    assert bpy.ops.splatsmith.add_head() == {"FINISHED"}
    head = bpy.context.object
    truth = {
        name: coordinates(head.data.shape_keys.key_blocks[name].data)
        - coordinates(head.data.shape_keys.key_blocks[0].data)
        for name in ("jawOpen", "eyeBlinkLeft")
    }
    pieces = [head, *head.children]
    for piece in pieces:
        if piece.data.shape_keys:
            piece.shape_key_clear()
    bpy.context.scene.splatsmith.face_targets.clear()
    # the mesh lies on its back in its own space, and the object stands it up
    turn = mathutils.Matrix.Rotation(0.7, 4, "X") @ mathutils.Matrix.Diagonal((0.5, 0.5, 0.5, 1))
    for piece in pieces:
        piece.data.transform(turn.inverted())
    head.matrix_world = turn
    head.modifiers.new("Smooth", "SUBSURF").levels = 0
    bpy.context.view_layer.update()
    yield head, truth, np.array(turn)[:3, :3]
    bpy.context.scene.splatsmith.face_targets.clear()


def marks(head: Any) -> list[Any]:
    """Its landmarks."""
    return [child for child in head.children if KEY in child]


def coordinates(block: Any) -> np.ndarray:
    places = np.empty(len(block) * 3, np.float32)
    block.foreach_get("co", places)
    return places.reshape(-1, 3)


def in_faces(head: Any) -> np.ndarray:
    """Vertices that belong to a face."""
    return np.unique([v for polygon in head.data.polygons for v in polygon.vertices])


def movement(head: Any, name: str) -> np.ndarray:
    blocks = head.data.shape_keys.key_blocks
    return coordinates(blocks[name].data) - coordinates(blocks[0].data)


def test_a_character_gets_shapes(bpy: Any, character: Any) -> None:
    head, truth, turn = character
    assert bpy.ops.splatsmith.place_landmarks() == {"FINISHED"}
    landmarks = {c[KEY]: c for c in marks(head)}
    assert len(landmarks) == 10
    bpy.context.view_layer.update()
    left, right = (landmarks[f"eyeOuter{s}"].matrix_world.translation for s in ("Left", "Right"))
    assert left.x > 0.02 and right.x < -0.02 and abs(left.z - right.z) < 0.01
    landmarks["chin"].location.x += 0.004  # the artist's hand
    head.shape_key_add(name="Basis")
    mine = head.shape_key_add(name="mouthPucker")
    mine.data[0].co.x += 1
    head.shape_key_add(name="Smirk")
    eye = bpy.data.objects["Talking Eye Left"]
    eye.select_set(True)
    assert bpy.ops.splatsmith.add_arkit_shapes() == {"FINISHED"}
    looking = movement(eye, "eyeLookOutLeft") @ turn.T
    front = (turn @ coordinates(eye.data.vertices).T)[1].argmin()
    assert looking[front, 0] > 0.004, "its pupil goes to its left"
    eye.select_set(False)
    blocks = head.data.shape_keys.key_blocks
    assert len(blocks) == 54 and "Smirk" in blocks and head.modifiers[0].name == "Smooth"
    assert movement(head, "mouthPucker")[0, 0] == pytest.approx(1, abs=1e-4), "not overwritten"
    assert not np.abs(movement(head, "mouthPucker")[1:]).max() > 1e-5
    for name, shape in truth.items():
        off = np.linalg.norm(movement(head, name) @ turn.T - shape, axis=1)[in_faces(head)]
        assert off.mean() < 0.03 * 0.063 and blocks[name].value == 0
        assert off.max() < 0.5 * np.linalg.norm(shape, axis=1).max()
    target = bpy.context.scene.splatsmith.face_targets[0]
    assert target.obj == head and len(target.rows) == 52
    assert bpy.ops.splatsmith.add_arkit_shapes(existing="REPLACE") == {"FINISHED"}
    assert len(blocks) == 54 and np.abs(movement(head, "mouthPucker")[1:]).max() > 1e-3


def test_landmarks_are_marked_by_hand(bpy: Any, character: Any) -> None:
    head = character[0]
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="DESELECT")
    with pytest.raises(RuntimeError, match="No vertex is selected"):
        bpy.ops.splatsmith.mark_landmark(landmark="chin")
    bpy.ops.object.mode_set(mode="OBJECT")
    head.data.vertices[40].select = True
    bpy.ops.object.mode_set(mode="EDIT")
    assert bpy.ops.splatsmith.mark_landmark(landmark="chin") == {"FINISHED"}
    bpy.ops.object.mode_set(mode="OBJECT")
    (chin,) = marks(head)
    assert (chin.location - head.data.vertices[40].co).length < 1e-5
    bpy.context.scene.cursor.location = head.matrix_world @ head.data.vertices[90].co
    assert bpy.ops.splatsmith.mark_landmark(landmark="chin") == {"FINISHED"}
    assert len(marks(head)) == 1
    assert (chin.location - head.data.vertices[90].co).length < 1e-4
    with pytest.raises(RuntimeError, match="Only 1 landmarks"):
        bpy.ops.splatsmith.add_arkit_shapes()
    assert bpy.ops.splatsmith.clear_landmarks() == {"FINISHED"} and not marks(head)
    assert head.data.shape_keys is None


def test_what_is_no_head_is_one_sentence(bpy: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    with pytest.raises(RuntimeError, match=r"No face|only 8 vertices"):
        bpy.ops.splatsmith.add_arkit_shapes()
    assert bpy.context.object.data.shape_keys is None
    bpy.context.object.data.vertices[3].co.x = float("nan")
    with pytest.raises(RuntimeError, match="1 of the 8 vertices of Cube"):
        bpy.ops.splatsmith.add_arkit_shapes()
    bare = bpy.data.objects.new("Bare", bpy.data.meshes.new("Bare"))
    bpy.context.scene.collection.objects.link(bare)
    bpy.context.view_layer.objects.active = bare
    with pytest.raises(RuntimeError, match="Bare has no faces"):
        bpy.ops.splatsmith.add_arkit_shapes()
