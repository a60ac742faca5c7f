"""What was filmed for so many seconds lasts so many: cameras, footage, meshes, caches, bakes."""

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .backgrounds import shown_picture
from .test_captures import make_capture, root_of
from .waves import grid, waving

# 40 moments over 4.08 s at 24 frames a second, with a pause of 60 frames: they once played 1.63 s
GAP = np.concatenate([np.arange(20), np.arange(20) + 79.0]) / 24
KINDS = ("SKIN_GLB", "SKIN_FBX", "SKIN_USD", "MORPH_GLB", "VAT", "ALEMBIC", "USD")
RATES = {"24": (24, 1.0), "23.976": (24, 1.001), "30": (30, 1.0), "9.56": (10, 10 / 9.56)}


def timed_capture(bpy: Any, folder: Path, times: list[float], **told: Any) -> Path:
    """A picture at each time."""
    make_capture(bpy, folder)
    path = folder / "transforms.json"
    record = json.loads(path.read_text())
    template = record["frames"][0]
    record["frames"] = []
    for number, time in enumerate(times, 1):
        name = f"images/{number:04d}.png"
        if number > 3:
            (folder / name).write_bytes((folder / "images/0001.png").read_bytes())
        pose = np.eye(4)
        pose[0, 3] = time  # moves one unit a second
        frame = {**template, "file_path": name, "transform_matrix": pose.tolist(), "time": time}
        frame["depth_file_path"] = "depths/0001.exr"
        record["frames"].append(frame)
    path.write_text(json.dumps({**record, **told}))
    return folder


def bring_in(bpy: Any, folder: Path, capfd: Any) -> str:
    capfd.readouterr()
    assert bpy.ops.splatsmith.import_capture(directory=str(folder)) == {"FINISHED"}
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("Info: ")]
    return str(lines[-1])


def rate(scene: Any) -> float:
    return float(scene.render.fps / scene.render.fps_base)


def camera_x(bpy: Any, frame: int) -> float:
    scene = bpy.context.scene
    scene.frame_set(frame)
    return float(scene.camera.location.x)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30000 / 1001, 60.0])
def test_cameras_lie_where_their_pictures_were_taken(
    bpy: Any, tmp_path: Path, capfd: Any, fps: float
) -> None:
    numbers = [0, 1, 2, 4, 5, 90, 91, 97]
    times = [3.2 + n / fps for n in numbers]
    text = bring_in(bpy, timed_capture(bpy, tmp_path / "c", times, fps=fps), capfd)
    scene = bpy.context.scene
    assert rate(scene) == pytest.approx(fps, rel=1e-6)
    assert (scene.frame_start, scene.frame_end) == (1, 98)
    for number, time in zip(numbers, times, strict=True):
        assert camera_x(bpy, number + 1) == pytest.approx(time, abs=1e-5)
    assert "no picture between frames 6 and 91" in text


def test_the_rate_is_found_where_the_capture_tells_none(
    bpy: Any, tmp_path: Path, capfd: Any
) -> None:
    bring_in(bpy, timed_capture(bpy, tmp_path / "c", GAP.tolist()), capfd)
    assert rate(bpy.context.scene) == pytest.approx(24)
    assert bpy.context.scene.frame_end == 99


def test_times_off_the_grid_are_kept(bpy: Any, rooms: Any, tmp_path: Path, capfd: Any) -> None:
    """A phone's variable frame rate."""
    times = np.cumsum([0, 0.033, 0.051, 0.034, 0.09, 0.033]).tolist()
    bring_in(bpy, timed_capture(bpy, tmp_path / "c", times, fps=30.0), capfd)
    scene = bpy.context.scene
    for time in times:
        rooms("scene.meshes.timeline").go_to(scene, 1 + 30 * time)
        assert scene.camera.location.x == pytest.approx(time, abs=0.004)
    assert scene.frame_end == 9


@pytest.mark.parametrize("times", [[0.0, 0.5, 0.5], [0.0, 1e9, 2e9]])
def test_pictures_without_usable_times_lie_one_a_frame(
    bpy: Any, tmp_path: Path, capfd: Any, times: list[float]
) -> None:
    bring_in(bpy, timed_capture(bpy, tmp_path / "c", times, fps=24.0), capfd)
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end, rate(scene)) == (1, 3, 24)


@pytest.mark.parametrize("fps", ["24", -1, True, None, 1e12, [24]])
def test_a_rate_that_is_none_is_left_aside(bpy: Any, tmp_path: Path, capfd: Any, fps: Any) -> None:
    bring_in(bpy, timed_capture(bpy, tmp_path / "c", [0, 1 / 24, 2 / 24], fps=fps), capfd)
    assert rate(bpy.context.scene) == pytest.approx(24)


def test_the_footage_behind_the_camera_keeps_time(bpy: Any, tmp_path: Path, capfd: Any) -> None:
    bring_in(bpy, timed_capture(bpy, tmp_path / "c", GAP.tolist(), fps=24.0), capfd)
    user = bpy.context.scene.camera.data.background_images[0].image_user
    for frame, picture in ((1, 1), (20, 20), (50, 20), (79, 20), (80, 21), (99, 40)):
        bpy.context.scene.frame_set(frame)
        assert shown_picture(user, frame) == picture


def test_what_asks_for_a_picture_gets_the_one_that_is_shown(
    bpy: Any, rooms: Any, tmp_path: Path, capfd: Any
) -> None:
    folder = timed_capture(bpy, tmp_path / "c", [0, 0.5, 2.0], fps=24.0)
    shown = [{"image": f"{k:04d}.png", "confidence": c} for k, c in ((1, 0.9), (2, 0.5), (3, 0.1))]
    verdict = {"level": "weak", "kind": "moving"}
    (folder / "manifest.json").write_text(json.dumps({"verdict": verdict, "pictures": shown}))
    bring_in(bpy, folder, capfd)
    scene, now = bpy.context.scene, rooms("scene.captures.verdict").confidence_now
    for frame, confidence in ((1, 0.9), (12, 0.9), (13, 0.5), (48, 0.5), (49, 0.1)):
        scene.frame_set(frame)
        assert now(bpy.context, root_of(bpy)) == pytest.approx(confidence)
    scene.frame_set(30)
    assert bpy.ops.splatsmith.depth_mesh() == {"FINISHED"}
    surface = next(o for o in bpy.data.objects if "Depth" in o.name)
    assert surface.matrix_basis.translation.x == pytest.approx(0.5), "the second picture's"
    mask = bpy.data.masks.new("outline")
    spline = mask.layers.new(name="object").splines.new()
    spline.points.add(3)
    for point, place in zip(spline.points, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        point.co = point.handle_left = point.handle_right = place
    scene.splatsmith.mesh_outline = mask
    assert bpy.ops.splatsmith.mask_frame() == {"FINISHED"}
    assert [p.name for p in (folder / "object_masks").iterdir()] == ["0002.png"]
    scene.frame_set(60)
    assert now(bpy.context, root_of(bpy)) is None
    with pytest.raises(RuntimeError, match=r"no frame 60.*1 to 49"):
        bpy.ops.splatsmith.mask_frame()


def test_tracks_clip_says_that_it_knows_no_pauses(bpy: Any, tmp_path: Path, capfd: Any) -> None:
    bring_in(bpy, timed_capture(bpy, tmp_path / "c", [0, 0.5, 2.0], fps=24.0), capfd)
    capfd.readouterr()
    bpy.ops.splatsmith.tracks_clip()
    assert "without the footage's pauses" in capfd.readouterr().out


# ---- meshes


def write_wave(folder: Path, seconds: Any = GAP) -> tuple[Path, Any]:
    from backend.formats import mesh_sequence

    sequence = replace(waving(frames=len(seconds)), seconds=np.asarray(seconds))
    folder.mkdir()
    mesh_sequence.write(folder / "mesh.npz", sequence)
    return folder / "mesh.npz", sequence


def lasts(bpy: Any) -> float:
    scene = bpy.context.scene
    return (scene.frame_end - scene.frame_start) / rate(scene)


def shown(bpy: Any, rooms: Any, obj: Any, second: float) -> np.ndarray:
    scene = bpy.context.scene
    rooms("scene.meshes.timeline").go_to(scene, 1 + second * rate(scene))
    found = rooms("scene.meshes.mesh_sequence").world_vertices(bpy.context, obj)
    return np.asarray(found)


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("cached", [False, True])
def test_a_mesh_plays_as_long_as_it_was_filmed(
    bpy: Any,
    rooms: Any,
    tmp_path: Path,
    name: str,
    cached: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if cached:
        monkeypatch.setattr(rooms("scene.meshes.mesh_sequence"), "MOST_KEYED", 10)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = RATES[name]
    path, sequence = write_wave(tmp_path / "wave")
    assert bpy.ops.splatsmith.import_mesh(filepath=str(path)) == {"FINISHED"}
    obj = bpy.context.object
    assert (obj.data.shape_keys is None) == cached
    assert rate(bpy.context.scene) == pytest.approx(RATES[name][0] / RATES[name][1])
    assert GAP[-1] - 1e-3 <= lasts(bpy) < GAP[-1] + 1 / rate(bpy.context.scene)
    for k in (0, 7, 19, 20, 39):
        found = shown(bpy, rooms, obj, GAP[k])
        assert np.abs(found - sequence.positions[k]).max() < 2e-3
    between = shown(bpy, rooms, obj, (GAP[19] + GAP[20]) / 2)
    wanted = (sequence.positions[19] + sequence.positions[20]) / 2
    assert np.abs(between - wanted).max() < 2e-3


def test_a_mesh_keeps_step_with_its_cameras(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    """It comes into the picture a second after the footage begins; an artist's rate has changed
    since the cameras came.
    """
    folder = timed_capture(bpy, tmp_path / "c", [k / 10 for k in range(31)], fps=30.0)
    results = rooms("scene.mesh_results")
    path, sequence = write_wave(tmp_path / "wave", np.arange(10, 31) / 10)
    bpy.ops.splatsmith.import_capture(directory=str(folder))
    results.import_mesh(bpy.context, path, "wave", str(folder))
    obj, scene = bpy.context.object, bpy.context.scene
    assert (scene.frame_start, scene.frame_end) == (1, 91)
    inverse = np.linalg.inv(np.array(obj.matrix_world))
    for k, frame in ((0, 31), (5, 46), (20, 91)):
        scene.frame_set(frame)
        assert scene.camera.location.x == pytest.approx(1 + k / 10, abs=1e-5)
        found = rooms("scene.meshes.mesh_sequence").world_vertices(bpy.context, obj)
        local = found @ inverse[:3, :3].T + inverse[:3, 3]
        assert np.abs(local - sequence.positions[k]).max() < 1e-4
    scene.render.fps = 25
    results.import_mesh(bpy.context, path, "late", str(folder))
    assert bpy.context.object["splatsmith_moments"][0] == 31


def test_photos_with_a_told_rate_play_by_it(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    folder = make_capture(bpy, tmp_path / "photos")
    path, _ = write_wave(tmp_path / "wave", np.arange(3) / 5)
    text = rooms("scene.mesh_results").import_mesh(bpy.context, path, "wave", str(folder), 5.0)
    scene = bpy.context.scene
    assert "3 frames" in text and rate(scene) == 5.0
    assert (scene.frame_start, scene.frame_end) == (1, 3)
    assert list(bpy.context.object["splatsmith_moments"]) == [1, 2, 3]


def test_meshes_of_changing_topology_keep_time(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    from backend.formats import mesh_frames
    from backend.formats.mesh_frames import MeshFrame, MeshFrames

    frames = []
    for number in range(4):
        rest, faces = grid(5 + number % 2)
        places = rest + np.array([0, 0, number], np.float32)
        ids = np.arange(len(rest), dtype=np.int32)
        frames.append(MeshFrame(places, faces, np.full_like(rest, 0.5), ids))
    seconds = np.array([0.0, 0.25, 2.0, 2.25])
    tracks = np.repeat(frames[0].vertices[None], 4, 0)
    path = tmp_path / mesh_frames.NAME
    mesh_frames.write(
        path,
        MeshFrames(
            frames=frames,
            seconds=seconds,
            canonical=frames[0].vertices,
            canonical_faces=frames[0].faces,
            canonical_tracks=tracks,
        ),
    )
    bpy.context.scene.render.fps = 12
    assert bpy.ops.splatsmith.import_mesh(filepath=str(path)) == {"FINISHED"}
    obj, scene = bpy.context.object, bpy.context.scene
    assert (scene.render.fps, scene.frame_end) == (12, 28)
    for frame, number in ((1, 0), (3, 0), (4, 1), (10, 1), (24, 1), (25, 2), (28, 3)):
        scene.frame_set(frame)
        found = rooms("scene.meshes.mesh_sequence").world_vertices(bpy.context, obj)
        assert found.shape == frames[number].vertices.shape
        assert np.abs(found - frames[number].vertices).max() < 1e-5
    done = rooms("scene.meshes.mesh_bake").bake(bpy.context, obj, tmp_path / "x.usdc", "USD")
    assert done.in_time and done.seconds == pytest.approx(2.25) and not done.notes


# ---- files


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("kind", KINDS)
def test_baked_files_last_as_long(
    bpy: Any, rooms: Any, tmp_path: Path, kind: str, name: str
) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = RATES[name]
    path, _ = write_wave(tmp_path / "wave")
    bpy.ops.splatsmith.import_mesh(filepath=str(path))
    before = scene.frame_end, scene.render.fps, scene.render.fps_base
    bake = rooms("scene.meshes.mesh_bake")
    done = bake.bake(bpy.context, bpy.context.object, tmp_path / f"w{bake.KINDS[kind]}", kind)
    assert done.in_time and done.seconds == pytest.approx(done.wanted, abs=1e-3)
    assert GAP[-1] - 1e-3 <= done.seconds < GAP[-1] + 1 / rate(scene)
    assert not done.notes and done.error < (0.03 if kind.startswith("SKIN") else 1e-4)
    assert (scene.frame_end, scene.render.fps, scene.render.fps_base) == before
    if kind.endswith("GLB"):  # as any other program reads it
        data = done.path.read_bytes()
        record = json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])
        inputs = {s["input"] for a in record["animations"] for s in a["samplers"]}
        last = max(record["accessors"][k]["max"][0] for k in inputs)
        assert last == pytest.approx(done.wanted, abs=1e-3)


def test_a_read_back_that_lasts_otherwise_is_told(
    bpy: Any, rooms: Any, tmp_path: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = write_wave(tmp_path / "wave")
    bpy.ops.splatsmith.import_mesh(filepath=str(path))
    durations = rooms("scene.meshes.file_durations")
    monkeypatch.setattr(durations, "of_file", lambda path, kind: 1.63)
    capfd.readouterr()
    bpy.ops.splatsmith.bake_mesh(filepath=str(tmp_path / "w.glb"))
    text = capfd.readouterr().out
    assert "Warning: w.glb" in text and "1.63 s. The scene shows it for 4.08 s" in text


def test_a_changed_frame_rate_is_told(bpy: Any, tmp_path: Path, capfd: Any) -> None:
    path, _ = write_wave(tmp_path / "wave")
    bpy.ops.splatsmith.import_mesh(filepath=str(path))
    bpy.context.scene.render.fps = 60
    capfd.readouterr()
    bpy.ops.splatsmith.bake_mesh(filepath=str(tmp_path / "w.abc"), kind="ALEMBIC")
    text = capfd.readouterr().out
    assert "Warning: w.abc" in text and "It plays 1.63 s, but was 4.08 s long" in text


def test_a_vertex_animation_tells_its_time(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    bpy.context.scene.render.fps = 30
    path, _ = write_wave(tmp_path / "wave", np.arange(31) / 30)
    bpy.ops.splatsmith.import_mesh(filepath=str(path))
    bpy.ops.splatsmith.bake_mesh(filepath=str(tmp_path / "w.png"), kind="VAT")
    note = json.loads((tmp_path / "w.json").read_text())
    assert (note["frames"], note["frames_per_second"], note["seconds"]) == (31, 30.0, 1.0)


def usd_file(rooms: Any, path: Path, codes: list[float], per_second: float | None) -> Path:
    """A triangle that moves one unit a time code."""
    pxr = rooms("scene.meshes.usd").library()
    stage = pxr.Usd.Stage.CreateNew(str(path))
    stage.SetStartTimeCode(codes[0])
    stage.SetEndTimeCode(codes[-1])
    if per_second is not None:
        stage.SetTimeCodesPerSecond(per_second)
    pxr.UsdGeom.SetStageUpAxis(stage, pxr.UsdGeom.Tokens.z)
    pxr.UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    mesh = pxr.UsdGeom.Mesh.Define(stage, "/M")
    mesh.CreateFaceVertexCountsAttr([3])
    mesh.CreateFaceVertexIndicesAttr([0, 1, 2])
    points = mesh.CreatePointsAttr()
    base = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    for code in codes:
        moved = base + np.array([code - codes[0], 0, 0], np.float32)
        points.Set(pxr.Vt.Vec3fArray.FromNumpy(moved), code)
    stage.GetRootLayer().Save()
    return path


@pytest.mark.parametrize(("per_second", "seconds"), [(12.0, 2.0), (48.0, 0.5), (None, 1.0)])
def test_a_usd_file_plays_at_its_own_rate(
    bpy: Any, rooms: Any, tmp_path: Path, per_second: float | None, seconds: float
) -> None:
    path = usd_file(rooms, tmp_path / "m.usda", [float(k) for k in range(10, 35)], per_second)
    assert bpy.ops.splatsmith.import_mesh_cache(filepath=str(path)) == {"FINISHED"}
    obj, scene = bpy.context.object, bpy.context.scene
    assert rate(scene) == 24 and lasts(bpy) == pytest.approx(seconds, abs=1e-6)
    for share in (0, 0.25, 0.5, 1):
        found = shown(bpy, rooms, obj, share * seconds)
        assert found[0, 0] == pytest.approx(24 * share, abs=1e-3)


def test_an_alembic_file_of_another_rate_lasts_as_long(
    bpy: Any, rooms: Any, tmp_path: Path
) -> None:
    scene = bpy.context.scene
    scene.render.fps = 12
    path, _ = write_wave(tmp_path / "wave", np.arange(25) / 12)
    bpy.ops.splatsmith.import_mesh(filepath=str(path))
    bpy.ops.splatsmith.bake_mesh(filepath=str(tmp_path / "w.abc"), kind="ALEMBIC")
    scene.render.fps = 30
    bpy.ops.splatsmith.import_mesh_cache(filepath=str(tmp_path / "w.abc"))
    assert lasts(bpy) == pytest.approx(2.0, abs=1 / 30)


def test_faces_are_exported_in_time(bpy: Any, rooms: Any, tmp_path: Path, capfd: Any) -> None:
    """Blender's glTF add-on takes 24 / 1.001 frames a second for 24 * 1.001."""
    from .test_face_export import contents
    from .test_talking import add_face

    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = RATES["9.56"]
    obj = add_face(bpy, "Face", ("jawOpen",))
    rooms("scene.faces.face_targets").add_target(scene, obj)
    block = obj.data.shape_keys.key_blocks["jawOpen"]
    block.data[0].co.z += 1
    scene.frame_start, scene.frame_end = 1, 101
    for frame, value in ((1, 0.0), (101, 1.0)):
        block.value = value
        block.keyframe_insert("value", frame=frame)
    capfd.readouterr()
    bpy.ops.splatsmith.export_face(filepath=str(tmp_path / "face.glb"), kind="GLTF")
    assert "101 frames, 10.46 s\n" in capfd.readouterr().out
    document, _ = contents(tmp_path / "face.glb")
    inputs = [s["input"] for a in document["animations"] for s in a["samplers"]]
    times = [document["accessors"][k] for k in inputs]
    span = max(t["max"][0] for t in times) - min(t["min"][0] for t in times)
    assert span == pytest.approx(100 / 9.56, rel=1e-4)
    assert scene.render.fps_base == pytest.approx(RATES["9.56"][1])


@pytest.mark.parametrize(("rate", "kind", "said"), [
    ((24, 1.0), "FBX", "101 frames, 4.17 s"), ((24, 1.001), "FBX", "101 frames, 4.17 s"),
    ((60, 1.0), "FBX", "101 frames, 1.67 s"), ((24, 1.0), "CSV", "101 frames, 4.17 s"),
    ((30, 1.001), "CSV", "101 frames, 3.33 s"),
    ((100, 10.46), "CSV", "101 frames, 10.00 s by its timecode, but the scene lasts 10.46 s"),
])  # fmt: skip
def test_faces_in_every_format_tell_how_long_they_last(
    bpy: Any, rooms: Any, tmp_path: Path, capfd: Any, rate: tuple[int, float], kind: str, said: str
) -> None:
    from .test_talking import add_face

    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = rate
    obj = add_face(bpy, "Face", ("jawOpen",))
    rooms("scene.faces.face_targets").add_target(scene, obj)
    block = obj.data.shape_keys.key_blocks["jawOpen"]
    block.data[0].co.z += 1
    scene.frame_start, scene.frame_end = 1, 101
    for frame, value in ((1, 0.0), (101, 1.0)):
        block.value = value
        block.keyframe_insert("value", frame=frame)
    capfd.readouterr()
    path = tmp_path / f"face.{kind.lower()}"
    bpy.ops.splatsmith.export_face(filepath=str(path), kind=kind)
    assert f"{said}\n" in capfd.readouterr().out


def test_bones_found_for_a_range_bake_in_another(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    """A shorter range, as an artist cuts it."""
    path, _ = write_wave(tmp_path / "wave", np.arange(40) / 24)
    bpy.ops.splatsmith.import_mesh(filepath=str(path))
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 11, 30
    bake = rooms("scene.meshes.mesh_bake")
    done = bake.bake(bpy.context, bpy.context.object, tmp_path / "w.glb", "SKIN_GLB")
    assert done.frames == 20 and done.error < 1e-4 and done.in_time
