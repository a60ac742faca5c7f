"""Binary COLMAP models that declare more than they hold."""

import struct
from pathlib import Path

import pytest

from backend.cameras.colmap.declared_counts import check_counts
from backend.protocol import InputError

CAMERA = struct.pack("<IiQQ4d", 1, 1, 40, 30, 30, 31, 20, 15)
POINT = struct.pack("<Q3d3Bd", 1, 0, 0, 5, 255, 0, 0, 0.5)
TRACK = struct.pack("<II", 1, 0)


def write(folder: Path, cameras: int = 1, points: int = 2, seen: int = 2) -> Path:
    (folder / "cameras.bin").write_bytes(struct.pack("<Q", cameras) + CAMERA)
    (folder / "images.bin").write_bytes(struct.pack("<Q", 0))
    body = POINT + struct.pack("<Q", 2) + TRACK * 2 + POINT + struct.pack("<Q", seen) + TRACK * 2
    (folder / "points3D.bin").write_bytes(struct.pack("<Q", points) + body)
    return folder


def test_a_whole_model_passes(tmp_path: Path) -> None:
    check_counts(write(tmp_path))
    check_counts(write(tmp_path, points=0))


@pytest.mark.parametrize("count", [3, 2**31, 2**60, 2**64 - 1])
@pytest.mark.parametrize("what", ["cameras", "points", "seen"])
def test_a_model_that_lies_is_damaged(tmp_path: Path, what: str, count: int) -> None:
    with pytest.raises(InputError, match="declares more than it holds"):
        check_counts(write(tmp_path, **{what: count}))


@pytest.mark.parametrize("part", ["cameras.bin", "points3D.bin"])
def test_an_empty_file_is_damaged(tmp_path: Path, part: str) -> None:
    write(tmp_path)
    (tmp_path / part).write_bytes(b"")
    with pytest.raises(InputError, match="declares more than it holds"):
        check_counts(tmp_path)
