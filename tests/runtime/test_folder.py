"""The job folder: whole results or none, one process at a time, a full disk loses nothing."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from helpers.places import ROOT

from backend.cameras.cameras_verb import CamerasOptions
from backend.protocol import BusyError, InputError, Request
from backend.runtime import atomic
from backend.runtime.folder import JobFolder, read_manifest

REQUEST = Request(verb="cameras", input="x", options=CamerasOptions())


def test_result_appears_whole(tmp_path: Path) -> None:
    folder = JobFolder.for_output(tmp_path / "out")
    with folder.held():
        folder.begin(REQUEST)
        (folder.staging / "images").mkdir()
        (folder.staging / "images" / "a.txt").write_text("a")
        assert not folder.manifest.exists()
        folder.commit({"verb": "cameras"})
    assert (tmp_path / "out" / "images" / "a.txt").read_text() == "a"
    assert read_manifest(tmp_path / "out") == {"verb": "cameras", "files": {"images/a.txt": 1}}
    assert not folder.staging.exists()


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    folder = JobFolder.for_output(tmp_path / "out")
    with folder.held():
        folder.begin(REQUEST)
        (folder.staging / "half").write_text("half")
        folder.discard()
    assert not (tmp_path / "out").exists()


@pytest.mark.process
def test_a_second_process_is_told(tmp_path: Path) -> None:
    folder = JobFolder.for_job(tmp_path)
    code = f"""
        import sys; sys.path.insert(0, {str(ROOT)!r})
        from pathlib import Path
        from backend.runtime.folder import JobFolder
        with JobFolder.for_job(Path({str(tmp_path)!r})).held():
            print("held", flush=True); sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BusyError), folder.held():
            pass
        other.kill()
        other.wait()
        with folder.held():  # a killed process leaves no lock behind
            pass


def test_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    with pytest.raises(InputError), JobFolder.for_output(tmp_path / "out").held():
        pass
    assert (tmp_path / "out").read_text() == "precious"


def test_output_with_other_files(tmp_path: Path) -> None:
    """A folder of photos given as --output by mistake keeps its photos."""
    (tmp_path / "out" / "images").mkdir(parents=True)
    (tmp_path / "out" / "images" / "photo.jpg").write_text("precious")
    with pytest.raises(InputError), JobFolder.for_output(tmp_path / "out").held():
        pass
    assert (tmp_path / "out" / "images" / "photo.jpg").read_text() == "precious"


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    atomic.write_json(path, {"old": True})
    code = f"""
        import resource, signal, sys; sys.path.insert(0, {str(ROOT)!r})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        from pathlib import Path
        from backend.runtime import atomic
        atomic.write_bytes(Path({str(path)!r}), b"x" * 100000)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "OSError" in done.stderr
    assert json.loads(path.read_text()) == {"old": True}
    assert [p.name for p in tmp_path.iterdir()] == ["state.json"]
