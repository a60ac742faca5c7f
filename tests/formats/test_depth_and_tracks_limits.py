"""The ends of what depth maps and tracks can hold."""

import struct
from pathlib import Path

import numpy as np
import pytest
from helpers.archives import change

from backend.formats import depth_exr, tracks_file
from backend.protocol import InputError


def test_what_is_farther_than_a_half_can_tell_is_as_far_as_it_can(tmp_path: Path) -> None:
    depth = np.array([[65504, 65505, 1e6, 3e38]], np.float32)
    depth_exr.write(tmp_path / "d.exr", depth)
    found = depth_exr.read(tmp_path / "d.exr")
    assert found.tolist() == [[65504] * 4] and found.dtype == np.float32


def test_most_rows_of_tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracks_file.write(tmp_path / "t.npz", np.zeros((3, 4)))
    monkeypatch.setattr(tracks_file, "MOST_ROWS", 3)
    assert tracks_file.read(tmp_path / "t.npz").shape == (3, 4)
    monkeypatch.setattr(tracks_file, "MOST_ROWS", 2)
    with pytest.raises(InputError):
        tracks_file.read(tmp_path / "t.npz")


def test_one_number_that_is_none_spoils_the_tracks(tmp_path: Path) -> None:
    rows = np.zeros((3, 4))
    rows[2, 3] = np.nan
    tracks_file.write(tmp_path / "t.npz", rows)
    with pytest.raises(InputError):
        tracks_file.read(tmp_path / "t.npz")


def test_objects_in_a_file_are_never_run(tmp_path: Path) -> None:
    tracks_file.write(tmp_path / "t.npz", np.zeros((3, 4)))
    change(tmp_path / "t.npz", rows=np.zeros((3, 4), object))
    with pytest.raises(InputError, match="tracks"):
        tracks_file.read(tmp_path / "t.npz")


def test_a_depth_map_of_impossible_size_takes_no_memory(tmp_path: Path) -> None:
    depth_exr.write(tmp_path / "a.exr", np.ones((4, 5), np.float32))
    data, key = (tmp_path / "a.exr").read_bytes(), b"dataWindow\0box2i\0"
    assert depth_exr.exr_size(tmp_path / "a.exr") == (5, 4)
    at = data.index(key) + len(key) + 4
    for corner in (2_000_000_000, 40_000, -9):
        window = struct.pack("<4i", 0, 0, corner, corner)
        (tmp_path / "a.exr").write_bytes(data[:at] + window + data[at + 16 :])
        with pytest.raises(InputError, match="not a depth map"):
            depth_exr.read(tmp_path / "a.exr")
