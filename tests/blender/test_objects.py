"""Objects of splats in Blender: the list, and splats taken out, away and together by it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import SIZES, segmentation


def count(rooms: Any, cloud: Any) -> int:
    return rooms("scene.splats.pointclouds").point_count(cloud.data)


def test_the_list_and_the_numbers_come_along(cloud: Any, rooms: Any) -> None:
    assert [(i.name, i.number, i.count) for i in cloud.splatsmith_objects] == [
        (f"Object {k + 1}", k, n) for k, n in enumerate(SIZES)
    ]
    assert np.bincount(rooms("scene.objects.objects").numbers_of(cloud) + 1).tolist() == [
        10,
        *SIZES,
    ]


def test_what_is_chosen_is_extracted_with_all_its_attributes(
    bpy: Any, cloud: Any, rooms: Any
) -> None:
    splats = rooms("scene.splats.splats")
    before = splats.read(cloud)
    cloud.location = (1, 2, 3)
    cloud.splatsmith_objects[1].chosen = True
    assert bpy.ops.splatsmith.extract_objects(clean=False) == {"FINISHED"}
    fresh = bpy.data.objects["Object 2"]
    bpy.context.view_layer.update()
    assert (
        count(rooms, fresh) == 50
        and count(rooms, cloud) == 200
        and fresh.matrix_world == cloud.matrix_world
    )
    assert fresh.users_collection[0].name == "Object 2"
    after = splats.read(fresh)
    for name in ("means", "quats", "log_scales", "sh"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name)[120:170])
    assert bpy.ops.splatsmith.extract_objects(rest=True) == {"FINISHED"}
    assert count(rooms, next(o for o in bpy.data.objects if o.name.endswith("Others"))) == 150


def test_objects_are_deleted_and_merged(bpy: Any, cloud: Any, rooms: Any) -> None:
    bpy.context.view_layer.objects.active = cloud
    cloud.splatsmith_objects[0].chosen = cloud.splatsmith_objects[2].chosen = True
    assert bpy.ops.splatsmith.merge_objects() == {"FINISHED"}
    assert [(i.name, i.count) for i in cloud.splatsmith_objects] == [
        ("Object 1", 140),
        ("Object 2", 50),
    ]
    assert bpy.ops.splatsmith.delete_objects() == {"FINISHED"}
    assert count(rooms, cloud) == 60 and [i.name for i in cloud.splatsmith_objects] == ["Object 2"]
    assert set(rooms("scene.objects.objects").numbers_of(cloud).tolist()) == {-1, 1}
    with pytest.raises(RuntimeError, match="two objects or more"):
        bpy.ops.splatsmith.merge_objects()


def test_other_splats_and_damaged_lists_are_refused(
    cloud: Any, rooms: Any, plain_splat_file: Path, tmp_path: Path
) -> None:
    from backend.formats import splat_ply

    objects = rooms("scene.objects.objects")
    listed = [i.name for i in cloud.splatsmith_objects]
    folder = segmentation(plain_splat_file, tmp_path / "other")
    splat_ply.write(
        folder / "splats.ply", splat_ply.take(splat_ply.read(folder / "splats.ply"), np.arange(30))
    )
    for text in (None, "[", '[{"id": 0}]', "3"):
        if text:
            (folder / "objects.json").write_text(text)
        with pytest.raises(Exception, match=r"other splats|no list"):
            objects.attach(cloud, folder)
    assert [i.name for i in cloud.splatsmith_objects] == listed
