"""Splats as a web page: where the scene has them, through the scene's camera as it moves."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def settings_of(page: Path) -> dict[str, Any]:
    data = page.read_text(encoding="utf-8").split('id="sse-bootstrap">')[1].split("</script>")[0]
    settings: dict[str, Any] = json.loads(data)["settings"]
    return settings


def add_camera(bpy: Any) -> Any:
    """At (0, -5, 1), looking along y, level."""
    camera = bpy.data.objects.new("Eye", bpy.data.cameras.new("Eye"))
    bpy.context.scene.collection.objects.link(camera)
    camera.location, camera.rotation_euler = (0, -5, 1), (np.pi / 2, 0, 0)
    bpy.context.scene.camera = camera
    bpy.context.view_layer.update()
    return camera


@pytest.mark.smoke
def test_a_still_camera_is_the_start_view(bpy: Any, splat_file: Path, tmp_path: Path) -> None:
    """Z up in Blender, y up there."""
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    camera = add_camera(bpy)
    page = tmp_path / "for a client.html"
    assert bpy.ops.splatsmith.export_page(filepath=str(page)) == {"FINISHED"}
    settings = settings_of(page)
    pose = settings["cameras"][0]["initial"]
    np.testing.assert_allclose(pose["position"], [0, 1, 5], atol=1e-5)
    forward = np.subtract(pose["target"], pose["position"])
    np.testing.assert_allclose(forward / np.linalg.norm(forward), [0, 0, -1], atol=1e-5)
    assert pose["fov"] == pytest.approx(np.rad2deg(camera.data.angle), abs=1e-3)
    assert settings["animTracks"] == []
    assert "<title>for a client</title>" in page.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == [page.name]


@pytest.mark.parametrize(("start", "end", "fps", "base"), [(1, 25, 24, 1.0), (10, 40, 30, 1.001)])
def test_its_animation_is_the_path(
    start: int, end: int, fps: int, base: float, bpy: Any, splat_file: Path, tmp_path: Path
) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    camera, scene = add_camera(bpy), bpy.context.scene
    scene.frame_start, scene.frame_end = start, end
    scene.render.fps, scene.render.fps_base = fps, base
    for frame, x in ((start, -2), (end, 3)):
        camera.location.x = x
        camera.keyframe_insert("location", frame=frame)
    scene.frame_set(start + 3)
    page = tmp_path / "a.html"
    assert bpy.ops.splatsmith.export_page(filepath=str(page)) == {"FINISHED"}
    assert scene.frame_current == start + 3
    (track,) = settings_of(page)["animTracks"]
    assert track["duration"] == pytest.approx((end - start) * base / fps, abs=1e-5)
    places = np.array(track["keyframes"]["values"]["position"]).reshape(-1, 3)
    assert len(places) == end + 1 - start
    np.testing.assert_allclose(places[[0, -1]], [[-2, 1, 5], [3, 1, 5]], atol=1e-5)
    assert bpy.ops.splatsmith.export_page(filepath=str(page), animation=False) == {"FINISHED"}
    assert settings_of(page)["animTracks"] == []


def test_a_long_path_has_keys_enough(bpy: Any, rooms: Any) -> None:
    camera, scene = add_camera(bpy), bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 2500
    for frame in (1, 2500):
        camera.location.x = frame
        camera.keyframe_insert("location", frame=frame)
    path = rooms("operators.web_page").scene_path(scene, True)
    assert 500 <= len(path.seconds) <= 1001
    seconds = 2499 * scene.render.fps_base / scene.render.fps
    assert path.seconds[-1] == pytest.approx(seconds)
    assert path.camera_to_world[-1, 0, 3] == pytest.approx(2500)


def test_without_a_camera_all_is_in_view(bpy: Any, splat_file: Path, tmp_path: Path) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    bpy.context.scene.camera = None
    page = tmp_path / "a.html"
    assert bpy.ops.splatsmith.export_page(filepath=str(page)) == {"FINISHED"}
    assert len(settings_of(page)["cameras"]) == 1


def test_a_lens_without_perspective_is_refused(bpy: Any, splat_file: Path, tmp_path: Path) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    add_camera(bpy).data.type = "ORTHO"
    with pytest.raises(RuntimeError, match="not a perspective camera"):
        bpy.ops.splatsmith.export_page(filepath=str(tmp_path / "a.html"))
    assert not list(tmp_path.iterdir())
