"""Counts in COLMAP's binary files that the files can't bear out."""

import struct
import time
from pathlib import Path

import pycolmap
import pytest
from helpers.foreign_solves import Model

from backend.formats.colmap_counts import check_counts
from backend.protocol import InputError

PARTS = ("cameras", "rigs", "frames", "points3D")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "text").mkdir()
    (tmp_path / "binary").mkdir()
    Model(names=["a.png", "b.png", "c.png"]).write(tmp_path / "text")
    pycolmap.Reconstruction(tmp_path / "text").write_binary(tmp_path / "binary")
    return tmp_path / "binary"


def test_whole_models_pass(model: Path) -> None:
    assert all((model / f"{part}.bin").is_file() for part in PARTS)
    check_counts(model)
    for part in PARTS:
        (model / f"{part}.bin").unlink()
    check_counts(model)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("count", [2**60, 2**32, 10**6, 100])
def test_more_rows_than_the_file_holds(part: str, count: int, model: Path) -> None:
    path = model / f"{part}.bin"
    path.write_bytes(struct.pack("<Q", count) + path.read_bytes()[8:])
    begun = time.process_time()
    with pytest.raises(InputError, match=rf"{part}\.bin ends before"):
        check_counts(model)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("part", PARTS)
def test_files_that_are_cut_off(part: str, model: Path) -> None:
    path = model / f"{part}.bin"
    data = path.read_bytes()
    for cut in (0, 4, len(data) // 2, len(data) - 1):
        if part == "cameras" and cut > 8 + 24 + 24:
            continue  # COLMAP itself tells: how long a lens is, only it knows
        path.write_bytes(data[:cut])
        with pytest.raises(InputError, match="damaged"):
            check_counts(model)


def test_rows_within_rows(model: Path) -> None:
    """Observations of a point, sensors of a rig, pictures of a frame."""
    for part, at, kind in (("points3D", 8 + 43, "<Q"), ("rigs", 12, "<I"), ("frames", 72, "<I")):
        path = model / f"{part}.bin"
        data = path.read_bytes()
        path.write_bytes(
            data[:at] + b"\xff" * struct.calcsize(kind) + data[at + struct.calcsize(kind) :]
        )
        with pytest.raises(InputError, match=rf"{part}\.bin"):
            check_counts(model)
        path.write_bytes(data)
