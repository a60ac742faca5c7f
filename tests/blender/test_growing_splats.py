"""Splats that are shown while they train: a stand-in under their capture, gone with the job."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def job(bpy: Any, capture_folder: Path, splat_file: Path, tmp_path: Path) -> Any:
    bpy.ops.splatsmith.import_capture(directory=str(capture_folder))
    (tmp_path / "splats.ply").write_bytes(splat_file.read_bytes())
    capture = bpy.context.scene.splatsmith.capture
    return SimpleNamespace(
        number=7,
        preview=str(tmp_path / "000001.png"),
        request=SimpleNamespace(verb="splats", input=capture),
    )


def test_a_stand_in_grows_under_its_capture_and_goes(bpy: Any, rooms: Any, job: Any) -> None:
    growing, splats = rooms("scene.growing_splats"), rooms("scene.splats.splats")
    growing.follow(job)
    first = growing.stand_in(7)
    assert first.parent.get("splatsmith_capture") == job.request.input
    assert first.hide_render and first.hide_select and splats.is_splats(first)
    assert splats.chosen(bpy.context) is None, "no tool works on it"
    growing.follow(job)
    assert sum(splats.GROWING in o for o in bpy.data.objects) == 1
    count = len(bpy.data.pointclouds)
    growing.remove(7)
    assert growing.stand_in(7) is None and len(bpy.data.pointclouds) == count - 1
    growing.remove(7)


def test_the_captures_points_give_way_while_it_grows(bpy: Any, rooms: Any, job: Any) -> None:
    growing, cameras = rooms("scene.growing_splats"), rooms("scene.captures.cameras")
    root = rooms("scene.captures.collections").find_root(bpy.context.scene, job.request.input)
    points = cameras.points_of(root)
    assert points.visible_get()
    for _ in range(2):
        growing.follow(job)
        assert not points.visible_get()
    growing.remove(7)
    assert points.visible_get(), "a job that was cancelled leaves what was there"
    points.hide_set(True)
    growing.follow(job)
    growing.remove(7)
    assert not points.visible_get(), "who had hidden them keeps them hidden"


def test_half_a_file_or_no_capture_changes_nothing(bpy: Any, rooms: Any, job: Any) -> None:
    growing = rooms("scene.growing_splats")
    Path(job.preview).with_name("splats.ply").write_bytes(b"ply\nformat")
    growing.follow(job)
    job.request.input = "elsewhere"
    growing.follow(job)
    job.request.verb = "cameras"
    growing.follow(job)
    assert growing.stand_in(7) is None


def test_a_preview_is_shown_once_and_its_failure_is_not_the_jobs(
    rooms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifecycle = rooms("jobs.lifecycle")
    told: list[str] = []

    def show(job: Any) -> None:
        told.append(job.preview)
        raise RuntimeError("no window")

    running = SimpleNamespace(preview="a.png", file_token=lifecycle.file_token(), number=1)
    monkeypatch.setattr(lifecycle, "manager", SimpleNamespace(running=running))
    monkeypatch.setattr(lifecycle, "_show", show)
    lifecycle._preview()
    lifecycle._preview()
    running.preview = "b.png"
    lifecycle._preview()
    running.preview, running.file_token = "c.png", -1
    lifecycle._preview()
    assert told == ["a.png", "b.png"]
