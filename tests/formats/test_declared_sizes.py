"""Files that declare more than they hold are refused before Blender sees them."""

import json
import struct
from pathlib import Path

import pytest

from backend.formats import declared_sizes, mesh_numbers
from backend.protocol import InputError

PLY = "ply\nformat {} 1.0\nelement vertex {}\nproperty float x\nproperty uchar r\n{}end_header\n"


def write(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_whole_ply_files_pass(tmp_path: Path) -> None:
    whole = PLY.format("binary_little_endian", 3, "").encode() + b"\0" * 15
    assert not declared_sizes.is_empty(write(tmp_path / "a.ply", whole))
    text = PLY.format("ascii", 2, "element face 1\nproperty list uchar int v\n") + "0 1\n2 3\n0\n"
    assert not declared_sizes.is_empty(write(tmp_path / "b.ply", text))
    faces = "element face 0\nproperty list uchar int vertex_indices\n"
    assert declared_sizes.is_empty(write(tmp_path / "c.ply", PLY.format("ascii", 0, faces)))


@pytest.mark.parametrize(
    "text",
    [
        PLY.format("ascii", 9_999_999_999, ""),
        PLY.format("binary_little_endian", 1000, ""),
        PLY.format("ascii", "1" * 40, ""),
        PLY.format("ascii", -4, ""),
        PLY.format("ascii", "many", ""),
        PLY.format("ascii", 1, "element face 99999999\nproperty list uchar int v\n") + "0 0\n",
        "ply\nformat ascii 1.0\nelement vertex 9999999\nend_header\n",
        "ply\nformat ascii 1.0\nelement\nend_header\n",
        "ply\n",
        "plx\nend_header\n",
    ],
)
def test_ply_files_that_lie(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"a\.ply is damaged"):
        declared_sizes.is_empty(write(tmp_path / "a.ply", text))


def glb(record: object, length: int | None = None) -> bytes:
    text = json.dumps(record).encode()
    size = len(text) if length is None else length
    return struct.pack("<5I", 0x46546C67, 2, 20 + len(text), size, 0x4E4F534A) + text


def test_gltf(tmp_path: Path) -> None:
    good = {"asset": {"version": "2.0"}, "accessors": [{"count": 12}]}
    assert not declared_sizes.is_empty(write(tmp_path / "a.glb", glb(good)))
    assert not declared_sizes.is_empty(write(tmp_path / "a.gltf", json.dumps(good)))
    assert not declared_sizes.is_empty(write(tmp_path / "a.obj", "v 0 0 0"))


@pytest.mark.parametrize(
    "data",
    [
        glb({"accessors": [{"count": 10**10}]}),
        glb({"accessors": [{"count": -1}]}),
        glb({"accessors": [{"count": "x"}]}),
        glb({}, 10**9),
        glb([]),
        b"glTF",
        b"\0" * 64,
        glb({})[:18] + b"\0\0{{{{",
        struct.pack("<5I", 0x46546C67, 2, 24, 4, 0x4E4F534A) + b"{{{{",
    ],
)
def test_gltf_that_lies(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match=r"a\.glb is damaged"):
        declared_sizes.is_empty(write(tmp_path / "a.glb", data))


def test_gltf_in_text_that_lies(tmp_path: Path) -> None:
    record = {"accessors": [{"count": 10**9}], "buffers": [{"byteLength": 10**11}]}
    with pytest.raises(InputError):
        declared_sizes.is_empty(write(tmp_path / "a.gltf", json.dumps(record)))
    with pytest.raises(InputError):
        declared_sizes.is_empty(write(tmp_path / "a.gltf", "[" * 10_000))


@pytest.mark.parametrize("word", ["nan", "-NaN", "inf", "-Infinity", "nan(ind)"])
def test_words_instead_of_places(tmp_path: Path, word: str) -> None:
    assert mesh_numbers.has_no_places(write(tmp_path / "a.obj", f"o x\nv 0 {word} 1\n"))
    assert mesh_numbers.has_no_places(write(tmp_path / "b.obj", f"v 0 1 {word}"))
    text = PLY.format("ascii", 1, "") + f"{word} 3\n"
    assert mesh_numbers.has_no_places(write(tmp_path / "a.ply", text))


def test_words_elsewhere_are_names(tmp_path: Path) -> None:
    text = "o nan\ng inf\nusemtl nan\nv 1 2 3\nvn 0 0 1\n# v nan nan nan\n"
    assert not mesh_numbers.has_no_places(write(tmp_path / "a.obj", text))
    binary = PLY.format("binary_little_endian", 1, "").encode() + b" nan\n"
    assert not mesh_numbers.has_no_places(write(tmp_path / "a.ply", binary))
    assert not mesh_numbers.has_no_places(write(tmp_path / "a.stl", "solid nan"))


def test_stl_in_bytes_and_in_text(tmp_path: Path) -> None:
    nan, inf = float("nan"), float("inf")
    for normal, corner, wrong in ((0, 0, False), (nan, 1, False), (0, nan, True), (0, -inf, True)):
        data = b"\0" * 80 + struct.pack("<I12fH", 1, *[normal] * 3, *[corner] * 9, 0)
        assert mesh_numbers.has_no_places(write(tmp_path / "a.stl", data)) == wrong
    assert mesh_numbers.has_no_places(write(tmp_path / "b.stl", "solid\n vertex 0 nan 0\n"))
    assert not mesh_numbers.has_no_places(write(tmp_path / "b.stl", "facet normal nan nan nan"))
