"""The gate for files from outside: pipes, devices, folders and links answer at once."""

import os
import socket
from pathlib import Path

import pytest

from backend.formats import gate
from backend.protocol import InputError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a.bin").write_bytes(b"12345678")
    return tmp_path / "a.bin"


def refused(path: Path, most: int = 100) -> str:
    said = []
    for read in (gate.read_bytes, gate.check_file, gate.opened):
        with pytest.raises(InputError) as error:
            read(path, most)
        said.append(error.value.what)
    assert len(set(said)) == 1
    return said[0]


def test_ordinary_files_are_read(file: Path) -> None:
    assert gate.read_bytes(file) == b"12345678"
    assert gate.check_file(file) == 8
    with gate.opened(file) as opened:
        assert opened.read(3) == b"123"
    file.with_name("link").symlink_to(file)
    assert gate.read_bytes(file.with_name("link")) == b"12345678"


def test_pipes_devices_and_sockets_do_not_keep_anyone_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        for name in ("pipe", "zero", "s"):
            assert "no ordinary file" in refused(tmp_path / name)


def test_folders_links_and_names_that_no_file_has(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert "leads back to itself" in refused(tmp_path / "loop")
    assert "is a folder" in refused(tmp_path)
    assert "There is no file" in refused(tmp_path / "nothing")
    assert "There is no file" in refused(tmp_path / "nothing" / "below")
    assert "too long" in refused(tmp_path / ("n" * 300))
    assert "name of a file" in refused(Path("a\0b"))
    assert "name of a file" in refused(Path("\ud800"))
    assert not any(gate.is_file(Path(n)) for n in ("a\0b", "n" * 300, "\ud800"))


def test_sizes_are_looked_at_first(file: Path) -> None:
    assert gate.read_bytes(file, 8) == b"12345678"
    assert "too large" in refused(file, 7)
    os.truncate(file, 1 << 40)
    assert "may have 16 GB" in refused(file, 16 << 30)


def test_files_that_tell_no_size_end(monkeypatch: pytest.MonkeyPatch) -> None:
    growing = Path("/proc/self/status")  # its size is told as 0
    if not growing.is_file():
        pytest.skip("no /proc")
    assert gate.read_bytes(growing, 1 << 20).startswith(b"Name:")
    with pytest.raises(InputError, match="too large"):
        gate.read_bytes(growing, 10)


def test_text_and_its_lines(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes("\ufeffä\nb".encode())
    assert gate.read_text(file) == "ä\nb"
    assert list(gate.lines(file)) == ["\ufeffä\n".encode(), b"b"]
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="as text"):
        gate.read_text(file)
    monkeypatch.setattr(gate, "LONGEST_LINE", 4)
    file.write_bytes(b"abcdefgh")
    with pytest.raises(InputError, match="a line has no end"):
        list(gate.lines(file))
