"""Files of an animated mesh: every kind says the same as the screen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .waves import waving

KINDS = ("SKIN_GLB", "SKIN_FBX", "SKIN_USD", "MORPH_GLB", "VAT", "ALEMBIC", "USD")


@pytest.mark.parametrize("kind", KINDS)
def test_files_say_what_the_screen_shows(
    bpy: Any, rooms: Any, wave: Any, tmp_path: Path, kind: str
) -> None:
    before = {
        name: len(getattr(bpy.data, name))
        for name in ("objects", "meshes", "armatures", "actions", "materials")
    }
    wave.parent = bpy.data.objects.new("root", None)
    wave.parent.rotation_euler, wave.parent.scale, wave.parent.location = (
        (0.4, 0.2, 1.0),
        (2.5,) * 3,
        (1, 2, 3),
    )
    bpy.context.scene.collection.objects.link(wave.parent)
    bpy.context.view_layer.update()
    bake = rooms("scene.meshes.mesh_bake")
    done = bake.bake(bpy.context, wave, tmp_path / f"wave{bake.KINDS[kind]}", kind)
    assert done.path.is_file() and done.frames == 9
    assert done.error < 1e-4, f"{kind}: {done.error}"
    after = {name: len(getattr(bpy.data, name)) for name in before}
    assert after == {**before, "objects": before["objects"] + 1}  # the root
    assert bpy.context.object == wave and wave.select_get()


def test_baking_leaves_a_mesh_with_a_doubled_face_as_it_was(bpy: Any, tmp_path: Path) -> None:
    """Exporters mend such meshes, and would spoil what the copy that they get shares with the
    object.
    """
    from dataclasses import replace

    from backend.formats import mesh_sequence

    whole = waving()
    assert whole.uvs is not None
    doubled = replace(
        whole,
        faces=np.concatenate([whole.faces[:1], whole.faces]),
        uvs=np.concatenate([whole.uvs[:1], whole.uvs]),
    )
    mesh_sequence.write(tmp_path / "mesh.npz", doubled)
    bpy.ops.splatsmith.import_mesh(filepath=str(tmp_path / "mesh.npz"))

    def corners() -> tuple[list, list]:
        mesh = bpy.context.object.data
        return [tuple(p.vertices) for p in mesh.polygons], [
            round(x, 5) for uv in mesh.uv_layers[0].data for x in uv.uv
        ]

    before = corners()
    assert len(before[0]) == len(whole.faces)
    assert bpy.ops.splatsmith.bake_mesh(filepath=str(tmp_path / "wave.glb")) == {"FINISHED"}
    assert corners() == before


def test_baking_says_what_is_wrong(bpy: Any, wave: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no folder"):
        bpy.ops.splatsmith.bake_mesh(filepath=str(tmp_path / "nowhere" / "x.glb"))
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(RuntimeError, match="is not a mesh sequence"):
        bpy.ops.splatsmith.import_mesh(filepath=str(tmp_path / "bad.npz"))
    assert len(bpy.data.objects) == 1


def test_the_operator_bakes_by_default_what_engines_like_best(
    bpy: Any, wave: Any, tmp_path: Path
) -> None:
    assert bpy.ops.splatsmith.bake_mesh(filepath=str(tmp_path / "wave.glb")) == {"FINISHED"}
    assert (tmp_path / "wave.glb").stat().st_size < 1_000_000


@pytest.mark.parametrize("kind", ["MORPH_GLB", "SKIN_FBX", "VAT", "ALEMBIC", "USD"])
def test_vertices_at_one_place_are_no_trouble(
    bpy: Any, rooms: Any, tmp_path: Path, kind: str
) -> None:
    """Two sheets that lie on each other in the first frame and part later, as split edges and lips
    do.
    """
    from dataclasses import replace

    from backend.formats import mesh_sequence
    from backend.formats.mesh_sequence import Nodes

    one = waving()
    count, nodes = len(one.rest), one.nodes
    lift = np.linspace(0, 0.5, len(one.positions), dtype=np.float32)[:, None, None] * np.array(
        [0, 0, 1], np.float32
    )
    other = np.array(nodes.transforms)
    other[..., 3] += lift
    both = Nodes(
        np.concatenate([nodes.rest] * 2),
        np.concatenate([nodes.transforms, other], 1),
        np.concatenate([nodes.skin, nodes.skin + 2]),
        np.concatenate([nodes.weights] * 2),
    )
    twice = replace(
        one,
        rest=np.concatenate([one.rest] * 2),
        faces=np.concatenate([one.faces, one.faces + count]),
        nodes=both,
        positions=np.concatenate([one.positions, one.positions + lift], 1),
        colors=np.concatenate([one.colors] * 2),
        uvs=np.concatenate([one.uvs] * 2),
    )
    (tmp_path / "twice").mkdir()
    mesh_sequence.write(tmp_path / "twice" / "mesh.npz", twice)
    assert bpy.ops.splatsmith.import_mesh(filepath=str(tmp_path / "twice" / "mesh.npz")) == {
        "FINISHED"
    }
    bpy.context.object.data.uv_layers.new(name="Second")
    bake = rooms("scene.meshes.mesh_bake")
    done = bake.bake(bpy.context, bpy.context.object, tmp_path / f"twice{bake.KINDS[kind]}", kind)
    assert done.error < 1e-4


@pytest.mark.parametrize("kind", ["ALEMBIC", "USD"])
def test_caches_become_native_objects(
    bpy: Any, rooms: Any, wave: Any, tmp_path: Path, kind: str
) -> None:
    bake = rooms("scene.meshes.mesh_bake")
    path = tmp_path / f"wave{bake.KINDS[kind]}"
    bake.bake(bpy.context, wave, path, kind)
    bpy.context.scene.frame_end = 77
    caches = set(bpy.data.cache_files)  # of other tests
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    nodes = len(world.node_tree.nodes)
    bpy.context.scene.world = world
    bake.bake(bpy.context, wave, tmp_path / f"again{bake.KINDS[kind]}", kind)
    assert bpy.ops.splatsmith.import_mesh_cache(filepath=str(path)) == {"FINISHED"}
    obj = bpy.context.object
    path.unlink()  # it is not needed any more
    assert (
        bpy.context.scene.world == world and len(world.node_tree.nodes) == nodes
    )  # a USD's lights stay out
    assert obj != wave and obj.data.shape_keys is not None
    assert set(bpy.data.cache_files) == caches
    shown = rooms("scene.meshes.mesh_sequence").evaluated_frames(
        bpy.context, obj, list(range(1, 10))
    )
    assert np.abs(np.sort(shown, 1) - np.sort(waving().positions, 1)).max() < 1e-4
    (tmp_path / "bad.abc").write_bytes(b"nothing")
    with pytest.raises(RuntimeError, match="bad"):
        bpy.ops.splatsmith.import_mesh_cache(filepath=str(tmp_path / "bad.abc"))


@pytest.mark.parametrize(
    "kind", ["SKIN_GLB", "SKIN_FBX", "SKIN_USD", "MORPH_GLB", "ALEMBIC", "USD"]
)
def test_files_are_named_as_the_artist_named_things(
    bpy: Any, rooms: Any, wave: Any, tmp_path: Path, kind: str
) -> None:
    """Though the scene has all these names already, and keeps them; and it can be saved then."""
    wave.name = "Flag Mesh"
    other = bpy.data.objects.new("Flag", None)
    material = wave.data.materials[0]
    bake = rooms("scene.meshes.mesh_bake")
    path = tmp_path / f"flag{bake.KINDS[kind]}"
    assert bake.bake(bpy.context, wave, path, kind).error < 1e-4
    assert wave.name == "Flag Mesh" and other.name == "Flag"
    assert wave.data.materials[0] == material and not material.use_backface_culling
    assert not [keys for keys in bpy.data.shape_keys if not keys.users]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "after.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    readers = {
        ".glb": bpy.ops.import_scene.gltf,
        ".fbx": bpy.ops.import_scene.fbx,
        ".abc": lambda filepath: bpy.ops.wm.alembic_import(
            filepath=filepath, as_background_job=False
        ),
        ".usdc": bpy.ops.wm.usd_import,
    }
    readers[path.suffix](filepath=str(path))
    objs = [o for o in bpy.data.objects if not o.name.startswith("Icosphere")]
    assert [o.name for o in objs if o.type == "MESH"] == ["Flag"]
    rigs = [o for o in objs if o.type == "ARMATURE"]
    assert len(rigs) == kind.startswith("SKIN")
    assert all(o.name.replace("_", " ").startswith("Flag Rig") for o in rigs)
    roots = [o for o in objs if o.parent is None and o.name != "_materials"]  # USD's own
    assert len(roots) == 1 and tuple(roots[0].scale) == (1, 1, 1)
