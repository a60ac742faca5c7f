"""Animated meshes in Blender: they play, get bones, come from folders of files, and stay when the
add-on goes.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .waves import grid, waving


def test_plays_what_the_file_says(bpy: Any, rooms: Any, wave: Any) -> None:
    expected = waving().positions
    shown = rooms("scene.meshes.mesh_sequence").evaluated_frames(
        bpy.context, wave, list(range(1, 10))
    )
    assert np.abs(shown - expected).max() < 1e-5
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1, 9)
    bpy.context.scene.frame_set(3, subframe=0.5)  # motion blur looks between the frames
    between = rooms("scene.meshes.mesh_sequence").world_vertices(bpy.context, wave)
    assert np.abs(between - (expected[2] + expected[3]) / 2).max() < 1e-5


def test_long_sequences_go_into_a_cache_and_play_fast_enough(
    bpy: Any, rooms: Any, tmp_path: Path
) -> None:
    from backend.formats.mesh_sequence import MeshSequence

    rest, faces = grid(316)  # 100,000 vertices
    lift = np.sin(np.arange(50) / 8).astype(np.float32)
    positions = (
        rest[None]
        + np.stack([np.zeros(50, np.float32), np.zeros(50, np.float32), lift], 1)[:, None]
    )
    sequence = MeshSequence(
        rest=rest,
        faces=faces,
        positions=positions,
        seconds=np.arange(50) / 24,
        colors=np.full_like(rest, 0.5),
    )
    collection = bpy.data.collections.new("long")
    bpy.context.scene.collection.children.link(collection)
    module = rooms("scene.meshes.mesh_sequence")
    obj = module.import_sequence(sequence, tmp_path / "mesh.npz", None, "long", collection, None)
    assert obj.modifiers[0].type == "MESH_CACHE" and (tmp_path / "mesh.pc2").is_file()
    shown = module.evaluated_frames(bpy.context, obj, [1, 20, 50])
    assert np.abs(shown - positions[[0, 19, 49]]).max() == 0
    seconds = []
    for frame in range(1, 51):
        begun = time.process_time()
        bpy.context.scene.frame_set(frame)
        mesh = obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        assert (
            mesh.corner_normals[0].vector.length > 0 and mesh.vertex_normals[0].vector.length > 0
        )  # what a viewport needs
        seconds.append(time.process_time() - begun)
    rate = 1 / np.median(seconds)  # other work on the machine delays some frames
    print(f"{rate:.0f} frames a second at 100,000 vertices")
    assert rate > 24


def test_any_moving_mesh_gets_bones(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    """A mesh that a modifier bends, under a parent: bones are found in the backend, then baked."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=14, y_subdivisions=6, size=2)
    obj, scene = bpy.context.object, bpy.context.scene
    bend = obj.modifiers.new("bend", "SIMPLE_DEFORM")
    bend.deform_method, bend.deform_axis = "BEND", "Z"
    scene.frame_start, scene.frame_end = 3, 14
    for frame, angle in ((3, 0.0), (14, 1.2)):
        bend.angle = angle
        bend.keyframe_insert("angle", frame=frame)
    obj.location = (1, 2, 3)
    with pytest.raises(RuntimeError, match="Find Bones"):
        bpy.ops.splatsmith.bake_mesh(filepath=str(tmp_path / "grid.glb"))
    assert bpy.ops.splatsmith.find_bones(bones=12) == {"FINISHED"}
    bake = rooms("scene.meshes.mesh_bake")
    done = bake.bake(bpy.context, obj, tmp_path / "grid.glb", "SKIN_GLB")
    assert done.frames == 12 and done.error < 0.02


def write_obj(path: Path, lift: float, side: int = 5) -> None:
    rest, faces = grid(side)
    lines = [f"v {x:.6f} {y:.6f} {z + lift:.6f}" for x, y, z in rest] + [
        f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces
    ]
    path.write_text("\n".join(lines))


def test_a_folder_of_files_becomes_one_object(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in (1, 2, 10, 9):
        write_obj(folder / f"wave_{number}.obj", 0.1 * number)
    assert bpy.ops.splatsmith.import_mesh_files(directory=str(folder)) == {"FINISHED"}
    obj = bpy.context.object
    assert len([o for o in bpy.data.objects if o.type == "MESH"]) == 1
    shown = rooms("scene.meshes.mesh_sequence").evaluated_frames(bpy.context, obj, [1, 2, 9, 10])
    assert np.abs(lifts(shown) - [0, 0.1, 0.8, 0.9]).max() < 1e-4, "numbers keep their gaps"
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1, 10)
    write_obj(folder / "wave_11.obj", 0, side=4)
    with pytest.raises(RuntimeError, match="not one mesh that moves"):
        bpy.ops.splatsmith.import_mesh_files(directory=str(folder), follow=False)
    (folder / "wave_11.obj").write_text("")
    with pytest.raises(RuntimeError, match="is empty"):
        bpy.ops.splatsmith.import_mesh_files(directory=str(folder))
    assert len([o for o in bpy.data.objects if o.type == "MESH"]) == 1


def lifts(shown: np.ndarray) -> np.ndarray:
    """How far the middle of a mesh has gone, in every frame; OBJ's axes are not Blender's."""
    return np.linalg.norm(shown.mean(1) - shown.mean(1)[0], axis=1)


def test_meshes_of_other_topologies_are_followed_by_the_first(
    bpy: Any, rooms: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    for number, side in enumerate((9, 11, 10)):
        write_obj(folder / f"wave_{number}.obj", 0.1 * number, side)
    assert bpy.ops.splatsmith.import_mesh_files(directory=str(folder)) == {"FINISHED"}
    obj = bpy.context.object
    assert len(obj.data.vertices) == 81 and obj.data.shape_keys is not None
    shown = rooms("scene.meshes.mesh_sequence").evaluated_frames(bpy.context, obj, [1, 2, 3])
    assert np.abs(lifts(shown) - [0, 0.1, 0.2]).max() < 0.01


def test_large_sequences_are_never_held(
    bpy: Any, rooms: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    for number in range(4):
        write_obj(folder / f"wave_{number}.obj", 0.1 * number)
    monkeypatch.setattr(rooms("scene.meshes.mesh_sequence"), "MOST_KEYED", 60)
    assert bpy.ops.splatsmith.import_mesh_files(directory=str(folder)) == {"FINISHED"}
    obj = bpy.context.object
    assert obj.modifiers[0].type == "MESH_CACHE"
    shown = rooms("scene.meshes.mesh_sequence").evaluated_frames(bpy.context, obj, [1, 2, 3, 4])
    assert np.abs(lifts(shown) - [0, 0.1, 0.2, 0.3]).max() < 1e-5
    before = len(bpy.data.collections)
    write_obj(folder / "wave_4.obj", 0, side=4)
    with pytest.raises(RuntimeError, match="not one mesh that moves"):
        bpy.ops.splatsmith.import_mesh_files(directory=str(folder))
    assert len(bpy.data.collections) == before
    assert len(list((tmp_path / "results").rglob("*.pc2"))) == 1 and not list(
        (tmp_path / "results").rglob(".part*")
    )


def test_meshes_of_changing_topology_play_without_the_addon(
    bpy: Any, rooms: Any, tmp_path: Path
) -> None:
    from backend.formats import mesh_frames
    from backend.formats.mesh_frames import MeshFrame, MeshFrames

    frames = []
    for number in range(5):
        rest, faces = grid(5 + number)
        colors = np.full_like(rest, 0.1 * number)
        frames.append(
            MeshFrame(
                rest + np.array([0, 0, number], np.float32),
                faces,
                colors,
                np.arange(len(rest), dtype=np.int32),
            )
        )
    tracks = np.repeat(frames[0].vertices[None], 5, 0)
    (tmp_path / "free").mkdir()
    path = tmp_path / "free" / mesh_frames.NAME
    mesh_frames.write(
        path,
        MeshFrames(
            frames=frames,
            seconds=np.arange(5) / 24,
            canonical=frames[0].vertices,
            canonical_faces=frames[0].faces,
            canonical_tracks=tracks,
        ),
    )
    assert bpy.ops.splatsmith.import_mesh(filepath=str(path)) == {"FINISHED"}
    obj = bpy.context.object
    assert [m.type for m in obj.modifiers] == ["MESH_SEQUENCE_CACHE"]
    for number, frame in enumerate(frames, 1):
        bpy.context.scene.frame_set(number)
        shown = rooms("scene.meshes.mesh_sequence").world_vertices(bpy.context, obj)
        assert shown.shape == frame.vertices.shape and np.abs(shown - frame.vertices).max() < 1e-5
    mesh = obj.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    ids = np.empty(len(mesh.vertices), np.int32)
    mesh.attributes["id"].data.foreach_get("value", ids)
    assert np.array_equal(ids, frames[-1].ids) and "displayColor" in mesh.attributes
    with pytest.raises(RuntimeError, match="vertices in frame"):
        bpy.ops.splatsmith.bake_mesh(filepath=str(tmp_path / "x.glb"))
    obj.location = (1, 2, 3)
    done = rooms("scene.meshes.mesh_bake").bake(bpy.context, obj, tmp_path / "x.usdc", "USD")
    assert done.path.is_file() and done.error < 1e-5
    assert bpy.ops.splatsmith.one_mesh() == {"FINISHED"}
    one = bpy.context.object
    assert (
        one != obj
        and tuple(one.location) == (1, 2, 3)
        and len(one.data.vertices) == 25
        and one.data.shape_keys is not None
    )


def test_an_outline_becomes_a_mask_of_its_frame(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    from backend.formats import capture

    folder, settings = tmp_path / "clip", bpy.context.scene.splatsmith
    folder.mkdir()
    capture.write(
        folder,
        [
            capture.Frame(
                image=folder / "images" / f"{k:04d}.png",
                camera_to_world=np.eye(4),
                fl_x=60.0,
                fl_y=60.0,
                cx=32,
                cy=24,
                width=64,
                height=48,
                time=k / 24,
            )
            for k in (1, 2, 3)
        ],
        None,
    )
    settings.capture = str(folder)
    mask = bpy.data.masks.new("outline")
    spline = mask.layers.new(name="object").splines.new()
    spline.points.add(3)
    for point, (x, y) in zip(
        spline.points, ((0.25, 0.5), (0.5, 0.5), (0.5, 0.75), (0.25, 0.75)), strict=True
    ):
        point.co = point.handle_left = point.handle_right = (x, y)
    hole = mask.layers[0].splines.new()
    hole.points.add(3)
    for point, (x, y) in zip(
        hole.points,
        ((0.375, 0.625), (0.4375, 0.625), (0.4375, 0.6875), (0.375, 0.6875)),
        strict=True,
    ):
        point.co = point.handle_left = point.handle_right = (x, y)
    corner = mask.layers.new(name="cut off")
    corner.blend = "MERGE_SUBTRACT"
    cut = corner.splines.new()
    cut.points.add(3)
    for point, (x, y) in zip(
        cut.points, ((0.0, 0.0), (0.3125, 0.0), (0.3125, 1.0), (0.0, 1.0)), strict=True
    ):
        point.co = point.handle_left = point.handle_right = (x, y)
    settings.mesh_outline = mask
    bpy.context.scene.frame_set(2)
    assert bpy.ops.splatsmith.mask_frame() == {"FINISHED"}
    path = folder / "object_masks" / "0002.png"
    assert Path(settings.mesh_masks) == path.parent
    image = bpy.data.images.load(str(path))
    white = np.array(image.pixels[:]).reshape(48, 64, 4)[..., 0] > 0.5
    expected = np.zeros_like(white)
    expected[24:40, 16:32] = True  # the longer side, 64, is the unit; its middle is the picture's
    expected[32:36, 24:28] = False
    expected[:, :20] = False
    assert np.array_equal(white, expected)
    pole = mask.layers.new(name="Hidden by a pole").splines.new()
    pole.points.add(3)
    for point, (x, y) in zip(
        pole.points, ((0.375, 0.0), (0.4375, 0.0), (0.4375, 1.0), (0.375, 1.0)), strict=True
    ):
        point.co = point.handle_left = point.handle_right = (x, y)
    assert bpy.ops.splatsmith.mask_frame() == {"FINISHED"}
    image = bpy.data.images.load(str(path))
    values = (np.array(image.pixels[:]).reshape(48, 64, 4)[..., 0] * 255).round()
    assert (values[:, 24:28] == 128).all()
    rest = np.delete(np.arange(64), np.arange(24, 28))
    assert np.array_equal(values[:, rest] > 200, expected[:, rest])
    bpy.context.scene.frame_set(9)
    with pytest.raises(RuntimeError, match="no frame 9"):
        bpy.ops.splatsmith.mask_frame()


@pytest.mark.parametrize("native", [True, False])
def test_splats_are_no_animated_mesh(
    bpy: Any, rooms: Any, splat_file: Path, monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    """Where Blender can't make point clouds, as 4.3, they are a mesh with a modifier."""
    if not native:
        clouds = rooms("scene.splats.pointclouds")
        monkeypatch.setattr(clouds, "_can_resize", lambda: False)
        monkeypatch.setattr(clouds, "_can_convert", lambda: False)
    assert bpy.ops.splatsmith.import_splats(filepath=str(splat_file)) == {"FINISHED"}
    cloud = bpy.context.object
    assert cloud.type == ("POINTCLOUD" if native else "MESH")
    assert not rooms("scene.meshes.mesh_sequence").is_animated_mesh(cloud)
    assert not bpy.ops.splatsmith.bake_mesh.poll()
    assert not bpy.ops.splatsmith.find_bones.poll()


def test_bones_are_not_offered_for_what_does_not_move(bpy: Any, rooms: Any, wave: Any) -> None:
    moves = rooms("scene.meshes.moving").moves
    assert moves(wave)
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    cube.modifiers.new("Smooth", "SUBSURF")
    assert not moves(cube)
    assert not bpy.ops.splatsmith.find_bones.poll()
    cube.parent = bpy.data.objects.new("Carrier", None)
    assert not moves(cube)
    cube.parent.keyframe_insert("location", frame=1)
    assert moves(cube), "its parent does"
    cube.parent = None
    cube.shape_key_add(name="Basis")
    assert not moves(cube)
    cube.shape_key_add(name="Big").keyframe_insert("value", frame=1)
    assert moves(cube)
    assert bpy.ops.splatsmith.find_bones.poll()
