"""Objects cut clean in Blender: extracted, one file each, the hole closed, wholes and parts."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import ROOT
from .selections import count

sys.path.insert(0, str(ROOT / "tests"))
NAMES = ("Ball", "Floor", "Block")


@pytest.fixture
def ball(bpy: Any, rooms: Any, tmp_path: Path) -> Any:
    """A red ball with ten floaters, on a blue floor with a hole under it; and a red block on it."""
    from helpers import cut_scenes as cut

    from backend.formats import semantics_file, splat_ply

    up, random = np.array([[0.0, 0, 1]]), np.random.default_rng(0)
    places = np.array([[1.2, 0.2 * i - 0.9, 0.5] for i in range(10)])
    floaters = cut.discs(places, np.tile(up, (10, 1)), 0.025, 0.9, cut.RED)
    block = random.random((300, 3)) * [0.3, 0.3, 0.3] + [0.3, 0.3, 0.7]
    arrays, labels = cut.scene(
        (cut.ball(), 0), (floaters, 0), (cut.floor(hole=0.3), 1),
        (cut.discs(block, np.tile(up, (300, 1)), 0.03, 0.9, cut.RED), 2),
    )  # fmt: skip
    folder = tmp_path / "segmented"
    folder.mkdir()
    arrays.extra["object_id"] = labels.astype(np.uint16)
    splat_ply.write(folder / "splats.ply", arrays)
    sizes = np.bincount(labels).tolist()
    records = [
        {"id": i, "name": n, "splats": sizes[i], "score": 1, "color": [0.3 * i, 0.5, 0.9]}
        for i, n in enumerate(NAMES)
    ]
    (folder / semantics_file.OBJECTS).write_text(json.dumps(records))
    assert bpy.ops.splatsmith.import_splats(filepath=str(folder / "splats.ply")) == {"FINISHED"}
    cloud = rooms("scene.splats.splats").chosen(bpy.context)
    rooms("scene.objects.objects").attach(cloud, folder)
    return cloud


def test_an_object_comes_out_clean_and_keeps_its_numbers(bpy: Any, ball: Any, rooms: Any) -> None:
    splats, before = rooms("scene.splats.splats"), rooms("scene.splats.splats").read(ball)
    ball.splatsmith_objects[0].chosen = True
    assert bpy.ops.splatsmith.extract_objects() == {"FINISHED"}
    fresh = bpy.data.objects["Ball"]
    whole = ball.splatsmith_objects[0].count
    assert whole - 30 < count(rooms, fresh) <= whole - 10
    after = splats.read(fresh)
    known = {tuple(row) for row in before.means.tolist()}
    assert np.mean([tuple(row) in known for row in after.means.tolist()]) > 0.95
    assert bpy.ops.splatsmith.extract_objects(clean=False) == {"FINISHED"}
    assert count(rooms, bpy.data.objects["Ball.001"]) == whole


def test_what_it_hid_is_closed(bpy: Any, ball: Any, rooms: Any) -> None:
    ball.splatsmith_objects[0].chosen = True
    assert bpy.ops.splatsmith.fill_behind() == {"FINISHED"}
    behind = bpy.data.objects["Ball Behind"]
    points = rooms("scene.splats.pointclouds").positions(behind.data)
    assert len(points) > 20 and np.abs(points[:, 2]).max() < 0.02
    assert set(rooms("scene.objects.objects").numbers_of(behind)) == {1}
    before, ours = count(rooms, ball), ball.splatsmith_objects[0].count
    assert bpy.ops.splatsmith.delete_objects(fill=True) == {"FINISHED"}
    assert count(rooms, ball) == before - ours + len(points)
    assert [i.name for i in ball.splatsmith_objects] == ["Floor", "Block"]
    ball.splatsmith_objects[1].chosen = True
    with pytest.raises(RuntimeError, match="nothing behind"):
        bpy.ops.splatsmith.fill_behind()


def test_others_are_extracted_and_closed(bpy: Any, ball: Any, rooms: Any) -> None:
    ball.splatsmith_objects[0].chosen = True
    assert bpy.ops.splatsmith.extract_objects(rest=True, fill=True) == {"FINISHED"}
    others = next(o for o in bpy.data.objects if o.name.endswith("Others"))
    left = count(rooms, ball) - ball.splatsmith_objects[0].count
    assert count(rooms, others) > left + 20


def test_every_object_becomes_a_file(bpy: Any, ball: Any, tmp_path: Path) -> None:
    from backend.formats import splat_ply

    folder = tmp_path / "each"
    assert bpy.ops.splatsmith.export_each_object(directory=str(folder)) == {"FINISHED"}
    assert sorted(p.name for p in folder.iterdir()) == [
        "000-Ball.ply", "001-Floor.ply", "002-Block.ply",
    ]  # fmt: skip
    own = splat_ply.read(folder / "000-Ball.ply")
    assert len(own) < ball.splatsmith_objects[0].count - 8 and not own.extra
    ball.splatsmith_objects[2].chosen = True
    one = tmp_path / "one"
    bpy.ops.splatsmith.export_each_object(directory=str(one), clean=False)
    assert [p.name for p in one.iterdir()] == ["002-Block.ply"]


def test_granularity_makes_wholes_of_parts(bpy: Any, ball: Any, rooms: Any) -> None:
    """The ball and the block touch and are red: they go together first."""
    objects, looks = rooms("scene.objects.objects"), rooms("scene.viewport.looks")
    bpy.context.scene.splatsmith.splat_view = "OBJECTS"
    assert [i.group for i in ball.splatsmith_objects] == [-1, -1, -1]
    ball.splatsmith_granularity = 0.5
    assert [i.group for i in ball.splatsmith_objects] == [0, 1, 0]
    colors = looks.object_colors(ball)
    assert colors[2] == colors[0] != colors[1]
    ball.splatsmith_objects[0].chosen = True
    assert [i.name for i in objects.chosen_items(ball)] == ["Ball", "Block"]
    assert bpy.ops.splatsmith.select_objects() == {"FINISHED"}
    wanted = ball.splatsmith_objects[0].count + ball.splatsmith_objects[2].count
    assert rooms("scene.splats.marks").selected(ball).sum() == wanted
    ball.splatsmith_objects[0].hide = True
    assert rooms("scene.splats.marks").read(ball, "hidden").sum() == wanted
    ball.splatsmith_objects[0].hide = False
    with pytest.raises(RuntimeError, match="group of objects"):
        bpy.ops.splatsmith.mask_nodes()
    ball.splatsmith_granularity = 0.0
    assert {i.group for i in ball.splatsmith_objects} == {1}  # the floor is the largest
    ball.splatsmith_granularity = 0.5
    assert bpy.ops.splatsmith.merge_objects() == {"FINISHED"}
    assert [(i.name, i.group) for i in ball.splatsmith_objects] == [("Ball", 0), ("Floor", 1)]
    ball.splatsmith_granularity = 1.0
    assert [i.group for i in ball.splatsmith_objects] == [-1, -1]


def test_a_tree_of_the_segmentation_is_used(bpy: Any, ball: Any, rooms: Any) -> None:
    """Another than contact and color would give: floor and ball first."""
    from backend.formats import semantics_file

    labels = rooms("scene.objects.objects").numbers_of(ball)
    names, shares = (
        np.full((len(labels), 3), 65535, np.uint16),
        np.zeros((len(labels), 3), np.uint8),
    )
    names[:, 0], shares[:, 0] = labels, 255
    semantics = semantics_file.Semantics(
        objects=names, shares=shares, features=np.zeros((3, 0), np.float32),
        mean=np.zeros(0, np.float32), tree_pairs=np.array([[0, 1], [3, 2]], np.int32),
        tree_rates=np.array([0.9, 0.2], np.float32),
    )  # fmt: skip
    folder = Path(ball["splatsmith_segmentation"])
    semantics_file.write(folder / semantics_file.NAME, semantics)
    rooms("scene.objects.objects").attach(ball, folder)
    ball.splatsmith_granularity = 0.5
    assert [i.group for i in ball.splatsmith_objects] == [1, 1, 2]
    ball["splatsmith_tree_pairs"] = [7, 9]  # by hand, and wrong
    ball.splatsmith_granularity = 0.4
    assert [i.group for i in ball.splatsmith_objects] == [0, 1, 2]


def test_pictures_show_objects_and_come_with_masks(bpy: Any, ball: Any, rooms: Any) -> None:
    """What is handed to the backend: numbers over all splats, the list, and how well words fit."""
    render, scene = rooms("operators.render"), bpy.context.scene
    listed: list[dict[str, object]] = []
    rooms("scene.objects.objects").take_fits(ball, np.array([0.9, 0.1, 0.2], np.float32))
    arrays = render.all_shown(bpy.context, listed)
    assert [r["name"] for r in listed] == list(NAMES) and set(arrays.extra) == {"object_id", "fit"}
    assert np.bincount(arrays.extra["object_id"]).tolist() == [
        i.count for i in ball.splatsmith_objects
    ]
    assert arrays.extra["fit"].max() == pytest.approx(0.9)
    ball.splatsmith_granularity = 0.5
    listed.clear()
    render.all_shown(bpy.context, listed)
    assert [r["name"] for r in listed] == ["Ball", "Floor"]
    assert "object_share" in render.all_shown(bpy.context).extra  # as they are, without a list
    scene.camera = bpy.data.objects.new("Eye", bpy.data.cameras.new("Eye"))
    scene.collection.objects.link(scene.camera)
    scene.camera.location, scene.camera.rotation_euler = (0, -4, 0.6), (1.5, 0, 0)
    scene.render.resolution_x, scene.render.resolution_y = 64, 48
    scene.splatsmith.render_look, scene.splatsmith.render_labels = "OBJECTS", True
    assert bpy.ops.splatsmith.render_splats() == {"FINISHED"}
    scene.splatsmith.render_look, scene.splatsmith.render_labels = "COLOR", False
    assert tuple(bpy.data.images["Splat Render"].size) == (64, 48)
    folder = Path(bpy.data.images["Splat Render"].filepath).parent
    assert (folder / "labels" / "0001.png").is_file()
    assert sorted(p.name for p in (folder / "masks").iterdir()) == ["000-Ball", "001-Floor"]
