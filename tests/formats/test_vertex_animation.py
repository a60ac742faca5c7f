"""Vertex-animation textures: what is written can be read back, by us and by any PNG reader."""

from pathlib import Path

import numpy as np
import pytest

from backend.formats import vertex_animation
from backend.protocol import InputError


def moving(frames: int = 7, count: int = 5000) -> np.ndarray:
    random = np.random.default_rng(0)
    return (
        random.normal(size=(1, count, 3)) + random.normal(size=(frames, count, 3)) * 0.1
    ).astype(np.float32)


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    positions = moving()
    error = vertex_animation.write(tmp_path / "a.png", positions)
    assert error < 1e-4
    assert (
        np.abs(vertex_animation.read(tmp_path / "a.png", positions[0]) - positions).max()
        / np.ptp(positions)
        < 1e-4
    )


def test_is_a_picture_that_others_read(tmp_path: Path) -> None:
    import cv2

    positions = moving()
    vertex_animation.write(tmp_path / "a.png", positions)
    pixels = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    assert pixels.dtype == np.uint16 and pixels.shape == (14, 4096, 3)
    ways = positions - positions[0]
    levels = pixels[..., ::-1].reshape(7, -1, 3)[:, :5000] / 65535
    assert np.abs(levels * (ways.max() - ways.min()) + ways.min() - ways).max() < 1e-4


def test_normals_and_a_text_lie_beside_it(tmp_path: Path) -> None:
    import cv2

    positions = moving()
    way = np.random.default_rng(1).normal(size=positions.shape)
    normals = (way / np.linalg.norm(way, axis=-1, keepdims=True)).astype(np.float32)
    path = tmp_path / "part-a.png"
    vertex_animation.write(path, positions, 12.5)
    vertex_animation.write_normals(path, normals, "a.png")
    pixels = cv2.imread(str(vertex_animation.normals_file(path)), cv2.IMREAD_UNCHANGED)
    assert pixels.dtype == np.uint8 and pixels.shape == (14, 4096, 3)
    levels = pixels[..., ::-1].reshape(7, -1, 3)[:, :5000] / 255 * 2 - 1
    assert np.abs(levels - normals).max() < 1 / 255 + 1e-6
    text = vertex_animation.readme_file(path).read_text(encoding="utf-8")
    assert "a.png" in text and "a_normals.png" in text and "part-" not in text and "12.5" in text
    assert "{" not in text
    assert vertex_animation.seconds(path) == 6 / 12.5, "the note is still read"


def test_what_does_not_fit_or_is_damaged_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="do not fit"):
        vertex_animation.write(tmp_path / "a.png", np.zeros((9000, 5000, 3), np.float16))
    positions = moving()
    vertex_animation.write(tmp_path / "b.png", positions)
    with pytest.raises(InputError, match="mesh with 5,000"):
        vertex_animation.read(tmp_path / "b.png", positions[0, :10])
    (tmp_path / "b.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="no vertex-animation"):
        vertex_animation.read(tmp_path / "b.png", positions[0])
