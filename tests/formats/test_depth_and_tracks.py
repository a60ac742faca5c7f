"""Depth maps and tracks on disk: what is written is read, what is damaged is one sentence."""

from pathlib import Path

import numpy as np
import pytest

from backend.formats import depth_exr, tracks_file
from backend.protocol import InputError


def test_depth_is_kept_to_half_precision_and_holes_are_zero(tmp_path: Path) -> None:
    depth = np.geomspace(0.01, 5000, 48).reshape(6, 8).astype(np.float32)
    depth[0, :4] = [np.nan, np.inf, -1, 0]
    depth_exr.write(tmp_path / "d.exr", depth)
    found = depth_exr.read(tmp_path / "d.exr")
    assert (found[0, :4] == 0).all()
    np.testing.assert_allclose(found[1:], depth[1:], rtol=1e-3)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x76\x2f\x31\x01" + b"\0" * 40])
def test_damaged_depth_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d.exr").write_bytes(content)
    with pytest.raises(InputError, match="not a depth map"):
        depth_exr.read(tmp_path / "d.exr")


def test_tracks_come_back(tmp_path: Path) -> None:
    rows = np.array([[1, 0, 0.25, 0.5], [2, 0, 0.3, 0.5]])
    tracks_file.write(tmp_path / "tracks.npz", rows)
    np.testing.assert_allclose(tracks_file.read(tmp_path / "tracks.npz"), rows)


def test_damaged_tracks_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "tracks.npz"
    for write in (
        lambda: path.write_bytes(b"PK"),
        lambda: np.savez(path, other=np.zeros(3)),
        lambda: np.savez(path, rows=np.zeros((3, 2))),
        lambda: np.savez(path, rows=np.full((3, 4), np.nan)),
        lambda: np.savez(path, rows=np.array([{}], dtype=object)),
    ):
        write()
        with pytest.raises(InputError, match="tracks"):
            tracks_file.read(path)
