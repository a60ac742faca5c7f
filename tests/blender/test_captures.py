"""What the scene shows of a solved capture: verdict, depth as a mesh, tracks as markers, floor and
scale by points.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mathutils import Vector

SIZE, FOCAL = (64, 48), 60.0


def make_capture(bpy: Any, folder: Path, verdict: dict | None = None) -> Path:
    """Three frames before a wall two units away whose right half stands at one; its depth, tracks
    and manifest.
    """
    (folder / "images").mkdir(parents=True)
    (folder / "depths").mkdir()
    frames = []
    depth = np.full((SIZE[1], SIZE[0]), 2.0, np.float32)
    depth[:, SIZE[0] // 2 :] = 1.0
    depth[0] = 0.0  # nothing is known of the top row
    for number in (1, 2, 3):
        image = bpy.data.images.new("p", *SIZE)
        image.filepath_raw, image.file_format = str(folder / "images" / f"{number:04d}.png"), "PNG"
        image.save()
        bpy.data.images.remove(image)
        exr = bpy.data.images.new("d", *SIZE, float_buffer=True, is_data=True)
        pixels = np.repeat(np.flipud(depth)[..., None], 4, 2).astype(np.float32)
        exr.pixels.foreach_set(pixels.ravel())
        exr.filepath_raw, exr.file_format = str(folder / "depths" / f"{number:04d}.exr"), "OPEN_EXR"
        exr.save()
        bpy.data.images.remove(exr)
        pose = np.eye(4)
        pose[0, 3] = 0.1 * number
        frames.append(
            {
                "file_path": f"images/{number:04d}.png",
                "depth_file_path": f"depths/{number:04d}.exr",
                "transform_matrix": pose.tolist(),
            }
        )
    camera = {
        "fl_x": FOCAL,
        "fl_y": FOCAL,
        "cx": SIZE[0] / 2,
        "cy": SIZE[1] / 2,
        "w": SIZE[0],
        "h": SIZE[1],
    }
    (folder / "transforms.json").write_text(json.dumps({**camera, "frames": frames}))
    rows = np.array(
        [
            [1, 0, 0.5, 0.25],
            [2, 0, 0.55, 0.25],
            [3, 0, 0.6, 0.25],
            [1, 1, 0.1, 0.9],
            [3, 1, 0.2, 0.9],
        ],
        np.float32,
    )
    np.savez_compressed(folder / "tracks.npz", rows=rows)
    if verdict:
        images = [
            {"image": f"{n:04d}.png", "confidence": c} for n, c in ((1, 0.9), (2, 0.5), (3, 0.1))
        ]
        (folder / "manifest.json").write_text(json.dumps({"verdict": verdict, "pictures": images}))
    return folder


@pytest.fixture
def imported(bpy: Any, tmp_path: Path) -> Any:
    weak = {
        "level": "weak",
        "kind": "moving",
        "reasons": ["near and far could be swapped"],
        "advice": ["Move sideways."],
    }
    folder = make_capture(bpy, tmp_path / "solved", weak)
    assert bpy.ops.splatsmith.import_capture(directory=str(folder)) == {"FINISHED"}
    return bpy


def root_of(bpy: Any) -> Any:
    return next(o for o in bpy.data.objects if o.get("splatsmith_capture"))


def test_verdict_and_confidence_come_along(imported: Any, rooms: Any) -> None:
    root = root_of(imported)
    assert root["splatsmith_verdict"] == "weak"
    assert root["splatsmith_reasons"].splitlines() == [
        "Near and far could be swapped",
        "Move sideways.",
    ]
    seen = []
    for number in (1, 2, 3):
        imported.context.scene.frame_set(number)
        seen.append(
            round(rooms("scene.captures.verdict").confidence_now(imported.context, root), 3)
        )
    assert seen == [0.9, 0.5, 0.1]


def test_a_capture_without_a_verdict_has_no_light(bpy: Any, tmp_path: Path) -> None:
    bpy.ops.splatsmith.import_capture(directory=str(make_capture(bpy, tmp_path / "plain")))
    assert "splatsmith_verdict" not in root_of(bpy)


def test_damaged_manifests_are_no_reason_to_fail(bpy: Any, tmp_path: Path) -> None:
    for number, text in enumerate(
        (
            "[",
            "[]",
            '{"verdict": 3}',
            '{"verdict": {"level": "great"}}',
            '{"verdict": {"level": "solved"}, "pictures": [1]}',
        )
    ):
        folder = make_capture(bpy, tmp_path / str(number))
        (folder / "manifest.json").write_text(text)
        assert bpy.ops.splatsmith.import_capture(directory=str(folder)) == {"FINISHED"}


def test_depth_becomes_a_mesh_that_its_camera_sees_aright(imported: Any) -> None:
    scene = imported.context.scene
    scene.frame_set(2)
    assert imported.ops.splatsmith.depth_mesh() == {"FINISHED"}
    mesh = next(o for o in imported.data.objects if "Depth 2" in o.name)
    imported.context.view_layer.update()
    local = scene.camera.matrix_world.inverted() @ mesh.matrix_world
    corners = np.array([local @ v.co for v in mesh.data.vertices]).reshape(SIZE[1], SIZE[0], 3)
    np.testing.assert_allclose(-corners[10, 5, 2], 2.0, rtol=1e-3)
    np.testing.assert_allclose(-corners[10, 50, 2], 1.0, rtol=1e-3)
    place = corners[10, 5, :2] / -corners[10, 5, 2] * FOCAL + np.array([32, -24])
    np.testing.assert_allclose([place[0], -place[1]], [5.5, 10.5], atol=1e-2)
    # no face bridges the step between the halves, none touches the row without depth
    columns = [{v % SIZE[0] < SIZE[0] // 2 for v in p.vertices} for p in mesh.data.polygons]
    assert all(len(c) == 1 for c in columns)
    assert min(v for p in mesh.data.polygons for v in p.vertices) >= SIZE[0]


def test_depth_mesh_without_depth_is_one_sentence(imported: Any) -> None:
    folder = Path(root_of(imported)["splatsmith_capture"])
    for path in (folder / "depths").iterdir():
        path.unlink()
    with pytest.raises(RuntimeError, match="no depth"):
        imported.ops.splatsmith.depth_mesh()


def test_tracks_become_markers(imported: Any) -> None:
    assert imported.ops.splatsmith.tracks_clip() == {"FINISHED"}
    clip = next(c for c in imported.data.movieclips if c.name.endswith("Tracks"))
    assert clip.tracking.camera.focal_length == pytest.approx(FOCAL / SIZE[0] * 36)
    first, second = clip.tracking.tracks
    marker = first.markers.find_frame(2)
    assert tuple(marker.co) == pytest.approx((0.55, 0.75))
    assert second.markers.find_frame(2).mute, "not seen in frame 2"
    assert not second.markers.find_frame(3).mute
    assert first.markers.find_frame(4).mute


def test_floor_and_length_by_points(imported: Any) -> None:
    root = root_of(imported)
    tilted = [Vector((0, 0, -1)), Vector((1, 0.2, -1.3)), Vector((0.1, 1, -0.8))]
    local = [root.matrix_world.inverted() @ p for p in tilted]
    assert imported.ops.splatsmith.pick_floor(picked=[p[k] for p in tilted for k in range(3)]) == {
        "FINISHED"
    }
    imported.context.view_layer.update()
    assert all(abs((root.matrix_world @ p).z) < 1e-5 for p in local)
    imported.context.scene.frame_set(1)
    assert imported.context.scene.camera.matrix_world.translation.z > 0, (
        "cameras are above the floor"
    )
    now = [root.matrix_world @ p for p in local[:2]]
    assert imported.ops.splatsmith.pick_length(picked=[v for p in now for v in p], length=2.5) == {
        "FINISHED"
    }
    imported.context.view_layer.update()
    a, b = (root.matrix_world @ p for p in local[:2])
    assert (a - b).length == pytest.approx(2.5, rel=1e-4)


def test_points_on_a_line_are_no_floor(imported: Any) -> None:
    before = root_of(imported).matrix_world.copy()
    with pytest.raises(RuntimeError, match="on a line"):
        imported.ops.splatsmith.pick_floor(picked=[0, 0, 0, 1, 0, 0, 2, 0, 0])
    assert root_of(imported).matrix_world == before


def test_clicks_take_the_front_point_within_reach(bpy: Any, rooms: Any) -> None:
    pick = rooms("operators.picking").nearest_point
    matrix = np.array(
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]], float
    )  # x / z, y / z
    points = np.array([[0, 0, 2.0], [0, 0, 1.0], [0.5, 0, 1.0], [0, 0, -1.0]])
    assert pick(points, matrix, (200, 100), (100, 50)) == 1
    assert pick(points, matrix, (200, 100), (150, 50)) == 2
    assert pick(points, matrix, (200, 100), (20, 90)) == -1
    beside = np.array(
        [[0, 0, 2.0], [0.1, 0, 1.0]]
    )  # a point clicked on exactly, and one half as far away ten pixels beside it
    assert pick(beside, matrix, (200, 100), (100, 50)) == 0


def test_capture_is_exported_whole_and_never_over_another(imported: Any, tmp_path: Path) -> None:
    file = tmp_path / "solved" / "transforms.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "ply_file_path": "sparse_pc.ply"}))
    (tmp_path / "solved" / "sparse_pc.ply").write_bytes(b"ply")  # nerfstudio's name
    assert imported.ops.splatsmith.export_capture(directory=str(tmp_path / "out")) == {"FINISHED"}
    copied = next((tmp_path / "out").iterdir())
    assert {p.name for p in copied.iterdir()} == {
        "transforms.json",
        "images",
        "depths",
        "tracks.npz",
        "sparse_pc.ply",
    }
    with pytest.raises(RuntimeError, match="there already"):
        imported.ops.splatsmith.export_capture(directory=str(tmp_path / "out"))
