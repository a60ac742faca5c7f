"""Every job ends in something that is seen: pictures in an editor, videos by a button."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from backend.protocol import Request
from backend.splats.render_verb import RenderOptions

from .conftest import ROOT


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
