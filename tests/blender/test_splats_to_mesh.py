"""*Splats to Mesh*: what is asked of the backend, and what comes of its result."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.formats import mesh_sequence, splat_ply
from backend.formats.mesh_sequence import MeshSequence


@pytest.fixture
def asked(rooms: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Requests, which nobody works on."""
    requests: list[Any] = []

    def run(_operator: Any, _context: Any, request: Any, _folder: Path) -> set[str]:
        requests.append(request)
        return {"FINISHED"}

    monkeypatch.setattr(rooms("operators.surfacing"), "run_in_folder", run)
    return requests


def test_what_is_shown_or_selected_is_asked_for(
    bpy: Any, rooms: Any, splat_file: Path, asked: list[Any]
) -> None:
    assert not bpy.ops.splatsmith.splats_to_mesh.poll(), "there are no splats"
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    cloud, marks = bpy.context.object, rooms("scene.splats.marks")
    count = len(splat_ply.read(splat_file))
    hidden = np.arange(count) < 10
    marks.write(cloud, marks.HIDDEN, hidden)
    assert bpy.ops.splatsmith.splats_to_mesh(closed=True) == {"FINISHED"}
    marks.write(cloud, marks.SELECTED, np.arange(count) % 2 == 0)
    assert bpy.ops.splatsmith.splats_to_mesh() == {"FINISHED"}
    shown, selected = (len(splat_ply.read(Path(request.input))) for request in asked)
    assert shown == count - 10 and selected == (count - 10) // 2
    assert asked[0].options.closed and not asked[1].options.closed
    assert asked[0].options.capture == "", "they came alone"


def test_cameras_come_from_the_capture_that_splats_hang_from(
    bpy: Any, rooms: Any, splat_file: Path, asked: list[Any], tmp_path: Path
) -> None:
    (tmp_path / "capture").mkdir()
    (tmp_path / "capture" / "transforms.json").write_text("{}")
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    key = rooms("scene.captures.collections").ROOT_KEY
    bpy.context.object.parent[key] = str(tmp_path / "capture")
    assert bpy.ops.splatsmith.splats_to_mesh(paint="photos") == {"FINISHED"}
    assert asked[0].options.capture == str(tmp_path / "capture")
    assert asked[0].options.paint == "photos"


def tetrahedron(bpy: Any, folder: Path) -> None:
    """A result as the backend leaves it."""
    rest = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)
    sequence = MeshSequence(
        rest=rest,
        faces=faces,
        positions=rest[None],
        seconds=np.zeros(1),
        colors=np.full((4, 3), 0.8, np.float32),
        uvs=np.tile(np.array([[0, 0], [1, 0], [0, 1]], np.float32), (4, 1, 1)),
    )
    folder.mkdir(parents=True)
    mesh_sequence.write(folder / "mesh.npz", sequence)
    image = bpy.data.images.new("texture", 8, 8)
    image.filepath_raw, image.file_format = str(folder / "texture.png"), "PNG"
    image.save()
    bpy.data.images.remove(image)
    (folder / "manifest.json").write_text(json.dumps({"timings": {}}))


@pytest.mark.parametrize("kind", [".glb", ".fbx", ".usdc"])
def test_a_still_mesh_is_written_with_coarser_ones(bpy: Any, tmp_path: Path, kind: str) -> None:
    """In its place, one root, its UVs; a cube that moves is for another button."""
    bpy.ops.mesh.primitive_uv_sphere_add(segments=48, ring_count=24, location=(3, 0, 0))
    still = bpy.context.object
    still.name, still.scale = "Ball", (2, 2, 2)
    path = tmp_path / f"ball{kind}"
    assert bpy.ops.splatsmith.export_still(filepath=str(path), kind=kind) == {"FINISHED"}
    assert bpy.context.object is still and still.select_get() and len(bpy.data.objects) == 1
    still.keyframe_insert("location", frame=1)
    assert not bpy.ops.splatsmith.export_still.poll()
    bpy.ops.object.delete()
    if kind == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif kind == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        bpy.ops.wm.usd_import(filepath=str(path))
    bpy.context.view_layer.update()
    levels = sorted((o for o in bpy.data.objects if o.type == "MESH"), key=lambda o: o.name)
    assert [o.name for o in levels] == ["Ball_LOD0", "Ball_LOD1", "Ball_LOD2"]
    counts = []
    for one in levels:
        one.data.calc_loop_triangles()
        counts.append(len(one.data.loop_triangles))
        corners = np.array([one.matrix_world @ v.co for v in one.data.vertices])
        np.testing.assert_allclose(corners.mean(0), [3, 0, 0], atol=0.1)
        assert 3.7 < np.ptp(corners[:, 2]) < 4.01
        assert one.data.uv_layers
    assert counts[0] == 2208 and counts[1] == pytest.approx(0.4 * 2208, rel=0.05)
    roots = {o for o in bpy.data.objects if o.parent is None}
    assert len(roots) == 1
    assert not list(tmp_path.glob("part-*"))


def test_the_mesh_takes_the_splats_place(
    bpy: Any, rooms: Any, splat_file: Path, tmp_path: Path
) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    cloud = bpy.context.object
    cloud.location = (1, 2, 3)
    tetrahedron(bpy, tmp_path / "result")
    line = rooms("scene.mesh_results").import_surface(
        bpy.context, tmp_path / "result", cloud.name, cloud.name
    )
    still = bpy.context.object
    assert still.type == "MESH" and len(still.data.polygons) == 4 and still.select_get()
    assert "4 triangles" in line and f"{cloud.name} is hidden now" in line
    assert still.parent == cloud.parent
    bpy.context.view_layer.update()
    np.testing.assert_allclose(np.array(still.matrix_world), np.array(cloud.matrix_world))
    assert still.users_collection == cloud.users_collection
    assert cloud.hide_get() and cloud.hide_render
    assert still.data.shape_keys is None and still.data.uv_layers
    nodes = still.data.materials[0].node_tree.nodes
    assert [n.image.size[:] for n in nodes if n.type == "TEX_IMAGE"] == [(8, 8)]
    assert not rooms("scene.meshes.moving").moves(still), "nothing offers to bake or to find bones"
    again = rooms("scene.mesh_results").import_surface(
        bpy.context, tmp_path / "result", "Gone Splats", "Gone Splats"
    )
    assert "hidden" not in again and bpy.context.object.name == "Gone Mesh"
