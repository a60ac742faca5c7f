"""A finished output holds that run's files and nothing else of ours; what is not ours stays."""

import contextlib
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from helpers.fake_verbs import leave, run

from backend import protocol
from backend.runtime import committing
from backend.runtime.folder import JobFolder, read_manifest
from backend.runtime.job import Job, Outcome

TEN = tuple(f"{number:04d}.png" for number in range(1, 11))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a")
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def names(folder: Path) -> set[str]:
    return {n for n in committing.listing(folder) if not n.startswith(".job")} - {"manifest.json"}


def test_pictures_of_the_run_before_go(source: Path, out: Path) -> None:
    run(leave(*TEN, "deep/er/a.txt", "video.mp4"), source, JobFolder.for_output(out))
    told = run(leave(*TEN[:4], text="new"), source, JobFolder.for_output(out))
    assert names(out) == set(TEN[:4])
    assert not (out / "deep").exists(), "an empty folder is nothing of this run"
    assert [w.code for w in told.all(protocol.Warn)] == ["FORMER"]
    assert "8 files" in told.all(protocol.Warn)[0].text
    assert read_manifest(out)["files"] == dict.fromkeys(TEN[:4], 3)
    assert not list((out / ".job").glob("replaced*"))


def test_what_is_not_ours_stays(source: Path, out: Path) -> None:
    run(leave(*TEN, "images/1.png"), source, JobFolder.for_output(out))
    (out / "notes.txt").write_text("mine")
    (out / "images" / "mine.png").write_text("mine")
    (out / "0009.png").write_text("retouched")  # listed, but not what was left
    (out / "0011.png").write_text("mine")
    told = run(leave("0001.png", "0011.png", "images/2.png"), source, JobFolder.for_output(out))
    assert told.end.summary == "done"
    kept = {"notes.txt", "images/mine.png", "0009.png", "0011 (kept).png"}
    assert names(out) == {"0001.png", "0011.png", "images/2.png"} | kept
    assert (out / "0011 (kept).png").read_text() == "mine"
    assert any("0011 (kept).png" in w.text for w in told.all(protocol.Warn))


def test_what_is_read_stays(source: Path, out: Path) -> None:
    run(leave("a.ply", "b.ply"), source, JobFolder.for_output(out))
    run(leave("c.ply"), out / "a.ply", JobFolder.for_output(out))
    assert names(out) == {"a.ply", "c.ply"}


@pytest.mark.parametrize("verb", ["render", "convert"])
def test_a_folder_without_a_list(verb: str, source: Path, out: Path) -> None:
    """Of a version that wrote none: only what is known to be of that verb goes."""
    out.mkdir()
    for name in (*TEN, "me.png", "video.mp4"):
        (out / name).write_text("old")
    (out / "manifest.json").write_text(json.dumps({"verb": verb}))
    run(leave("0001.png"), source, JobFolder.for_output(out), name=verb)
    ours = {*TEN[1:], "video.mp4"} if verb == "convert" else set()
    assert names(out) == {"0001.png", "me.png"} | ours


def test_a_list_that_leads_outside_is_not_followed(source: Path, out: Path) -> None:
    victim = out.parent / "victim.txt"
    victim.write_text("x")
    out.mkdir()
    files = {"../victim.txt": 1, str(victim): 1, "a/../../victim.txt": 1, "manifest.json": 1}
    (out / "manifest.json").write_text(json.dumps({"verb": "fake", "files": files}))
    assert run(leave("a.txt"), source, JobFolder.for_output(out)).end.summary == "done"
    assert victim.read_text() == "x"


def test_another_verbs_result_is_refused(source: Path, out: Path) -> None:
    run(leave("transforms.json"), source, JobFolder.for_output(out))
    told = run(leave("splats.ply"), source, JobFolder.for_output(out), name="other")
    assert told.end.code == "INPUT"
    assert "`fake`" in told.end.what
    assert names(out) == {"transforms.json"}
    assert read_manifest(out)["verb"] == "fake"


def fails(job: Job[Any]) -> Outcome:
    leave(*TEN[:2], text="new")(job)
    raise RuntimeError("broken")


def test_a_second_run_that_fails_leaves_the_first_result(source: Path, out: Path) -> None:
    run(leave(*TEN), source, JobFolder.for_output(out))
    before = read_manifest(out)
    assert run(fails, source, JobFolder.for_output(out)).end.code == "INTERNAL"
    assert names(out) == set(TEN)
    assert read_manifest(out) == before


@pytest.mark.parametrize("broken", range(1, 30))
def test_a_commit_that_breaks_off_brings_the_first_result_back(
    broken: int, source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every renaming in turn: by an error, and by a kill."""
    folder = JobFolder.for_output(out)
    run(leave("a/1.txt", "a/2.txt", "b", text="old"), source, folder)
    before = read_manifest(out)
    replace, left = os.replace, [broken]

    def tired(*paths: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.EACCES, "in use")
        replace(*paths)

    monkeypatch.setattr(committing.os, "replace", tired)
    told = run(leave("a/1.txt", "b/3.txt", "c", text="new!"), source, folder)
    monkeypatch.undo()
    is_done = told.end.code != "DISK" if isinstance(told.end, protocol.Failure) else True
    if is_done:
        assert names(out) == {"a/1.txt", "b/3.txt", "c"}
        assert read_manifest(out)["files"] == {"a/1.txt": 4, "b/3.txt": 4, "c": 4}
        return
    assert names(out) == {"a/1.txt", "a/2.txt", "b"}
    assert (out / "a" / "1.txt").read_text() == "old"
    assert read_manifest(out) == before


class Killed(BaseException):
    """Nothing of the program runs after it."""


@pytest.mark.parametrize("killed", range(1, 16))
def test_a_kill_while_committing(
    killed: int, source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = JobFolder.for_output(out)
    run(leave("a/1.txt", "a/2.txt", "b", text="old"), source, folder)
    replace, left = os.replace, [killed]

    def dying(*paths: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        replace(*paths)

    def work(job: Job[Any]) -> Outcome:
        monkeypatch.setattr(committing.os, "replace", dying)
        return leave("a/1.txt", "b/3.txt", "c", text="new!")(job)

    with contextlib.suppress(Killed):
        run(work, source, folder)
    monkeypatch.undo()
    is_done = folder.manifest.is_file() and "c" in read_manifest(out)["files"]
    run(fails, source, folder)  # the next run puts right what the kill left
    old, new = {"a/1.txt", "a/2.txt", "b"}, {"a/1.txt", "b/3.txt", "c"}
    assert names(out) == (new if is_done else old)
    assert (out / "a" / "1.txt").read_text() == ("new!" if is_done else "old")
    assert folder.manifest.is_file()
