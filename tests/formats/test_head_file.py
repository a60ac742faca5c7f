"""Heads on disk."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.archives import change, label, with_value

from backend.formats import head_file
from backend.formats.head_file import Head
from backend.protocol import InputError

RANDOM = np.random.default_rng(0)
VERTICES = RANDOM.normal(size=(5, 3)).astype(np.float32)
FACES = np.array([[0, 1, 2, 3], [2, 3, 4, -1]], np.int32)
SHAPES = RANDOM.normal(size=(2, 5, 3)).astype(np.float16).astype(np.float32)
COLORS = (np.arange(15).reshape(5, 3) / 14).astype(np.float32)
HEAD = Head(
    name="somebody",
    vertices=VERTICES,
    faces=FACES,
    names=["jawOpen", "headYaw"],
    shapes=SHAPES,
    colors=COLORS,
    lowest=np.array([0, -1], np.float32),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    head_file.write(tmp_path / "head.npz", HEAD)
    return tmp_path / "head.npz"


def test_heads_come_back(file: Path) -> None:
    found = head_file.read(file)
    assert (found.name, found.names) == ("somebody", ["jawOpen", "headYaw"])
    for name in ("vertices", "faces", "shapes", "lowest"):
        np.testing.assert_array_equal(getattr(found, name), getattr(HEAD, name))
        assert getattr(found, name).dtype == getattr(HEAD, name).dtype
    np.testing.assert_allclose(found.colors, COLORS, atol=0.5 / 255 + 1e-7)


@pytest.mark.parametrize("wrong", [
    {"vertices": VERTICES[:, :2]}, {"vertices": VERTICES[:4]}, {"vertices": VERTICES.ravel()},
    {"vertices": VERTICES[:0]}, {"faces": FACES[0]}, {"faces": FACES[:, :3]},
    {"faces": with_value(FACES, (1, 2), 5)}, {"faces": with_value(FACES, (1, 2), -1)},
    {"faces": with_value(FACES, (0, 0), -1)}, {"faces": with_value(FACES, (0, 3), 5)},
    {"shapes": SHAPES[:1]}, {"shapes": SHAPES[:, :4]}, {"names": np.array(["jawOpen"])},
    {"lowest": np.zeros(3)}, {"colors": np.zeros((5, 4), np.uint8)},
    {"colors": np.zeros((4, 3), np.uint8)},
], ids=label)  # fmt: skip
def test_parts_that_do_not_fit(wrong: dict[str, Any], file: Path) -> None:
    change(file, **wrong)
    with pytest.raises(InputError, match="do not fit together"):
        head_file.read(file)


@pytest.mark.parametrize("wrong", [
    {"vertices": with_value(VERTICES, (4, 2), np.nan)},
    {"shapes": with_value(SHAPES, (1, 4, 2), np.inf)},
], ids=label)  # fmt: skip
def test_numbers_that_are_none(wrong: dict[str, Any], file: Path) -> None:
    change(file, **wrong)
    with pytest.raises(InputError, match="numbers that are none"):
        head_file.read(file)


@pytest.mark.parametrize(
    "name", ["name", "vertices", "faces", "names", "shapes", "colors", "lowest"]
)
def test_parts_that_are_missing(name: str, file: Path) -> None:
    change(file, **{name: None})
    with pytest.raises(InputError, match="not a head"):
        head_file.read(file)


def test_heads_without_faces_or_shapes(file: Path) -> None:
    change(file, faces=FACES[:0], shapes=SHAPES[:0], names=np.zeros(0, str), lowest=np.zeros(0))
    assert len(head_file.read(file).faces) == 0
    change(
        file, vertices=VERTICES[:1], colors=np.zeros((1, 3), np.uint8), shapes=np.zeros((0, 1, 3))
    )
    assert len(head_file.read(file).vertices) == 1
    change(
        file, vertices=VERTICES[:0], colors=np.zeros((0, 3), np.uint8), shapes=np.zeros((0, 0, 3))
    )
    with pytest.raises(InputError, match="do not fit together"):
        head_file.read(file)


def test_most_vertices(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_file, "MOST", 5)
    assert len(head_file.read(file).vertices) == 5
    monkeypatch.setattr(head_file, "MOST", 4)
    with pytest.raises(InputError):
        head_file.read(file)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match="not a head"):
        head_file.read(tmp_path / "a.npz")


def test_objects_in_a_file_are_never_run(file: Path) -> None:
    change(file, name=np.array(Path(), object))
    with pytest.raises(InputError, match="not a head"):
        head_file.read(file)
