"""Splats in the scene: subject and surroundings, upright, framed; and out again as they were
moved.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.formats import splat_moves, splat_ply
from backend.formats.splat_notes import SplatNotes
from backend.formats.splat_ply import SplatArrays


def cloud_of(count: int, size: float, seed: int = 0) -> SplatArrays:
    g, f = np.random.default_rng(seed), np.float32
    quats = g.normal(size=(count, 4))
    return SplatArrays(
        means=g.normal(0, size, (count, 3)).astype(f),
        quats=(quats / np.linalg.norm(quats, axis=1, keepdims=True)).astype(f),
        log_scales=g.normal(-4, 0.4, (count, 3)).astype(f),
        opacity_logits=g.normal(1, 1, count).astype(f),
        sh=g.normal(0, 0.3, (count, 16, 3)).astype(f),
    )


@pytest.fixture
def scene_file(tmp_path: Path) -> Path:
    """A subject with strays around it, and a shell that training marked."""
    parts = [cloud_of(2000, 0.3), cloud_of(30, 4.0, 1), cloud_of(50, 40.0, 2)]
    arrays = splat_ply.joined(parts)
    arrays.extra["surroundings"] = (np.arange(len(arrays)) >= 2030).astype(np.uint8)
    splat_ply.write(tmp_path / "walk.ply", arrays)
    return tmp_path / "walk.ply"


def extent(rooms: Any, cloud: Any) -> tuple[np.ndarray, np.ndarray]:
    """Sizes of the box and of the core of it."""
    points = rooms("scene.splats.pointclouds").positions(cloud.data)
    return np.ptp(points, axis=0), np.ptp(np.percentile(points, [1, 99], axis=0), axis=0)


def test_subject_and_surroundings_are_two_objects(bpy: Any, rooms: Any, scene_file: Path) -> None:
    assert bpy.ops.splatsmith.import_splats(filepath=str(scene_file)) == {"FINISHED"}
    subject, around = bpy.data.objects["walk Splats"], bpy.data.objects["walk Surroundings"]
    assert bpy.context.object == subject and bpy.context.selected_objects == [subject]
    assert subject.users_collection == around.users_collection
    assert rooms("scene.splats.splats").surroundings_of(subject) == around
    size, core = extent(rooms, subject)
    assert (size <= 1.5 * core).all() and len(subject.data.points) > 1950
    assert len(subject.data.points) + len(around.data.points) == 2080


def test_both_go_into_one_file_again(bpy: Any, scene_file: Path, tmp_path: Path) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(scene_file))
    for whole in (True, False):
        bpy.ops.splatsmith.export_splats(filepath=str(tmp_path / "out.ply"), surroundings=whole)
        before, after = splat_ply.read(scene_file), splat_ply.read(tmp_path / "out.ply")
        kept = {tuple(row) for row in after.means.tolist()}
        assert kept <= {tuple(row) for row in before.means.tolist()}
        assert (len(after) == 2080) == whole
        assert ("surroundings" in after.extra) and after.extra["surroundings"].sum() == 50 * whole


def test_a_name_is_not_doubled(bpy: Any, splat_file: Path, tmp_path: Path) -> None:
    for name in ("splats", "My Splats"):
        (tmp_path / f"{name}.ply").write_bytes(splat_file.read_bytes())
        bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / f"{name}.ply"))
        assert bpy.context.object.name == name


def test_a_file_that_says_what_is_up_stands_so(bpy: Any, tmp_path: Path) -> None:
    arrays, upright = cloud_of(300, 0.3), np.eye(4)
    upright[:3, :3] = 3 * np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    upright[:3, 3] = 1, 2, 3
    arrays.notes = SplatNotes(upright=upright)
    splat_ply.write(tmp_path / "up.ply", arrays)
    bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / "up.ply"))
    bpy.context.view_layer.update()
    np.testing.assert_allclose(np.array(bpy.context.object.matrix_world), upright, atol=1e-6)
    bpy.ops.splatsmith.export_splats(filepath=str(tmp_path / "out.ply"))
    back = splat_ply.read(tmp_path / "out.ply")
    np.testing.assert_array_equal(back.means, arrays.means)
    assert back.notes.upright is not None
    np.testing.assert_allclose(back.notes.upright, upright, atol=1e-6)


def test_without_a_word_a_floor_is_put_level(bpy: Any, tmp_path: Path) -> None:
    arrays, random = cloud_of(900, 1.0), np.random.default_rng(0)
    arrays.means[:, 1] = 0.01 * random.normal(size=900)  # y points down
    arrays.quats[:] = 1, 0, 0, 0
    arrays.log_scales[:] = -3, -6, -3
    arrays.opacity_logits[:] = 3
    tilt = np.eye(4)
    tilt[1:3, 1:3] = [[math.cos(0.4), -math.sin(0.4)], [math.sin(0.4), math.cos(0.4)]]
    splat_ply.write(tmp_path / "floor.ply", splat_moves.moved(arrays, tilt))
    bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / "floor.ply"))
    bpy.context.view_layer.update()
    up = np.array(bpy.context.object.matrix_world)[:3, :3] @ tilt[:3, :3] @ [0, -1, 0]
    np.testing.assert_allclose(up, [0, 0, 1], atol=0.02)


MOVED = (3.0, -1.0, 2.0), (0.3, 0.7, -0.2), 2.5


def move(bpy: Any, cloud: Any) -> np.ndarray:
    cloud.location, cloud.rotation_euler = MOVED[0], MOVED[1]
    cloud.scale = (MOVED[2],) * 3
    bpy.context.view_layer.update()
    return np.array(cloud.matrix_basis)


def alike(a: SplatArrays, b: SplatArrays) -> None:
    np.testing.assert_allclose(a.means, b.means, atol=1e-4)
    np.testing.assert_allclose(a.log_scales, b.log_scales, atol=1e-4)
    np.testing.assert_allclose(a.sh, b.sh, atol=1e-4)
    np.testing.assert_allclose(
        splat_moves.matrices_of(a.quats), splat_moves.matrices_of(b.quats), atol=1e-4
    )


def test_what_was_moved_is_exported_moved(bpy: Any, splat_file: Path, tmp_path: Path) -> None:
    """Places, sizes, turns, and the colours that follow the view."""
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    matrix = move(bpy, bpy.context.object)
    bpy.ops.splatsmith.export_splats(filepath=str(tmp_path / "out.ply"))
    before = splat_ply.read(splat_file)
    alike(splat_ply.read(tmp_path / "out.ply"), splat_moves.moved(before, matrix))
    bpy.ops.splatsmith.export_splats(filepath=str(tmp_path / "out.ply"), in_scene=True)
    world = np.array(bpy.context.object.matrix_world)
    alike(splat_ply.read(tmp_path / "out.ply"), splat_moves.moved(before, world))


def test_the_transform_becomes_the_splats_own(bpy: Any, cloud: Any, rooms: Any) -> None:
    splats = rooms("scene.splats.splats")
    before, labels = splats.read(cloud), rooms("scene.objects.objects").numbers_of(cloud)
    matrix = move(bpy, cloud)
    assert bpy.ops.splatsmith.apply_transform() == {"FINISHED"}
    assert cloud.matrix_basis == cloud.matrix_basis.Identity(4)
    alike(splats.read(cloud), splat_moves.moved(before, matrix))
    np.testing.assert_array_equal(rooms("scene.objects.objects").numbers_of(cloud), labels)


def test_flattened_splats_are_refused_with_a_sentence(bpy: Any, cloud: Any) -> None:
    cloud.scale = (1, 0, 1)
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="scaled to nothing"):
        bpy.ops.splatsmith.apply_transform()


def test_footage_plays_in_real_time(bpy: Any, capture_folder: Path, tmp_path: Path) -> None:
    from backend.formats import capture as captures

    capture = captures.read(capture_folder)
    for rate in (10.0, 29.97, 0.5):
        timed = [replace(f, time=3 + i / rate) for i, f in enumerate(capture.frames)]
        captures.write(capture.root, timed, capture.points)
        bpy.ops.splatsmith.import_capture(directory=str(capture_folder))
        render = bpy.context.scene.render
        assert render.fps / render.fps_base == pytest.approx(rate, rel=1e-3)
    captures.write(capture.root, capture.frames, capture.points)
