"""Cameras to show splats with: around the subject, along the solved path."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mathutils import Vector


def at_frame(bpy: Any, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Place and view direction of the scene's camera."""
    scene = bpy.context.scene
    scene.frame_set(frame)
    matrix = np.array(scene.camera.matrix_world)
    return matrix[:3, 3], -matrix[:3, 2] / np.linalg.norm(matrix[:3, 2])


def solved_places(bpy: Any) -> np.ndarray:
    scene = bpy.context.scene
    return np.stack([at_frame(bpy, n)[0] for n in range(scene.frame_start, scene.frame_end + 1)])


def test_there_is_nothing_to_turn_around(bpy: Any) -> None:
    bpy.context.scene.splatsmith.capture = ""
    assert not bpy.ops.splatsmith.turntable.poll()
    assert not bpy.ops.splatsmith.fly_through.poll()


def test_turntable_around_splats_alone(bpy: Any, splat_file: Path) -> None:
    """It stays on one circle about Z, looks at the middle, sees all, and ends where it began."""
    from bpy_extras.object_utils import world_to_camera_view

    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    cloud = next(o for o in bpy.data.objects if o.type == "POINTCLOUD")
    cloud.parent.location = (3, 4, 5)
    bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y = 1920, 1080
    assert not bpy.ops.splatsmith.fly_through.poll(), "there is no path to fly along"
    assert bpy.ops.splatsmith.turntable(frames=40) == {"FINISHED"}
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end) == (1, 40)
    middle = np.array(scene.camera.parent.matrix_world)[:3, 3]
    np.testing.assert_allclose(middle, (3, 4, 5), atol=0.3)
    places = [at_frame(bpy, n) for n in (1, 11, 21, 31, 41)]
    distances = [np.linalg.norm(place - middle) for place, _ in places]
    np.testing.assert_allclose(distances, distances[0], rtol=1e-5)
    for place, view in places:
        np.testing.assert_allclose(
            view, (middle - place) / np.linalg.norm(middle - place), atol=1e-5
        )
        assert place[2] == pytest.approx(middle[2], abs=1e-5)
    quarter = places[1][0] - middle
    assert abs(quarter @ (places[0][0] - middle)) < 1e-3, "it turns evenly"
    np.testing.assert_allclose(places[0][0], places[4][0], atol=1e-4)
    scene.frame_set(11)
    for point in cloud.data.attributes["position"].data:
        seen = world_to_camera_view(scene, scene.camera, cloud.matrix_world @ Vector(point.vector))
        assert 0 < seen.x < 1
        assert 0 < seen.y < 1


def test_turntable_as_far_off_as_the_footage(bpy: Any, capture_folder: Path) -> None:
    bpy.ops.splatsmith.import_capture(directory=str(capture_folder))
    solved, places = bpy.context.scene.camera, solved_places(bpy)
    assert bpy.ops.splatsmith.turntable() == {"FINISHED"}
    camera = bpy.context.scene.camera
    middle = np.array(camera.parent.matrix_world)[:3, 3]
    np.testing.assert_allclose(middle, 0, atol=1e-4)  # what an upright capture looks at
    first = at_frame(bpy, 1)[0]
    away = np.linalg.norm(places[:, :2], axis=1)
    assert np.linalg.norm(first[:2]) == pytest.approx(away.mean(), rel=1e-4)
    assert first[2] == pytest.approx(places[:, 2].mean(), abs=1e-4)
    np.testing.assert_allclose(first[:2] / away.mean(), places[0, :2] / away[0], atol=1e-4)
    assert camera.data.lens == pytest.approx(solved.data.lens)


def test_fly_through_follows_the_path(bpy: Any, capture_folder: Path) -> None:
    bpy.ops.splatsmith.import_capture(directory=str(capture_folder))
    root, places = bpy.context.scene.camera.parent, solved_places(bpy)
    views = [at_frame(bpy, n)[1] for n in (1, len(places))]
    assert bpy.ops.splatsmith.fly_through(frames=60) == {"FINISHED"}
    camera = bpy.context.scene.camera
    assert camera.parent == root
    assert bpy.context.scene.frame_end == 60
    flown = solved_places(bpy)
    length = np.linalg.norm(np.diff(places, axis=0), axis=1).sum()
    np.testing.assert_allclose(flown[[0, -1]], places[[0, -1]], atol=0.02 * length)
    nearest = np.linalg.norm(flown[:, None] - places, axis=2).min(1)
    assert nearest.max() < 0.1 * length
    for number, view in zip((1, 60), views, strict=True):
        assert at_frame(bpy, number)[1] @ view > 0.99


def test_smoothing_takes_the_shake_out(rooms: Any) -> None:
    paths, random = rooms("scene.captures.camera_paths"), np.random.default_rng(0)
    poses = np.tile(np.eye(4), (100, 1, 1))
    poses[:, 0, 3] = np.linspace(0, 10, 100)
    straight = paths.smoothed(poses)
    np.testing.assert_allclose(straight[0], poses[:, :3, 3], atol=1e-9)
    np.testing.assert_allclose(straight[1], np.tile([1.0, 0, 0, 0], (100, 1)), atol=1e-9)
    poses[:, 1, 3] = random.normal(0, 0.1, 100)
    assert paths.smoothed(poses)[0][:, 1].std() < 0.04
    places, quats = paths.smoothed(poses[:2])
    assert (places.shape, quats.shape) == ((2, 3), (2, 4))


def test_a_capture_that_is_gone_is_one_sentence(
    bpy: Any, capture_folder: Path, tmp_path: Path
) -> None:
    bpy.ops.splatsmith.import_capture(directory=str(capture_folder))
    root = bpy.context.scene.camera.parent
    root["splatsmith_capture"] = bpy.context.scene.splatsmith.capture = str(tmp_path / "gone")
    count = len(bpy.data.objects), len(bpy.data.cameras)
    with pytest.raises(RuntimeError, match="transforms"):
        bpy.ops.splatsmith.turntable()
    with pytest.raises(RuntimeError, match="transforms"):
        bpy.ops.splatsmith.fly_through()
    assert (len(bpy.data.objects), len(bpy.data.cameras)) == count
