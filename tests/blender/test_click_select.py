"""*Click*: views as the rasteriser takes them, the object under the mouse, and what a SAM sees
there.
"""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import click_scene

from .selections import selected

SAM = Path(__file__).parents[1] / "helpers" / "tiny_onnx.py"


def test_views_meet_the_viewports_own_projection(blender: Any, rooms: Any) -> None:
    """Points through Blender's matrices, and through ours."""
    from mathutils import Euler, Matrix, Vector

    view_of = rooms("words.click_view").view_of
    rng = np.random.default_rng(0)
    width, height = 1800, 700
    for _ in range(5):
        turned = Euler(rng.uniform(-1, 1, 3).tolist()).to_matrix().to_4x4()
        view_matrix = np.array(Matrix.Translation(Vector((0.3, -0.2, -5))) @ turned)
        window = np.zeros((4, 4))
        window[0, 0], window[1, 1] = 1.7, 1.7 * width / height
        window[0, 2], window[1, 2] = rng.uniform(-0.3, 0.3, 2)
        window[2, 2], window[2, 3], window[3, 2] = -1.01, -0.2, -1.0
        view = view_of(view_matrix, window, width, height)
        assert max(view.size) == 1024 and view.scale == pytest.approx(1024 / 1800)
        points = np.concatenate([rng.uniform(-1, 1, (20, 3)), np.ones((20, 1))], 1)
        clip = points @ (window @ view_matrix).T
        pixels = (clip[:, :2] / clip[:, 3:] + 1) / 2 * (width, height)
        eye = points @ np.array(view.viewmat).reshape(4, 4).T
        fl_x, fl_y, cx, cy = view.lens
        ours = np.stack([fl_x * eye[:, 0], fl_y * eye[:, 1]], 1) / eye[:, 2:3] + (cx, cy)
        told = np.array([view.place(x, y, height) for x, y in pixels])
        np.testing.assert_allclose(ours, told, atol=0.7)  # half a pixel: its size is rounded
        again = points @ view.to_clip().T
        same = (again[:, :2] / again[:, 3:] + 1) / 2 * np.array(view.size)
        np.testing.assert_allclose(same[:, 0], ours[:, 0], atol=1e-6)
        np.testing.assert_allclose(view.size[1] - same[:, 1], ours[:, 1], atol=1e-6)


def test_views_without_perspective_are_refused(blender: Any, rooms: Any) -> None:
    with pytest.raises(Exception, match="no perspective"):
        rooms("words.click_view").view_of(np.eye(4), np.eye(4), 10, 10)


@pytest.fixture
def balls(bpy: Any, rooms: Any, tmp_path: Path) -> tuple[Any, np.ndarray]:
    from backend.formats import splat_ply

    arrays, owner = click_scene.splats()
    splat_ply.write(tmp_path / "balls.ply", arrays, ())
    assert bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / "balls.ply")) == {"FINISHED"}
    cloud = rooms("scene.splats.splats").chosen(bpy.context)
    return cloud, owner


def view_at(rooms: Any, cloud: Any, ball: int) -> dict[str, Any]:
    """What the operator is told by a click on a ball, seen as by click_scene's camera, wherever the
    object stands in the scene.
    """
    viewmat = np.linalg.inv(np.array(cloud.matrix_world, np.float64))
    view = rooms("words.click_view").ClickView(
        viewmat=viewmat.ravel().tolist(), lens=click_scene.lens(), size=list(click_scene.SIZE),
        scale=1.0,
    )  # fmt: skip
    return {"view": json.dumps(dataclasses.asdict(view)), "place": click_scene.place_of(ball)}


def number(cloud: Any, rooms: Any, owner: np.ndarray) -> None:
    """Objects as a segmentation leaves them: the balls, not the wall."""
    objects = rooms("scene.objects.objects")
    rooms("scene.splats.pointclouds").write_attributes(
        cloud.data, {objects.LABEL: ("INT", np.where(owner < 2, owner, -1).astype(np.int32))}
    )
    for k in range(2):
        item = cloud.splatsmith_objects.add()
        item.name, item.number, item.count, item.parts = f"Ball {k}", k, 700, str(k)


def test_without_a_network_the_object_under_the_mouse_is_taken(
    bpy: Any, rooms: Any, balls: tuple[Any, np.ndarray]
) -> None:
    cloud, owner = balls
    cloud.rotation_euler = (0.3, 0, math.pi / 3)
    bpy.context.view_layer.update()
    bpy.context.scene.splatsmith.sam = ""
    click = bpy.ops.splatsmith.click_select
    with pytest.raises(RuntimeError, match="need a SAM"):
        click(**view_at(rooms, cloud, 0))
    number(cloud, rooms, owner)
    assert click(**view_at(rooms, cloud, 0)) == {"FINISHED"}
    np.testing.assert_array_equal(selected(rooms, cloud), owner == 0)
    assert click(mode="ADD", **view_at(rooms, cloud, 1)) == {"FINISHED"}
    np.testing.assert_array_equal(selected(rooms, cloud), owner < 2)
    assert click(mode="SUBTRACT", **view_at(rooms, cloud, 0)) == {"FINISHED"}
    np.testing.assert_array_equal(selected(rooms, cloud), owner == 1)
    with pytest.raises(RuntimeError, match="no object at that place"):
        click(view=view_at(rooms, cloud, 0)["view"], place=(5, 5))
    with pytest.raises(RuntimeError, match="need a SAM"):
        click(level="GROUP", **view_at(rooms, cloud, 0))
    with pytest.raises(RuntimeError, match="Nothing was clicked"):
        click()


def test_a_sam_says_what_is_under_the_mouse(
    bpy: Any, rooms: Any, balls: tuple[Any, np.ndarray], tmp_path: Path
) -> None:
    """The process of the compute environment renders the view and looks."""
    import subprocess

    from .conftest import COMPUTE, ROOT

    code = (
        f"import sys; sys.path[:0] = ['tests', '.']; from helpers import tiny_onnx; "
        f"from pathlib import Path; tiny_onnx.sam(Path(r'{tmp_path / 'sam'}'))"
    )
    subprocess.run([str(COMPUTE), "-c", code], cwd=ROOT, check=True, timeout=300)
    cloud, owner = balls
    cloud.location, cloud.scale = (1, 2, 3), (2, 2, 2)
    bpy.context.view_layer.update()
    bpy.context.scene.splatsmith.sam = str(tmp_path / "sam")
    click, clicking = bpy.ops.splatsmith.click_select, rooms("words.clicking")
    told = view_at(rooms, cloud, 0)
    view = json.loads(told["view"])
    rigid = np.linalg.inv(np.array(cloud.matrix_world)).reshape(4, 4)
    rigid[:3] *= 2  # the camera stands in the scene, where the balls are twice as large
    view["viewmat"] = rigid.ravel().tolist()
    told["view"] = json.dumps(view)
    try:
        assert click(**told) == {"FINISHED"}
        found = selected(rooms, cloud)
        assert (found & (owner == 0)).sum() > 0.8 * (found | (owner == 0)).sum()
        stamp = (clicking.clicking.folder / "splats.ply").stat().st_mtime_ns
        assert click(mode="ADD", **{**told, "place": click_scene.place_of(1)}) == {"FINISHED"}
        both = selected(rooms, cloud)
        assert (both & (owner < 2)).sum() > 0.8 * (both | (owner < 2)).sum()
        assert (clicking.clicking.folder / "splats.ply").stat().st_mtime_ns == stamp
        bpy.context.scene.splatsmith.sam = str(tmp_path / "none")
        with pytest.raises(RuntimeError, match="There is no folder"):
            click(**told)
    finally:
        folder = clicking.clicking.folder
        clicking.stop()
        rooms("words.asking").asking.process.stop()
    assert not folder.exists()
