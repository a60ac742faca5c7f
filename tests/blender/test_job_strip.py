"""What the job strip tells and takes away: ended jobs as lines, cleared together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.protocol import Request
from backend.splats.splats_verb import SplatsOptions

from .conftest import ROOT


@pytest.fixture
def manager(bpy: Any, rooms: Any) -> Iterator[Any]:
    """The add-on's own, with nothing on its list before and after."""
    ours = rooms("jobs.manager").manager
    ours.jobs.clear()
    yield ours
    ours.jobs.clear()


@pytest.fixture
def add(rooms: Any, manager: Any, tmp_path: Path) -> Any:
    """Puts a job that has ended on the list."""

    def added(title: str, status: str, imported: bool = True) -> Any:
        (tmp_path / title).mkdir()
        request = Request(verb="splats", input="x", options=SplatsOptions(), title=title)
        job = rooms("jobs.manager").make_record(request, "python", ROOT, 0, tmp_path / title)
        job.status, job.imported = status, imported
        manager.jobs.append(job)
        return job

    return added


def test_only_what_needs_nothing_more_is_folded(bpy: Any, add: Any) -> None:
    done, failed, cancelled = add("a", "done"), add("b", "failed"), add("c", "cancelled")
    assert [job.folded for job in (done, failed, cancelled)] == [True, False, False]
    bpy.ops.splatsmith.unfold_job(job=done.number)
    assert not done.folded
    bpy.ops.splatsmith.unfold_job()  # the newest that is done
    assert done.folded
    done.advice = "It could not be imported."
    assert not done.folded


def test_what_the_scene_does_not_show_is_read_until_the_next_job(
    bpy: Any, rooms: Any, manager: Any, add: Any, tmp_path: Path
) -> None:
    job, note = add("film", "done", imported=False), add("note", "done", imported=False)
    (job.result).mkdir()
    (job.result / "video.mp4").write_bytes(b"")
    importers = rooms("scene.importers").IMPORTERS
    before, importers["splats"] = importers["splats"], lambda *_: "video.mp4 in its folder"
    try:
        for each in (job, note):
            rooms("operators.common").bring_in(bpy.context, each)
    finally:
        importers["splats"] = before
    assert (job.line, job.folded) == ("video.mp4 in its folder", False)
    assert note.folded, "its result is seen in the scene"
    other = rooms("jobs.manager").make_record(job.request, str(tmp_path / "none"), ROOT, 0)
    manager.submit(other)
    assert job.folded


def test_lines_are_broken_where_the_panel_ends(rooms: Any) -> None:
    broken = rooms("ui.job_strip").broken
    assert broken("", 10) == [""]
    assert broken("one two three four", 10) == ["one two", "three four"]
    assert broken("in ~/a/long/folder/name now", 10) == ["in", "~/a/long/f", "older/name", "now"]
    assert max(map(len, broken("x" * 35 + " yy", 16))) == 16


def test_finished_jobs_are_cleared_together(bpy: Any, manager: Any, add: Any) -> None:
    assert not bpy.ops.splatsmith.clear_finished.poll()
    left = [add("a", "failed"), add("b", "done", imported=False), add("c", "cancelled")]
    cleared = [add("d", "done"), add("e", "done")]
    assert bpy.ops.splatsmith.clear_finished() == {"FINISHED"}
    assert manager.jobs == left
    assert all((job.folder / "dismissed").exists() for job in cleared)
    assert not any((job.folder / "dismissed").exists() for job in left)


def test_dismissing_takes_one_job(bpy: Any, manager: Any, add: Any, tmp_path: Path) -> None:
    first, second, third = (add(name, "crashed") for name in "abc")
    bpy.ops.splatsmith.dismiss_job(job=second.number)
    assert manager.jobs == [first, third]
    bpy.ops.splatsmith.dismiss_job()  # from a menu: the newest
    assert manager.jobs == [first]
    (tmp_path / "before").mkdir()
    bpy.ops.splatsmith.dismiss_job(folder=str(tmp_path / "before"))
    assert (tmp_path / "before" / "dismissed").exists()
    bpy.ops.splatsmith.dismiss_job()
    with pytest.raises(RuntimeError, match="no such job"):
        bpy.ops.splatsmith.dismiss_job()
