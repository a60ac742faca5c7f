"""Every job ends in something that is seen: pictures in an editor, videos by a button, heads and
meshes framed and clear of what would hide them.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backend.protocol import Request
from backend.semantics.rendering.render_verb import RenderOptions

from .conftest import ROOT
from .test_gaussian_head import grid_head


def write_image(bpy: Any, path: Path, size: int = 8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("written", size, size)
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def windows_with(*spaces: Any) -> list[Any]:
    areas = [
        SimpleNamespace(type="IMAGE_EDITOR", spaces=SimpleNamespace(active=space))
        for space in spaces
    ]
    viewport = SimpleNamespace(type="VIEW_3D", spaces=SimpleNamespace(active=None))
    return [SimpleNamespace(screen=SimpleNamespace(areas=[viewport, *areas]))]


def test_a_still_takes_the_place_of_the_last_one(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    results, windows = rooms("scene.results"), len(bpy.context.window_manager.windows)
    for size in (8, 16):
        write_image(bpy, tmp_path / "still" / "0001.png", size)
        line = results.import_render(bpy.context, tmp_path / "still", RenderOptions())
    assert line == "the picture is the image Splat Render", "no window: nothing is opened"
    assert len(bpy.context.window_manager.windows) == windows
    renders = [image for image in bpy.data.images if image.name.startswith("Splat Render")]
    assert [tuple(image.size) for image in renders] == [(16, 16)]


def test_a_still_leaves_alone_what_the_artist_looks_at(
    bpy: Any, rooms: Any, tmp_path: Path
) -> None:
    image, other = bpy.data.images.new("mine", 4, 4), bpy.data.images.new("other", 4, 4)
    free = SimpleNamespace(image=None, use_image_pin=False)
    render = SimpleNamespace(image=SimpleNamespace(type="RENDER_RESULT"), use_image_pin=False)
    before = SimpleNamespace(image=image, use_image_pin=False)
    busy = SimpleNamespace(image=other, use_image_pin=False)
    pinned = SimpleNamespace(image=None, use_image_pin=True)
    spaces = rooms("scene.image_window").free_spaces(
        windows_with(free, render, before, busy, pinned), image
    )
    assert spaces == [free, render, before]


def test_an_animation_says_where_its_video_is(bpy: Any, rooms: Any, tmp_path: Path) -> None:
    job = rooms("jobs.manager").make_record(
        Request(verb="render", input="x.ply", options=RenderOptions(video=24.0), title="x"),
        "python",
        ROOT,
        0,
        tmp_path,
    )
    for number in (1, 2):
        write_image(bpy, job.result / f"{number:04d}.png")
    (job.result / "video.mp4").write_bytes(b"")
    line = rooms("operators.common").bring_in(bpy.context, job)
    assert line == f"video.mp4 and 2 pictures in {job.result}"
    assert job.film == str(job.result / "video.mp4")


@pytest.fixture
def framed(bpy: Any, rooms: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], bool]]:
    """What viewports were told to show, and whether a camera's view is kept."""
    calls: list[tuple[list[str], bool]] = []

    def frame(context: Any, keep_camera: bool = False) -> None:
        calls.append(([thing.name for thing in context.selected_objects], keep_camera))

    monkeypatch.setattr(rooms("scene.framing"), "frame_selected", frame)
    return calls


@pytest.fixture
def head_folder(tmp_path: Path) -> Path:
    from backend.formats import head_file

    (tmp_path / "Ann").mkdir()
    head_file.write(tmp_path / "Ann" / head_file.NAME, grid_head(np.random.default_rng(0)))
    return tmp_path / "Ann"


@pytest.mark.parametrize("moved", [False, True])
def test_a_head_stands_clear_of_the_default_cube(
    bpy: Any, rooms: Any, framed: list[Any], head_folder: Path, moved: bool
) -> None:
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    if moved:  # whoever has touched it wants it there
        cube.location.x = 0.5
    bpy.context.view_layer.update()
    line = rooms("scene.results").import_face(bpy.context, head_folder, "Ann", 1)
    head = bpy.data.objects["Ann Head"]
    assert head.location.y == (0.0 if moved else -1.5)
    assert line == "Ann Head: 2 shape keys" + (
        "" if moved else f", in front of {cube.name}, which would hide it"
    )
    assert framed == [(["Ann Head"], False)]
    assert not cube.hide_get()


def test_a_hidden_cube_hides_nothing(bpy: Any, rooms: Any, head_folder: Path) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.hide_set(True)
    rooms("scene.results").import_face(bpy.context, head_folder, "Ann", 1)
    assert tuple(bpy.data.objects["Ann Head"].location) == (0, 0, 0)


def test_an_animated_mesh_is_framed(framed: list[Any], wave: Any) -> None:
    assert framed == [([wave.name], False)]


def test_a_camera_that_the_view_is_locked_to_stays(rooms: Any) -> None:
    is_kept = rooms("scene.framing")._is_kept
    camera, free = (SimpleNamespace(view_perspective=kind) for kind in ("CAMERA", "PERSP"))
    assert is_kept(SimpleNamespace(region_3d=camera, lock_camera=True), False)
    assert is_kept(SimpleNamespace(region_3d=camera, lock_camera=False), True)
    assert not is_kept(SimpleNamespace(region_3d=camera, lock_camera=False), False)
    assert not is_kept(SimpleNamespace(region_3d=free, lock_camera=True), True)
