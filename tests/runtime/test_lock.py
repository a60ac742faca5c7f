"""The lock of a job folder: seen while it is held, gone with its holder, not made by looking."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.places import ROOT

from backend.protocol import BusyError
from backend.runtime import lock


def test_a_lock_is_held_until_it_is_left(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with lock.hold(path):
        assert lock.is_held(path)
    assert path.is_file()
    assert not lock.is_held(path)


def test_looking_makes_no_lock(tmp_path: Path) -> None:
    assert not lock.is_held(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()


def test_looking_does_not_take_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    assert not lock.is_held(path)
    with lock.hold(path):
        assert lock.is_held(path)


def test_it_says_who_holds_it(tmp_path: Path) -> None:
    first, again = lock.hold(tmp_path / "lock"), lock.hold(tmp_path / "lock")
    with first, pytest.raises(BusyError, match=f", process {os.getpid()}\\."):
        again.__enter__()
    (tmp_path / "lock").write_bytes(b"process \xff\0 of a stranger" * 1000)
    with lock.hold(tmp_path / "lock"):
        (tmp_path / "lock").write_text("anything")
        with pytest.raises(BusyError) as told:
            lock.hold(tmp_path / "lock").__enter__()
    assert "anything" not in told.value.what


def test_a_disk_without_locks_is_no_busy_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_lock", refuse)
    with lock.hold(tmp_path / "lock"):
        assert not lock.is_held(tmp_path / "lock")


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    text = (
        "import sys, time; from pathlib import Path; from backend.runtime import lock\n"
        "with lock.hold(Path(sys.argv[1])): print(flush=True); time.sleep(3600)"
    )
    command = [sys.executable, "-c", text, str(tmp_path / "lock")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(BusyError, match=f"process {holder.pid}"):
            lock.hold(tmp_path / "lock").__enter__()
        holder.kill()
    with lock.hold(tmp_path / "lock"):
        assert lock.is_held(tmp_path / "lock")
