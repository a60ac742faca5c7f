"""Filters, crops and cleaning: what is left out, that nothing is lost before it is deleted, and how
long a million splats take.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.formats import splat_ply
from backend.formats.splat_ply import SplatArrays


@pytest.fixture
def messy_file(tmp_path: Path) -> Path:
    """A ball of splats, a loose clump beside it, five giants; one splat is a needle."""
    g, f, count = np.random.default_rng(0), np.float32, 3000
    means = g.uniform(-0.6, 0.6, (count, 3))
    means[:20] = [2.2, 0, 0] + 0.01 * g.normal(size=(20, 3))
    scales = np.full((count, 3), -4.0)
    scales[20:25] = 0.5
    scales[25, 0] = 0.0
    arrays = SplatArrays(
        means=means.astype(f),
        quats=np.tile(np.array([1, 0, 0, 0], f), (count, 1)),
        log_scales=scales.astype(f),
        opacity_logits=np.where(np.arange(count) < 1000, -4.0, 3.0).astype(f),
        sh=g.normal(0, 0.3, (count, 4, 3)).astype(f),
        extra={"views": np.where(np.arange(count) < 2900, 9, 1).astype(np.uint16)},
    )
    splat_ply.write(tmp_path / "messy.ply", arrays)
    return tmp_path / "messy.ply"


@pytest.fixture
def messy(bpy: Any, rooms: Any, messy_file: Path) -> Any:
    splats, collections = rooms("scene.splats.splats"), rooms("scene.captures.collections")
    home = collections.new_collection(bpy.context.scene, "messy")
    cloud = splats.add_one(splats.read_file(messy_file), "", "messy", home, None)
    rooms("scene.framing").select_alone(bpy.context, cloud)
    return cloud


def away(rooms: Any, cloud: Any) -> np.ndarray:
    return np.asarray(rooms("scene.splats.marks").away(cloud))


def test_each_filter_leaves_out_what_it_says(bpy: Any, messy: Any, rooms: Any) -> None:
    f, number = messy.splatsmith_filters, np.arange(3000)
    for name, value, gone in (
        ("opacity", 0.5, number < 1000),
        ("size", 20.0, (number >= 20) & (number < 26)),
        ("elongation", 10.0, number == 25),
        ("distance", 3.5, number < 20),
        ("views", 2, number >= 2900),
    ):
        setattr(f, name, value)
        np.testing.assert_array_equal(away(rooms, messy), gone, err_msg=name)
        f.property_unset(name)
        setattr(f, name, 0)
        assert not away(rooms, messy).any(), name
    f.opacity, f.views = 0.5, 2
    assert away(rooms, messy).sum() == 1100
    assert bpy.ops.splatsmith.clear_filters() == {"FINISHED"}
    assert not away(rooms, messy).any() and f.opacity == 0


def test_a_crop_follows_the_empty(bpy: Any, messy: Any, rooms: Any) -> None:
    assert bpy.ops.splatsmith.add_crop(shape="BOX") == {"FINISHED"}
    crop = bpy.context.object
    assert crop.empty_display_type == "CUBE"
    points = rooms("scene.splats.pointclouds").positions(messy.data)
    crop.location, crop.scale, crop.rotation_euler = (0.2, 0, 0), (0.3, 0.2, 5), (0, 0, 0.7)
    bpy.context.view_layer.update()
    local = (points - [0.2, 0, 0]) @ np.array(crop.rotation_euler.to_matrix())
    inside = (np.abs(local) <= [0.3, 0.2, 5]).all(1)
    np.testing.assert_array_equal(away(rooms, messy), ~inside)
    crop.splatsmith_crop.outside = True
    np.testing.assert_array_equal(away(rooms, messy), inside)
    crop.splatsmith_crop.use = False
    assert not away(rooms, messy).any()
    crop.splatsmith_crop.use = True
    crop.empty_display_type = "SPHERE"
    crop.scale = (0.5, 0.5, 0.5)
    bpy.context.view_layer.update()
    near = np.linalg.norm(points - [0.2, 0, 0], axis=1) <= 0.5
    np.testing.assert_array_equal(away(rooms, messy), near)
    messy.location = (10, 0, 0)
    bpy.context.view_layer.update()
    assert not away(rooms, messy).any(), "the splats left the volume that they are cut out of"


def test_clean_up_hides_and_delete_hidden_takes_away(bpy: Any, messy: Any, rooms: Any) -> None:
    before = rooms("scene.splats.splats").read(messy)
    assert bpy.ops.splatsmith.clean_up() == {"FINISHED"}
    gone = away(rooms, messy)
    assert gone[:25].all() and gone[2900:].all() and gone[26:2900].sum() < 15
    np.testing.assert_array_equal(rooms("scene.splats.splats").read(messy).means, before.means)
    assert bpy.ops.splatsmith.delete_hidden() == {"FINISHED"}
    after = rooms("scene.splats.splats").read(messy)
    np.testing.assert_array_equal(after.means, before.means[~gone])
    with pytest.raises(RuntimeError, match="No splats are hidden"):
        bpy.ops.splatsmith.delete_hidden()


def test_the_largest_part_is_isolated(bpy: Any, messy: Any, rooms: Any) -> None:
    assert bpy.ops.splatsmith.isolate_largest() == {"FINISHED"}
    gone = away(rooms, messy)
    assert gone[:20].all() and gone.sum() < 60


def test_what_is_filtered_is_neither_selected_nor_exported(
    bpy: Any, messy: Any, rooms: Any, tmp_path: Path
) -> None:
    messy.splatsmith_filters.opacity = 0.5
    bpy.ops.splatsmith.selection(action="ALL")
    assert rooms("scene.splats.marks").selected(messy).sum() == 2000
    out = tmp_path / "out.ply"
    bpy.ops.splatsmith.export_splats(filepath=str(out))
    assert len(splat_ply.read(out)) == 2000 and "filtered" not in splat_ply.read(out).extra
    bpy.ops.splatsmith.export_splats(filepath=str(out), shown_only=False)
    assert len(splat_ply.read(out)) == 3000


def test_areas_take_centers_or_footprints(bpy: Any, messy: Any, rooms: Any) -> None:
    """Seen along -z, orthographic: 100 pixels a unit, the origin at (200, 100)."""
    areas, ops = rooms("scene.objects.areas"), rooms("operators.area_select")
    matrix = np.diag([100 / 200, 100 / 100, -0.01, 1.0])
    points = rooms("scene.splats.pointclouds").positions(messy.data)
    places = points[:, :2] * 100 + [200, 100]

    def taken(outline: Any, footprint: bool = False) -> np.ndarray:
        ops.select_in(messy, outline, matrix, (400, 200), "SET", footprint)
        return np.asarray(rooms("scene.splats.marks").read(messy, "selected"))

    box = areas.box((190.0, 130.0), (230.0, 90.0))
    inside = ((places >= [190, 90]) & (places <= [230, 130])).all(1)
    np.testing.assert_array_equal(taken(box), inside)
    round_ = np.linalg.norm(places - [210, 100], axis=1) < 15
    assert (taken(areas.circle((210.0, 100.0), 15.0)) != round_).sum() < 8
    lasso = np.array([[190.0, 90], [230, 90], [230, 130], [210, 100], [190, 130]])
    assert 0 < taken(lasso).sum() < inside.sum()
    empty = areas.box((395.0, 195.0), (399.0, 199.0))
    assert not taken(empty).any()
    reached = taken(empty, footprint=True)
    assert reached[20:25].all() and reached.sum() < 30, "only the giants reach there"


def test_a_million_splats_answer_at_once(
    bpy: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    g, f, n = np.random.default_rng(0), np.float32, 1_000_000
    means = np.concatenate([g.normal(size=(n - 50_000, 3)), g.uniform(-8, 8, (50_000, 3))])
    clouds, splats = rooms("scene.splats.pointclouds"), rooms("scene.splats.splats")
    arrays = SplatArrays(
        means=means.astype(f),
        quats=np.tile(np.array([1, 0, 0, 0], f), (n, 1)),
        log_scales=g.normal(-4, 0.7, (n, 3)).astype(f),
        opacity_logits=g.normal(size=n).astype(f),
        sh=g.normal(0, 0.3, (n, 1, 3)).astype(f),
    )
    cloud = splats.show(
        clouds.new_object(
            "Million", bpy.context.collection, arrays.means, splats.attributes(arrays)
        )
    )
    rooms("scene.framing").select_alone(bpy.context, cloud)
    spent: dict[str, float] = {}

    def timed(name: str, act: Any) -> None:
        start = time.perf_counter()
        act()
        spent[name] = time.perf_counter() - start

    for name, value in (("opacity", 0.3), ("size", 4.0), ("elongation", 3.0), ("distance", 3.0)):
        timed(name, lambda name=name, value=value: setattr(cloud.splatsmith_filters, name, value))
    bpy.ops.splatsmith.clear_filters()
    bpy.ops.splatsmith.add_crop(shape="BOX")
    crop = bpy.context.object
    crop.location.x += 0.3
    timed("crop", lambda: rooms("scene.splats.filtering").refresh(cloud))
    bpy.context.view_layer.update()
    cloud.splatsmith_filters.opacity = 0.3
    later = rooms("scene.splats.later")
    filtered = rooms("scene.splats.marks").stored(cloud, "filtered")
    monkeypatch.setattr(later, "at_once", lambda: False)  # as in a window
    cloud.splatsmith_filters.opacity = 0.0
    cloud.splatsmith_filters.opacity = 0.3
    crop.location.x += 0.2
    bpy.context.view_layer.update()

    def move_back() -> None:
        crop.location.x -= 0.2
        bpy.context.view_layer.update()
        while later.tick() is not None:
            pass

    timed("crop in a window", move_back)
    np.testing.assert_array_equal(rooms("scene.splats.marks").stored(cloud, "filtered"), filtered)
    bpy.ops.splatsmith.clear_filters()
    timed("clean up", bpy.ops.splatsmith.clean_up)
    print({name: round(seconds, 3) for name, seconds in spent.items()})
    assert spent.pop("clean up") < 15 and max(spent.values()) < 1, spent
