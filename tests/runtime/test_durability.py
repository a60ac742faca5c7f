"""What a power cut or a full disk may take: never a result, nor the older checkpoint."""

import contextlib
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers.fake_verbs import leave, run

from backend import protocol
from backend.runtime import atomic, checkpoint, committing, disk, folder as folders
from backend.runtime.cancel import CancelToken
from backend.runtime.folder import JobFolder, read_manifest
from backend.runtime.job import Job, Outcome

STATE = "state.safetensors"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "in.txt").write_text("a")
    return tmp_path / "in.txt"


def save(job: Job[Any], step: int, size: int = 100) -> None:
    checkpoint.save(job.folder.checkpoint / STATE, {"x": torch.arange(size)}, {"step": step})


def recorded(monkeypatch: pytest.MonkeyPatch, root: Path) -> list[tuple[str, str]]:
    """(call, path below `root`) of everything that orders what is on the disk."""
    calls: list[tuple[str, str]] = []

    def named(path: Any) -> str:
        return os.path.relpath(path, root)

    real_open, real_sync, paths = os.open, os.fsync, {}

    def opened(path: Any, *arguments: Any, **named_arguments: Any) -> int:
        descriptor = real_open(path, *arguments, **named_arguments)
        paths[descriptor] = path
        return descriptor

    def synced(descriptor: int) -> None:
        calls.append(("fsync", named(paths[descriptor])))
        real_sync(descriptor)

    def renamed(one: Any, other: Any, _real: Any = os.replace) -> None:
        calls.append(("rename", named(other)))
        _real(one, other)

    def removed(path: Any, *arguments: Any, _real: Any = shutil.rmtree, **more: Any) -> None:
        calls.append(("remove", named(path)))
        _real(path, *arguments, **more)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    monkeypatch.setattr(shutil, "rmtree", removed)
    return calls


@pytest.mark.skipif(os.name == "nt", reason="Windows flushes folders by itself")
def test_files_then_folders_then_the_manifest_then_the_checkpoint_goes(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists: list[list[tuple[str, str]]] = []

    def work(job: Job[Any]) -> Outcome:
        save(job, 1)
        outcome = leave("splats.ply", "images/1.png")(job)
        lists.append(recorded(monkeypatch, tmp_path / "out"))
        return outcome

    run(work, source, JobFolder.for_output(tmp_path / "out"))
    (found,) = lists
    order = [
        ("fsync", ".job/staging/splats.ply"),
        ("fsync", ".job/staging"),
        ("rename", ".job/committing.json"),
        ("rename", "splats.ply"),
        ("fsync", "."),
        ("rename", "manifest.json"),
        ("fsync", "."),
        ("remove", ".job/checkpoint"),
    ]
    places = iter(found)
    assert all(step in places for step in order), found
    first_rename = found.index(("rename", ".job/committing.json"))
    assert ("fsync", ".job/staging/images/1.png") in found[:first_rename]
    assert ("fsync", ".job/staging/images") in found[:first_rename]
    manifest = found.index(("rename", "manifest.json"))
    assert ("fsync", "images") in found[:manifest]
    assert not [c for c in found[:manifest] if c == ("remove", ".job/checkpoint")]


def test_a_checkpoint_is_flushed_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = recorded(monkeypatch, tmp_path)
    checkpoint.save(tmp_path / STATE, {"x": torch.zeros(3)}, {})
    kinds = [kind for kind, _ in calls]
    assert kinds == ["fsync", "rename"] + (["fsync"] if os.name != "nt" else [])
    assert calls[1] == ("rename", STATE)
    assert calls[-1] == ("fsync", ".") or os.name == "nt"


@pytest.mark.parametrize(
    ("number", "passes"), [(errno.EINVAL, True), (errno.EIO, False), (errno.ENOSPC, False)]
)
def test_only_a_meaningless_refusal_to_flush_is_passed_over(
    number: int, passes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", refuse)
    with contextlib.nullcontext() if passes else pytest.raises(OSError, match="no"):
        atomic.write_bytes(tmp_path / "a", b"x")
    assert (tmp_path / "a").exists() == passes


def test_what_a_kill_left_half_written_goes(source: Path, tmp_path: Path) -> None:
    folder = JobFolder.for_output(tmp_path / "out")
    for place in (folder.root, folder.checkpoint, folder.previews):
        place.mkdir(parents=True, exist_ok=True)
        (place / ".state.123.part.safetensors").write_text("half")
    run(leave("a"), source, folder)
    assert not list((tmp_path / "out").rglob("*.part*"))


def test_a_checkpoint_that_cannot_be_written_is_told_once_and_the_work_goes_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel, folder = CancelToken(), JobFolder.for_output(tmp_path / "out")

    def work(job: Job[Any]) -> Outcome:
        save(job, 1)
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, "save_file", _no_space)
            for step in range(2, 6):
                save(job, step)
        cancel.set()
        job.progress(6, 10)
        raise AssertionError

    told = run(work, source, folder, cancel=cancel)
    (warned,) = told.all(protocol.Warn)
    assert warned.code == "CHECKPOINT"
    assert "it needs 800 bytes, and" in warned.text
    assert "are free" in warned.text
    assert told.end == protocol.Cancelled(resumable=True)
    assert checkpoint.load(folder.checkpoint / STATE)[1] == {"step": 1}


def _no_space(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_room_is_made_before_the_error_is_told(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is written on a disk that takes nothing as long as staging lies there."""
    folder, real = JobFolder.for_job(tmp_path / "job"), atomic.write_bytes

    def write(path: Path, data: bytes) -> None:
        if path.name == "state.json" and (folder.staging / "big").exists():
            _no_space()
        real(path, data)

    def work(job: Job[Any]) -> Outcome:
        (job.folder.staging / "big").write_bytes(bytes(3_000_000))
        monkeypatch.setattr(atomic, "write_bytes", write)
        job.stage("More", 1, 1)  # the work does not end for a state that can't be written
        _no_space()
        raise AssertionError

    told = run(work, source, folder)
    assert told.end.code == "DISK"
    assert "needs more than 3.0 MB, " in told.end.what
    assert "are free" in told.end.what
    assert '"failed"' in (folder.root / "state.json").read_text()
    assert not folder.staging.exists()


def test_what_is_needed_is_said_before_the_work(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda _: 300_000_000)

    def work(likely: float, least: float) -> Any:
        def needs(job: Job[Any]) -> Outcome:
            job.needs(likely, least)
            return leave("a")(job)

        return needs

    def at(likely: float, least: float = 0.0) -> Any:
        return run(work(likely, least), source, JobFolder.for_output(tmp_path / "out"))

    assert not at(1e6).all(protocol.Warn)
    (warned,) = at(1.2e9).all(protocol.Warn)
    assert warned.text == "The job needs about 1.2 GB, 300 MB are free."
    refused = at(1.2e9, 1.0e9).end
    assert (refused.code, refused.what) == (
        "DISK",
        "The job needs at least 1.0 GB, 300 MB are free.",
    )


def test_a_manifest_that_cannot_be_written_leaves_the_first_result(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    run(leave("a", text="old"), source, JobFolder.for_output(out))
    real = atomic.write_bytes

    def write(path: Path, data: bytes) -> None:
        if path.name in (committing.JOURNAL, committing.MANIFEST):
            _no_space()
        real(path, data)

    monkeypatch.setattr(atomic, "write_bytes", write)
    told = run(leave("a", text="new"), source, JobFolder.for_output(out))
    assert told.end.code == "DISK"
    assert (out / "a").read_text() == "old"
    assert "a" in read_manifest(out)["files"]


def test_a_state_that_cannot_be_written_does_not_unmake_a_result(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = JobFolder.for_output(tmp_path / "out")

    def write(self: JobFolder, state: protocol.JobState) -> None:
        if state.status == "done":
            _no_space()

    monkeypatch.setattr(folders.JobFolder, "write_state", write)
    assert isinstance(run(leave("a"), source, folder).end, protocol.Result)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True)
    except OSError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_a_real_full_disk(source: Path, small_disk: Path) -> None:
    """During the work, a checkpoint and a result; then there is room, and it goes on."""
    folder = JobFolder.for_output(small_disk / "out")
    seen: list[bool] = []

    def work(job: Job[Any]) -> Outcome:
        seen.append(job.resumed)
        if not job.resumed:
            save(job, 1, 100_000)
        save(job, 2, 450_000 if not job.resumed else 100_000)
        size = 4_000_000 if not job.resumed else 1_000_000
        (job.folder.staging / "result.bin").write_bytes(bytes(size))
        return Outcome("done")

    told = run(work, source, folder)
    (warned,) = told.all(protocol.Warn)
    assert "A checkpoint can't be written: it needs 3.6 MB, and" in warned.text
    assert (told.end.code, told.end.what.split(":")[0]) == ("DISK", "The disk is full")
    assert "it goes on where it was" in told.end.advice
    assert checkpoint.load(folder.checkpoint / STATE)[1] == {"step": 1}
    assert not folder.staging.exists()
    assert '"failed"' in (folder.root / "state.json").read_text()
    assert isinstance(run(work, source, folder).end, protocol.Result)
    assert seen == [False, True]
    assert read_manifest(small_disk / "out")["files"] == {"result.bin": 1_000_000}


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux's")
def test_libraries_that_lose_the_reason(source: Path, small_disk: Path) -> None:
    """NumPy says how many bytes were written, and safetensors gives words alone."""
    import numpy as np

    folder = JobFolder.for_output(small_disk / "out")

    def work(job: Job[Any]) -> Outcome:
        np.savez(job.folder.staging / "a.npz", a=np.zeros(1_000_000))
        return Outcome("done")

    told = run(work, source, folder)
    assert told.end.code == "DISK"
    assert "free" in told.end.what


def test_sizes_in_words() -> None:
    said = {0: "0 bytes", 999: "999 bytes", 40_000: "40 kB", 3e8: "300 MB", 1.2e9: "1.2 GB"}
    assert {size: disk.in_words(size) for size in said} == said
    assert disk.in_words(999_999) == "1.0 MB"
