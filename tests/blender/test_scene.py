"""Results as data-blocks: cameras that project like the capture's, splats that come back as they
went in.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.formats import capture as captures, splat_ply


@pytest.mark.smoke
def test_imported_camera_sees_what_the_capture_saw(bpy: Any, capture_folder: Path) -> None:
    """A point of the capture's world, placed under the root, lands on the same pixel through
    Blender's camera.
    """
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    bpy.ops.splatsmith.import_capture(directory=str(capture_folder))
    scene, frames = bpy.context.scene, captures.read(capture_folder).frames
    assert (scene.frame_start, scene.frame_end) == (1, len(frames))
    assert (scene.render.resolution_x, scene.render.resolution_y) == (
        frames[0].width,
        frames[0].height,
    )
    root = next(o for o in scene.objects if o.type == "EMPTY")
    point = np.array([0.3, -0.2, -0.5])
    for number, frame in enumerate(frames, 1):
        scene.frame_set(number)
        seen = world_to_camera_view(scene, scene.camera, root.matrix_world @ Vector(point.tolist()))
        local = np.linalg.inv(frame.camera_to_world) @ [*point, 1]
        x, y = (
            frame.cx + frame.fl_x * local[0] / -local[2],
            frame.cy - frame.fl_y * local[1] / -local[2],
        )
        assert seen.x * frame.width == pytest.approx(x, abs=0.05)
        assert (1 - seen.y) * frame.height == pytest.approx(y, abs=0.05)
    background = scene.camera.data.background_images[0].image
    assert background.source == "SEQUENCE"
    ups = [np.array(root.matrix_world)[:3, :3] @ f.camera_to_world[:3, 1] for f in frames]
    assert np.mean(ups, 0)[2] / np.linalg.norm(np.mean(ups, 0)) > 0.99, "upright"


@pytest.mark.smoke
def test_splats_carry_blenders_own_layout(bpy: Any, splat_file: Path) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    cloud = next(
        o for o in bpy.data.objects if "radiance:base" in getattr(o.data, "attributes", {})
    )
    kinds = {a.name: a.data_type for a in cloud.data.attributes}
    assert kinds["scale"] == "FLOAT_VECTOR"
    assert kinds["rotation"] == "QUATERNION"
    assert kinds["radiance:base"] == ("FLOAT4" if bpy.app.version >= (5, 0, 0) else "FLOAT_COLOR")
    assert all(kinds[f"radiance:sh_{k}"] == "FLOAT_VECTOR" for k in range(15))
    assert cloud.type == "POINTCLOUD"
    arrays = splat_ply.read(splat_file)
    scale = np.empty(600, np.float32)
    cloud.data.attributes["scale"].data.foreach_get("vector", scale)
    np.testing.assert_allclose(scale.reshape(-1, 3), np.exp(arrays.log_scales), rtol=1e-6)


def test_splats_come_back_as_they_went_in(bpy: Any, splat_file: Path, tmp_path: Path) -> None:
    bpy.ops.splatsmith.import_splats(filepath=str(splat_file))
    bpy.ops.splatsmith.export_splats(filepath=str(tmp_path / "out.ply"))
    before, after = splat_ply.read(splat_file), splat_ply.read(tmp_path / "out.ply")
    np.testing.assert_array_equal(before.means, after.means)
    np.testing.assert_array_equal(before.sh, after.sh)
    np.testing.assert_allclose(before.quats, after.quats, atol=1e-6)
    np.testing.assert_allclose(before.log_scales, after.log_scales, atol=1e-5)
    np.testing.assert_allclose(before.opacity_logits, after.opacity_logits, atol=1e-5)


def test_bad_files_leave_the_scene_alone(bpy: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 9999999\nproperty float x\nend_header\n1\n"
    )
    with pytest.raises(RuntimeError, match="promises"):
        bpy.ops.splatsmith.import_splats(filepath=str(tmp_path / "bad.ply"))
    with pytest.raises(RuntimeError, match=r"transforms\.json"):
        bpy.ops.splatsmith.import_capture(directory=str(tmp_path))
    assert not bpy.data.objects
    assert not bpy.data.collections


def test_cycles_shows_the_splats(bpy: Any, plain_splat_file: Path, tmp_path: Path) -> None:
    """F12 with Cycles is close to the backend's rasteriser: the same picture, blended by rays."""
    bpy.ops.splatsmith.import_splats(filepath=str(plain_splat_file))
    scene = bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    camera.location, camera.rotation_euler, scene.camera = (0, -4.5, 0), (math.pi / 2, 0, 0), camera
    render = scene.render
    render.engine, scene.cycles.samples, render.film_transparent = "CYCLES", 64, True
    render.resolution_x, render.resolution_y, render.filepath = 96, 64, str(tmp_path / "cycles.png")
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
    scene.view_settings.view_transform = "Standard"
    bpy.ops.render.render(write_still=True)
    bpy.ops.splatsmith.render_splats()

    def pixels(image: Any) -> np.ndarray:
        flat = np.empty(96 * 64 * 4, np.float32)
        image.pixels.foreach_get(flat)
        values = flat.reshape(64, 96, 4)
        return np.concatenate([values[..., :3] * values[..., 3:], values[..., 3:]], -1)

    cycles = pixels(bpy.data.images.load(str(tmp_path / "cycles.png")))
    ours = pixels(bpy.data.images["Splat Render"])
    assert ours[..., 3].mean() > 0.2
    assert np.corrcoef(cycles[..., 3].ravel(), ours[..., 3].ravel())[0, 1] > 0.95
    assert np.abs(cycles - ours).mean() < 0.05


def test_the_photo_fades_over_the_splats(bpy: Any, capture_folder: Path) -> None:
    bpy.ops.splatsmith.import_capture(directory=str(capture_folder))
    background = bpy.context.scene.camera.data.background_images[0]
    before = background.display_depth, background.alpha
    settings = bpy.context.scene.splatsmith
    settings.compare, settings.photo = "FADE", 0.8
    assert (background.display_depth, round(background.alpha, 3)) == ("FRONT", 0.8)
    settings.photo = 0
    assert (background.display_depth, background.alpha) == before == ("BACK", 0.5)


def test_the_photo_is_wiped_over_the_splats_picture_by_picture(
    bpy: Any, capture_folder: Path
) -> None:
    bpy.ops.splatsmith.import_capture(directory=str(capture_folder))
    scene, pictures = bpy.context.scene, sorted((capture_folder / "images").iterdir())
    scene.frame_set(1)
    scene.splatsmith.compare, scene.splatsmith.photo = "WIPE", 0.5
    background = scene.camera.data.background_images[0]
    assert (background.display_depth, background.alpha) == ("BACK", 0.5)
    shown = bpy.data.images["Splatsmith Photo"]
    for frame in (1, 2, len(pictures), len(pictures) + 5):
        scene.frame_set(frame)
        assert Path(shown.filepath) == pictures[min(frame, len(pictures)) - 1]
        assert tuple(shown.size) == tuple(background.image.size)
    scene.splatsmith.photo = 0
    scene.frame_set(2)
    assert Path(shown.filepath) == pictures[-1]  # nothing is read that nobody sees
    scene.splatsmith.photo = 0.5
    background.image.filepath = str(capture_folder / "gone" / pictures[0].name)
    scene.frame_set(1)
    assert "Splatsmith Photo" not in bpy.data.images, "no photo rather than another frame's"


@pytest.mark.smoke
def test_paths_of_settings_may_begin_at_the_file(bpy: Any) -> None:
    """Blender shows a path with // in red where that is not said."""
    settings = bpy.context.scene.splatsmith
    groups = [settings, settings.face_videos.add(), settings.face_targets.add()]
    paths = [
        prop
        for group in groups
        for prop in group.bl_rna.properties
        if prop.type == "STRING" and prop.subtype in ("FILE_PATH", "DIR_PATH")
    ]
    assert len(paths) > 20
    assert not [p.identifier for p in paths if not p.is_path_supports_blend_relative]
    settings.face_videos.clear()
    settings.face_targets.clear()
