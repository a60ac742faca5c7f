"""Sequences of meshes from other programs: nothing of them is lost, folded or turned inside out
without a word.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .mesh_writers import (
    CUBE,
    CUBE_QUADS,
    glb,
    obj,
    places_at,
    ply,
    stl,
    triangles_of,
    volume,
)

SHEET = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 0], [2, 1, 0]], float)
SHEET_QUADS = [(0, 1, 2, 3), (1, 4, 5, 2)]
RED_TO_GREEN = [(255 - 40 * k, 40 * k, 10) for k in range(6)]


def raised(height: float) -> np.ndarray:
    """The sheet, so far up."""
    return SHEET + np.array([0, 0, height])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "frames").mkdir()
    return tmp_path / "frames"


def bring_in(bpy: Any, folder: Path, capfd: Any, follow: bool = False) -> str:
    """Imports a folder; what the operator reported."""
    capfd.readouterr()
    done = bpy.ops.splatsmith.import_mesh_files(directory=str(folder), follow=follow)
    assert done == {"FINISHED"}
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("Info: ")]
    return str(lines[-1])


def polygons(bpy: Any) -> list[tuple[int, ...]]:
    return [tuple(p.vertices) for p in bpy.context.object.data.polygons]


# ---- topology


def folding(frame: int) -> np.ndarray:
    """The sheet, one corner of which goes across the other diagonal of its quad."""
    places = SHEET.copy()
    places[1] = [1 - 0.144 * frame, 0.126 * frame, 0]
    return places


@pytest.mark.parametrize("write", [obj, ply])
def test_quads_that_fold_stay_one_mesh(bpy: Any, folder: Path, capfd: Any, write: Any) -> None:
    for frame in range(6):
        write(folder / f"cloth_{frame:03d}.{write.__name__}", folding(frame), SHEET_QUADS)
    bring_in(bpy, folder, capfd)
    assert polygons(bpy) == SHEET_QUADS, "and stay quads"
    assert bpy.context.object.data.shape_keys is not None


def test_polygons_of_many_corners_stay_one_mesh(
    bpy: Any, rooms: Any, folder: Path, capfd: Any
) -> None:
    angle = np.arange(7) * 2 * np.pi / 7
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    for frame in range(4):
        places = ring.copy()
        places[2] *= 1 - 0.45 * frame
        obj(folder / f"gon{frame}.obj", places, [tuple(range(7))])
    bring_in(bpy, folder, capfd)
    assert polygons(bpy) == [tuple(range(7))]
    np.testing.assert_allclose(places_at(bpy, rooms, 4)[2], ring[2] * -0.35, atol=1e-5)


@pytest.mark.parametrize("kind", ["ply", "glb", "obj"])
def test_triangles_that_divide_a_quad_the_other_way_are_the_same(
    bpy: Any, rooms: Any, folder: Path, capfd: Any, kind: str
) -> None:
    """As exporters do that write triangles only."""
    other = [(0, 1, 3), (1, 2, 3), (1, 4, 2), (4, 5, 2)]
    for frame, faces in enumerate((triangles_of(SHEET_QUADS), other, triangles_of(SHEET_QUADS))):
        path = folder / f"cloth_{frame}.{kind}"
        if kind == "glb":
            glb(path, raised(frame), faces, [{}])
        else:
            {"ply": ply, "obj": obj}[kind](path, raised(frame), faces)
    bring_in(bpy, folder, capfd)
    assert len(polygons(bpy)) == 4
    assert np.ptp(places_at(bpy, rooms, 3)[:, 2] if kind != "glb" else [0]) < 1e-6


def test_other_meshes_of_as_many_vertices_are_refused(bpy: Any, folder: Path, capfd: Any) -> None:
    """An octahedron's sides, and another surface over the same vertices."""
    ball = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
    sides = [(0, 2, 4), (2, 1, 4), (1, 3, 4), (3, 0, 4), (2, 0, 5), (1, 2, 5), (3, 1, 5), (0, 3, 5)]
    names = {0: 4, 4: 0, 1: 1, 2: 2, 3: 3, 5: 5}
    obj(folder / "a_1.obj", ball, sides)
    obj(folder / "a_2.obj", ball, [tuple(names[v] for v in side) for side in sides])
    with pytest.raises(
        RuntimeError, match=r"a_2\.obj has 6 vertices in 8 faces, a_1.*not one mesh"
    ):
        bpy.ops.splatsmith.import_mesh_files(directory=str(folder), follow=False)
    assert not bpy.data.objects and not bpy.data.meshes


def test_several_parts_are_joined_in_the_same_order(
    bpy: Any, rooms: Any, folder: Path, capfd: Any
) -> None:
    for frame in range(3):
        rows, start = [], 1
        for part in (1, 2, 10, 11):
            rows.append(f"o part_{part}")
            places = raised(part + 0.1 * frame)[:4]
            rows += [f"v {x} {z} {-y}" for x, y, z in places]
            rows.append("f " + " ".join(str(start + k) for k in range(4)))
            start += 4
        (folder / f"f{frame}.obj").write_text("\n".join(rows))
    bring_in(bpy, folder, capfd)
    found = places_at(bpy, rooms, 3)
    np.testing.assert_allclose(found[::4, 2], [1.2, 2.2, 10.2, 11.2], atol=1e-5)
    assert [sorted(p) for p in polygons(bpy)] == [list(range(k, k + 4)) for k in (0, 4, 8, 12)]


# ---- transforms


HANGINGS: dict[str, list[dict[str, Any]]] = {
    "mirrored": [{"scale": [-1, 1, 1]}],
    "turned inside out": [{"scale": [-1, -1, -1], "rotation": [1, 0, 0, 0]}],
    "in a mirrored parent": [{"scale": [1, 1, -2]}, {"translation": [3, 0, 0]}],
    "twice mirrored": [{"scale": [-1, 1, 1]}, {"scale": [1, -1, 1]}],
    "moved, turned, scaled": [{"translation": [1, 2, 3], "rotation": [0, 0.6, 0, 0.8],
                               "scale": [1, 2, 0.5]}],
}  # fmt: skip


@pytest.mark.parametrize("hanging", HANGINGS)
def test_outside_stays_out(bpy: Any, folder: Path, capfd: Any, hanging: str) -> None:
    sizes = (1.0, 1.2, 1.4)
    for frame, size in enumerate(sizes):
        cube = CUBE * [1, 1, size]
        glb(folder / f"c_{frame}.glb", cube, triangles_of(CUBE_QUADS), HANGINGS[hanging])
    bring_in(bpy, folder, capfd)
    scale = np.prod([np.prod(node.get("scale", [1, 1, 1])) for node in HANGINGS[hanging]])
    for frame, size in enumerate(sizes, 1):
        bpy.context.scene.frame_set(frame)
        assert volume(bpy, bpy.context.object) == pytest.approx(abs(scale) * size, rel=1e-5)


@pytest.mark.parametrize("kind", ["MORPH_GLB", "ALEMBIC", "USD", "VAT"])
def test_a_mirrored_object_is_baked_with_its_outside_out(
    bpy: Any, rooms: Any, tmp_path: Path, folder: Path, capfd: Any, kind: str
) -> None:
    for frame in range(3):
        obj(folder / f"c{frame}.obj", CUBE * [1, 1, 1 + frame], CUBE_QUADS)
    bring_in(bpy, folder, capfd)
    animated = bpy.context.object
    animated.scale, animated.location = (-2, 1, 1), (5, 0, 0)
    bpy.context.view_layer.update()
    bake = rooms("scene.meshes.mesh_bake")
    path = tmp_path / f"c{bake.KINDS[kind]}"
    assert bake.bake(bpy.context, animated, path, kind).error < 1e-4
    if kind == "VAT":
        path = path.with_name(f"{path.stem}_vat.glb")
    before = set(bpy.data.objects)
    if path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path), merge_vertices=True)
    elif kind == "ALEMBIC":
        bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False)
    else:
        bpy.ops.wm.usd_import(filepath=str(path))
    made = [o for o in bpy.data.objects if o not in before and o.type == "MESH"]
    bpy.context.scene.frame_set(0 if path.suffix == ".glb" else 1)  # engines play from 0
    assert volume(bpy, made[0]) == pytest.approx(2, rel=1e-4)


# ---- what comes along


def vertex_colors(bpy: Any) -> np.ndarray:
    """(V, 3) sRGB in 0..255, of the attribute that the material shows."""
    mesh = bpy.context.object.data
    node = next(n for n in mesh.materials[0].node_tree.nodes if n.type == "VERTEX_COLOR")
    attribute = mesh.color_attributes[node.layer_name]
    found = np.array([c.color_srgb[:3] for c in attribute.data]) * 255
    if attribute.domain == "CORNER":
        corners = np.array([loop.vertex_index for loop in mesh.loops])
        found = np.stack([found[corners == v].mean(0) for v in range(len(mesh.vertices))])
    return found


@pytest.mark.parametrize("kind", ["uchar", "float", "obj"])
def test_vertex_colors_come_along(bpy: Any, folder: Path, capfd: Any, kind: str) -> None:
    shares = (np.array(RED_TO_GREEN) / 255).round(4)
    for frame in range(4):
        if kind == "obj":
            obj(folder / f"s{frame}.obj", folding(frame), SHEET_QUADS, colors=shares)
        else:
            colors = RED_TO_GREEN if kind == "uchar" else shares
            ply(folder / f"s{frame}.ply", folding(frame), SHEET_QUADS, colors, kind)
    text = bring_in(bpy, folder, capfd)
    np.testing.assert_allclose(vertex_colors(bpy), RED_TO_GREEN, atol=0.6)
    assert "differ" not in text


def test_colors_that_change_are_named(bpy: Any, folder: Path, capfd: Any) -> None:
    for frame in range(3):
        ply(folder / f"s{frame}.ply", SHEET, SHEET_QUADS, [(9 * frame, 0, 0)] * 6)
    assert "vertex colors of 2 frames differ from the first" in bring_in(bpy, folder, capfd)
    np.testing.assert_allclose(vertex_colors(bpy), 0, atol=0.6)


def picture(bpy: Any, path: Path, color: tuple[float, ...]) -> None:
    image = bpy.data.images.new("p", 4, 4)
    image.pixels.foreach_set(np.tile(np.array([*color, 1], np.float32), 16))
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def textured(folder: Path, frame: int, library: str, side: int = 2) -> None:
    """A square with uvs and two materials; `side` vertices along it."""
    line = np.linspace(0, 1, side)
    places = [(x, y) for x in line for y in line]
    rows = [f"mtllib {library}"]
    rows += [f"v {x} {0.1 * frame} {-y}" for x, y in places] + [f"vt {x} {y}" for x, y in places]
    rows.append("usemtl wall")
    for a in range(side - 1):
        for b in range(side - 1):
            k = a * side + b + 1
            rows.append("f " + " ".join(f"{v}/{v}" for v in (k, k + side, k + side + 1, k + 1)))
    (folder / f"t{frame}.obj").write_text("\n".join(rows))


def test_materials_and_pictures_come_along(bpy: Any, folder: Path, capfd: Any) -> None:
    picture(bpy, folder / "wall.png", (1, 0, 0))
    (folder / "t.mtl").write_text("newmtl wall\nKd 1 1 1\nmap_Kd wall.png\n")
    for frame in range(3):
        textured(folder, frame, "t.mtl")
    text = bring_in(bpy, folder, capfd)
    mesh = bpy.context.object.data
    assert [m.name for m in mesh.materials] == ["wall"] and len(mesh.uv_layers) == 1
    images = [n.image for n in mesh.materials[0].node_tree.nodes if n.type == "TEX_IMAGE"]
    assert [image.name for image in images] == ["wall.png"]
    assert images[0].packed_file is not None, "it needs the folder no more"
    assert len(bpy.data.images) == 1 and "missing" not in text


@pytest.mark.parametrize("gone", ["library", "picture"])
def test_missing_materials_and_pictures_are_named(
    bpy: Any, folder: Path, capfd: Any, gone: str
) -> None:
    if gone == "picture":
        (folder / "t.mtl").write_text("newmtl wall\nmap_Kd wall.png\n")
    for frame in range(2):
        textured(folder, frame, "t.mtl")
    text = bring_in(bpy, folder, capfd)
    assert ("there is no t.mtl" if gone == "library" else "the picture wall.png is missing") in text


@pytest.mark.parametrize("there", [True, False])
def test_the_picture_that_a_ply_names_comes_along(
    bpy: Any, folder: Path, capfd: Any, there: bool
) -> None:
    """As MeshLab writes it; Blender's importer passes it over."""
    if there:
        picture(bpy, folder / "skin.png", (0, 1, 0))
    for frame in range(2):
        path = folder / f"s{frame}.ply"
        rows = [f"{x} {y} {frame} {x / 2} {y}" for x, y, _ in SHEET]
        faces = ["4 0 1 2 3", "4 1 4 5 2"]
        head = ["ply", "format ascii 1.0", "comment TextureFile skin.png", "element vertex 6"]
        head += [f"property float {name}" for name in ("x", "y", "z", "s", "t")]
        head += ["element face 2", "property list uchar int vertex_indices", "end_header"]
        path.write_text("\n".join([*head, *rows, *faces, ""]))
    text = bring_in(bpy, folder, capfd)
    nodes = bpy.context.object.data.materials[0].node_tree.nodes
    assert any(node.type == "TEX_IMAGE" for node in nodes) == there
    assert ("the picture skin.png is missing" in text) != there


def test_a_glb_brings_its_colors_and_its_picture(bpy: Any, folder: Path, capfd: Any) -> None:
    """Written by Blender's own exporter, the picture inside."""
    mesh = bpy.data.meshes.new("m")
    mesh.from_pydata(SHEET.tolist(), [], SHEET_QUADS)
    mesh.uv_layers.new(name="UVMap")
    made = bpy.data.objects.new("m", mesh)
    bpy.context.scene.collection.objects.link(made)
    material = bpy.data.materials.new("paint")
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    picture(bpy, folder.parent / "p.png", (1, 0, 0))
    node.image = bpy.data.images.load(str(folder.parent / "p.png"))
    surface = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(node.outputs["Color"], surface.inputs["Base Color"])
    mesh.materials.append(material)
    for frame in range(3):
        made.location.z = frame
        bpy.ops.export_scene.gltf(filepath=str(folder / f"g{frame}.glb"), export_format="GLB")
    bpy.data.objects.remove(made)
    text = bring_in(bpy, folder, capfd)
    kept = [m for m in bpy.context.object.data.materials if m is not None]
    images = [n.image for m in kept for n in m.node_tree.nodes if n.type == "TEX_IMAGE"]
    assert images and images[0].packed_file is not None and "differ" not in text


def test_what_follows_wears_its_pictures_colors(bpy: Any, folder: Path, capfd: Any) -> None:
    picture(bpy, folder / "wall.png", (0, 0, 1))
    (folder / "t.mtl").write_text("newmtl wall\nmap_Kd wall.png\n")
    for frame, side in enumerate((9, 10, 11)):
        textured(folder, frame, "t.mtl", side)
    text = bring_in(bpy, folder, capfd, follow=True)
    np.testing.assert_allclose(vertex_colors(bpy).mean(0), (0, 0, 255), atol=2)
    assert "became vertex colors" in text


def empty(folder: Path, name: str) -> None:
    path = folder / name
    if path.suffix == ".obj":
        path.write_text("# empty\n")
    elif path.suffix == ".ply":
        ply(path, np.zeros((0, 3)), [])
    else:
        stl(path, np.zeros((0, 3)), [])


@pytest.mark.parametrize("kind", ["obj", "ply", "stl"])
@pytest.mark.parametrize("gone", [{0}, {0, 1}, {2}, {4}, {0, 2, 4}])
def test_empty_frames_hide_the_object(
    bpy: Any, rooms: Any, folder: Path, capfd: Any, kind: str, gone: set[int]
) -> None:
    for frame in range(5):
        name = f"fluid_{frame:03d}.{kind}"
        if frame in gone:
            empty(folder, name)
        elif kind == "stl":
            stl(folder / name, raised(frame), triangles_of(SHEET_QUADS))
        else:
            {"obj": obj, "ply": ply}[kind](folder / name, raised(frame), SHEET_QUADS)
    text = bring_in(bpy, folder, capfd)
    many = "1 frame is empty" if len(gone) == 1 else f"{len(gone)} frames are empty"
    assert many in text
    scene, animated = bpy.context.scene, bpy.context.object
    assert (scene.frame_start, scene.frame_end) == (1, 5)
    for frame in range(5):
        scene.frame_set(frame + 1)
        assert animated.hide_render == animated.hide_viewport == (frame in gone)
        if frame not in gone:
            np.testing.assert_allclose(places_at(bpy, rooms, frame + 1)[:, 2], frame, atol=1e-5)


def test_nothing_but_empty_frames_is_refused(bpy: Any, folder: Path) -> None:
    materials = len(bpy.data.materials)
    for frame in range(3):
        empty(folder, f"fluid_{frame}.obj")
    with pytest.raises(RuntimeError, match="frames holds no mesh in any frame"):
        bpy.ops.splatsmith.import_mesh_files(directory=str(folder))
    assert not bpy.data.meshes and len(bpy.data.materials) == materials


def test_empty_frames_of_what_follows_hide_it_too(bpy: Any, folder: Path, capfd: Any) -> None:
    empty(folder, "t0.obj")
    for frame, side in ((1, 9), (2, 10), (3, 11)):
        textured(folder, frame, "t.mtl", side)
    assert "1 frame is empty" in bring_in(bpy, folder, capfd, follow=True)
    hidden = []
    for frame in (1, 2, 3, 4):
        bpy.context.scene.frame_set(frame)
        hidden.append(bpy.context.object.hide_render)
    assert hidden == [True, False, False, False]
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1, 4)


def test_files_that_systems_leave_are_skipped_and_named(bpy: Any, folder: Path, capfd: Any) -> None:
    for frame in range(3):
        obj(folder / f"m_{frame}.obj", SHEET, SHEET_QUADS)
        (folder / f"._m_{frame}.obj").write_bytes(b"\0\5\x16\7" + b"\0" * 72)
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / "notes.txt").write_text("x")
    text = bring_in(bpy, folder, capfd)
    assert "through 3 frames" in text and "3 hidden files left out (._m_0.obj and 2 more)" in text


@pytest.mark.skipif(os.name == "nt", reason="there are no such files on Windows")
def test_links_to_nothing_are_skipped_and_named(bpy: Any, folder: Path, capfd: Any) -> None:
    for frame in range(3):
        obj(folder / f"m_{frame}.obj", SHEET, SHEET_QUADS)
    (folder / "m_3.obj").symlink_to("nowhere")
    text = bring_in(bpy, folder, capfd)
    assert "through 3 frames" in text and "1 unreadable file left out (m_3.obj)" in text


def test_large_sequences_keep_what_they_bring_too(
    bpy: Any, rooms: Any, folder: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty(folder, "s1.ply")
    for frame in (2, 3, 6):
        ply(folder / f"s{frame}.ply", raised(frame), SHEET_QUADS, RED_TO_GREEN)
    monkeypatch.setattr(rooms("scene.meshes.mesh_sequence"), "MOST_KEYED", 10)
    text = bring_in(bpy, folder, capfd)
    assert "1 frame is empty" in text and "2 frame numbers have no file (4 to 5)" in text
    assert bpy.context.object.modifiers[0].type == "MESH_CACHE"
    assert polygons(bpy) == SHEET_QUADS
    np.testing.assert_allclose(vertex_colors(bpy), RED_TO_GREEN, atol=0.6)
    for frame, lift in ((2, 2), (3, 3), (4, 4), (6, 6)):
        np.testing.assert_allclose(places_at(bpy, rooms, frame)[:, 2], lift, atol=1e-5)
    bpy.context.scene.frame_set(1)
    assert bpy.context.object.hide_render


# ---- order


@pytest.mark.parametrize(
    ("names", "frames"),
    [
        (["f_1", "f_2", "f_10"], [1, 2, 10]),
        (["f0998", "f0999", "f1000"], [1, 2, 3]),
        (["f_-2", "f_-1", "f_0", "f_3"], [1, 2, 3, 6]),
        (["f-01", "f-02", "f-04"], [1, 2, 4]),
        (["take2_v03_0010", "take2_v03_0020"], [1, 11]),
        (["F_2", "f_3", "f_11"], [1, 2, 10]),
        (["7", "8", "12"], [1, 2, 6]),
        (["first", "second", "third"], [1, 2, 3]),
        (["mesh_1609459200", "mesh_1609545600"], [1, 2]),
    ],
)
def test_order_and_gaps_are_those_of_the_numbers(
    bpy: Any, rooms: Any, folder: Path, capfd: Any, names: list[str], frames: list[int]
) -> None:
    for lift, name in enumerate(names):
        obj(folder / f"{name}.obj", raised(lift), SHEET_QUADS)
    text = bring_in(bpy, folder, capfd)
    for lift, frame in enumerate(frames):
        np.testing.assert_allclose(places_at(bpy, rooms, frame)[:, 2], lift, atol=1e-5)
    assert bpy.context.scene.frame_end == frames[-1]
    gaps = frames[-1] - frames[0] - len(frames) + 1
    assert (f"{gaps} frame numbers have no file" in text) == bool(gaps)


@pytest.mark.parametrize(
    "names", [["body_1", "body_2", "cloth_1", "cloth_2"], ["body_1", "body_2", "reference"]]
)
def test_more_than_one_sequence_is_refused(bpy: Any, folder: Path, names: list[str]) -> None:
    for name in names:
        obj(folder / f"{name}.obj", SHEET, SHEET_QUADS)
    with pytest.raises(RuntimeError, match=f"more than one sequence.*body_1.*{names[-1][:5]}"):
        bpy.ops.splatsmith.import_mesh_files(directory=str(folder))


def test_a_gap_is_played_straight_through(bpy: Any, rooms: Any, folder: Path, capfd: Any) -> None:
    for number in (0, 1, 5):
        obj(folder / f"f{number}.obj", raised(number), SHEET_QUADS)
    bring_in(bpy, folder, capfd)
    for frame in (1, 1.5, 2, 3, 4.25, 6):
        np.testing.assert_allclose(places_at(bpy, rooms, frame)[:, 2], frame - 1, atol=1e-5)


@pytest.mark.parametrize(
    "damage", [b"\xff" * 64, b"ply\nformat ascii 1.0\nelement vertex 9999999999\nend_header\n"]
)
def test_damaged_files_are_one_sentence(bpy: Any, folder: Path, damage: bytes) -> None:
    ply(folder / "a1.ply", SHEET, SHEET_QUADS)
    (folder / "a2.ply").write_bytes(damage)
    with pytest.raises(RuntimeError, match=r"a2\.ply|no mesh|empty"):
        bpy.ops.splatsmith.import_mesh_files(directory=str(folder), follow=False)


@pytest.mark.parametrize(("encoding", "head", "whole"), [
    ("utf-8-sig", "", False), ("utf-16", "", False), ("utf-16-be", "\ufeff", False),
    ("utf-8-sig", "# exported\n", True), ("utf-8", "", True),
])  # fmt: skip
def test_windows_editors_marks_cost_no_vertex(
    bpy: Any, folder: Path, capfd: Any, encoding: str, head: str, whole: bool
) -> None:
    for frame in range(2):
        path = folder / f"m_{frame}.obj"
        obj(path, raised(frame), SHEET_QUADS)
        text = "".join(li for li in path.read_text().splitlines(True) if li[0] in "vf")
        path.write_bytes((head + text).encode(encoding))
    if whole:
        assert "6 vertices through 2 frames" in bring_in(bpy, folder, capfd)
    else:
        with pytest.raises(RuntimeError, match=r"m_0\.obj is text with a byte order mark"):
            bpy.ops.splatsmith.import_mesh_files(directory=str(folder), follow=False)


@pytest.mark.parametrize(("offset", "said"), [
    ((500000, 4500000, 100), True), ((0, -70000, 0), True), ((0, 0, 900), False),
])  # fmt: skip
def test_meshes_far_away_are_named(
    bpy: Any, folder: Path, capfd: Any, offset: tuple[int, int, int], said: bool
) -> None:
    for frame in range(2):
        obj(folder / f"m_{frame}.obj", raised(frame) + np.array(offset), SHEET_QUADS)
    assert ("far from the origin" in bring_in(bpy, folder, capfd)) == said


@pytest.mark.parametrize("kind", ["ply", "obj", "stl"])
@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_places_that_are_no_numbers_are_refused(
    bpy: Any, folder: Path, kind: str, value: float
) -> None:
    """In text, where Blender reads 0, as in bytes."""
    writers: dict[str, Any] = {"ply": ply, "obj": obj, "stl": stl}
    write, faces = writers[kind], triangles_of(SHEET_QUADS)
    broken = SHEET.copy()
    broken[2, 1] = value
    write(folder / f"a1.{kind}", SHEET, faces)
    write(folder / f"a2.{kind}", broken, faces)
    with pytest.raises(RuntimeError, match=rf"a2\.{kind} has vertices at no finite place"):
        bpy.ops.splatsmith.import_mesh_files(directory=str(folder), follow=False)
    assert not bpy.data.objects


# ---- caches


@pytest.mark.parametrize("kind", ["abc", "usdc"])
@pytest.mark.parametrize("scale", [(-1, 1, 1), (1, 2, 1), (-1, -1, -3)])
def test_caches_keep_polygons_and_their_outside(
    bpy: Any, rooms: Any, tmp_path: Path, kind: str, scale: tuple[float, ...]
) -> None:
    """A mirrored cube of quads whose corner folds, as other programs hand it over."""
    caches = set(bpy.data.cache_files)  # of other tests
    mesh = bpy.data.meshes.new("m")
    mesh.from_pydata(CUBE.tolist(), [], CUBE_QUADS)
    cube = bpy.data.objects.new("m", mesh)
    bpy.context.scene.collection.objects.link(cube)
    cube.scale, cube.location = scale, (1, 2, 3)
    cube.shape_key_add(name="Basis")
    key = cube.shape_key_add(name="In")
    key.data[0].co = (0.7, 0.7, 0)
    for frame, value in ((1, 0.0), (5, 1.0)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 5
    path = tmp_path / f"c.{kind}"
    if kind == "abc":
        bpy.ops.wm.alembic_export(filepath=str(path), as_background_job=False)
    else:
        bpy.ops.wm.usd_export(filepath=str(path), export_animation=True, export_shapekeys=False)
    bpy.data.objects.remove(cube)
    assert bpy.ops.splatsmith.import_mesh_cache(filepath=str(path), follow=False) == {"FINISHED"}
    assert sorted(len(p) for p in polygons(bpy)) == [4] * 6
    scene.frame_set(scene.frame_start)
    assert volume(bpy, bpy.context.object) == pytest.approx(abs(np.prod(scale)), rel=1e-4)
    assert len(bpy.data.meshes) <= 2 and set(bpy.data.cache_files) == caches


def test_what_is_taken_over_leaves_nothing_else_behind(bpy: Any, folder: Path, capfd: Any) -> None:
    before = {kind: len(getattr(bpy.data, kind)) for kind in ("objects", "meshes", "materials")}
    picture(bpy, folder / "wall.png", (1, 0, 0))
    (folder / "t.mtl").write_text("newmtl wall\nmap_Kd wall.png\n")
    for frame in range(4):
        textured(folder, frame, "t.mtl")
    bring_in(bpy, folder, capfd)
    after = {kind: len(getattr(bpy.data, kind)) for kind in before}
    assert after == {kind: count + 1 for kind, count in before.items()}
    assert len(bpy.data.images) == 1
