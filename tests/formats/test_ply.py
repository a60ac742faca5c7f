"""PLY headers and tables: what the format allows is read, no header believed beyond its file."""

from pathlib import Path

import numpy as np
import pytest

from backend.formats import ply
from backend.protocol import InputError

BINARY, ASCII = "ply\nformat binary_little_endian 1.0\n", "ply\nformat ascii 1.0\n"


def save(path: Path, header: str, data: bytes = b"") -> Path:
    (path / "a.ply").write_bytes(header.encode() + b"end_header\n" + data)
    return path / "a.ply"


def test_header_of_a_file_that_we_write(tmp_path: Path) -> None:
    vertices = np.zeros(3, [("x", "f4"), ("id", "i4"), ("red", "u1"), ("t", "f8")])
    vertices["x"], vertices["id"] = [1, 2, 3], [7, 8, -9]
    ply.write_vertices(tmp_path / "a.ply", vertices, ("made by a test", "twice"))
    head = (
        "ply\nformat binary_little_endian 1.0\n"
        "comment made by a test\ncomment twice\nelement vertex 3\n"
        "property float x\nproperty int id\nproperty uchar red\nproperty double t\nend_header\n"
    )
    assert (tmp_path / "a.ply").read_bytes() == head.encode() + vertices.tobytes()
    fields = [("x", "f4"), ("id", "i4"), ("red", "u1"), ("t", "f8")]
    header = ply.read_header(tmp_path / "a.ply")
    assert header.encoding == "binary_little_endian" and header.size == len(head)
    assert [e.name for e in header.elements] == ["vertex"]
    assert header.elements[0].count == 3 and header.fields == fields
    np.testing.assert_array_equal(ply.read_vertices(tmp_path / "a.ply"), vertices)


def test_what_the_format_allows_around_the_vertices(tmp_path: Path) -> None:
    """Comments, blank lines, other elements behind: their properties are none of the vertices'."""
    head = (
        BINARY
        + "comment end of nothing\ncomment\nobj_info x y\n\nelement vertex 2\nproperty short a\n"
    )
    head += "element face 1\nproperty list uchar int vertex_indices\nproperty float quality\n"
    file = save(tmp_path, head, np.array([5, -6], "<i2").tobytes() + bytes(30))
    assert ply.read_header(file).fields == [("a", "i2")]
    assert ply.read_vertices(file)["a"].tolist() == [5, -6]
    assert ply.read_vertices(
        save(tmp_path, BINARY + "element vertex 0\nproperty float x\n")
    ).shape == (0,)


def test_tables_of_words(tmp_path: Path) -> None:
    """Rows as long as they like, the last without its end, faces behind left unread."""
    head = ASCII + "element vertex 2\nproperty float x\nproperty uchar n\n"
    for text in (b"1.5 2\n-3 4", b"1.5\n2 -3\n 4\n", b"1.5 2\n-3 4\n3 0 1 2 words\n"):
        found = ply.read_vertices(save(tmp_path, head, text))
        assert found["x"].tolist() == [1.5, -3] and found["n"].tolist() == [2, 4]
        assert found.dtype == np.dtype([("x", "f4"), ("n", "u1")])
    short = save(
        tmp_path, ASCII + "element vertex 2\nproperty float x\nproperty float y\n", b"1 2\n3\n    "
    )
    with pytest.raises(InputError, match="missing"):
        ply.read_vertices(short)


def test_big_end_first(tmp_path: Path) -> None:
    file = save(
        tmp_path,
        BINARY.replace("little", "big") + "element vertex 1\nproperty int n\n",
        (258).to_bytes(4, "big"),
    )
    found = ply.read_vertices(file)
    assert found["n"].tolist() == [258] and found.dtype.isnative


@pytest.mark.parametrize(("head", "data", "spare"), [
    (BINARY + "element vertex 3\nproperty float x\nproperty uchar n\n", bytes(15), 0),
    (ASCII + "element vertex 3\nproperty float x\nproperty float y\n", b"1 2\n3 4\n5 6", 0),
])  # fmt: skip
def test_a_header_may_promise_what_the_file_holds_and_no_byte_more(
    head: str, data: bytes, spare: int, tmp_path: Path
) -> None:
    assert len(ply.read_vertices(save(tmp_path, head, data))) == 3
    with pytest.raises(InputError, match="promises 3 vertices"):
        ply.read_header(save(tmp_path, head, data[:-1]))


@pytest.mark.parametrize(
    ("count", "why"),
    [("999999999999999", "promises"), ("1000000000000000", "impossible"), ("-1", "impossible")],
)
def test_counts_beyond_reason(count: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=why):
        ply.read_header(save(tmp_path, BINARY + f"element vertex {count}\nproperty float x\n"))


def test_headers_end_within_64_kilobytes(tmp_path: Path) -> None:
    start = BINARY + "element vertex 1\nproperty float x\ncomment "
    room = 64 * 1024 - len(start) - len("\nend_header\n")
    assert ply.read_header(save(tmp_path, start + "c" * room + "\n", bytes(4))).size == 64 * 1024
    with pytest.raises(InputError, match="header"):
        ply.read_header(save(tmp_path, start + "c" * (room + 1) + "\n", bytes(4)))


@pytest.mark.parametrize(("text", "why"), [
    ("", "empty"), ("plx\nend_header\n", "begin"),
    (BINARY + "element vertex 0\nproperty float x\n", "begin"),
    (BINARY + "element vertex 0\nproperty float x\nend_header", "begin"),
    ("ply\nformat ascii\nelement vertex 0\nproperty float x\nend_header\n", "incomplete"),
    (BINARY.replace("little", "middle") + "element vertex 0\nproperty float x\nend_header\n",
     "incomplete"),
    (BINARY + "element vertex\nproperty float x\nend_header\n", "incomplete"),
    (BINARY + "element vertex 0\nend_header\n", "incomplete"),
    (BINARY + "property float x\nend_header\n", "incomplete"),
    (BINARY + "element vertex 0\nproperty float x\nelement vertex 0\nproperty float y\n"
     "end_header\n", "an element is named twice"),
    (BINARY + "element vertex 0\nproperty list float int x\nend_header\n", "unknown type"),
    (BINARY + "element face 0\nproperty float x\nend_header\n", "incomplete"),
    (BINARY + "element vertex 0\nproperty float x y\nend_header\n", "unknown type"),
    (BINARY + "element vertex 0\nproperty half x\nend_header\n", "unknown type"),
    (BINARY + "element vertex 0\nproperty float x\nproperty int x\nend_header\n", "twice"),
])  # fmt: skip
def test_what_is_wrong_is_said(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_text(text)
    with pytest.raises(InputError, match=why):
        ply.read_header(tmp_path / "a.ply")


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        ply.read_vertices(tmp_path / "none.ply")


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name, kind in ply.TYPES.items() if name.endswith(tuple("12346"))],
)
def test_types_that_name_their_bits(name: str, kind: str) -> None:
    """float32 is f4, uint8 is u1: the number of bits is eight times the number of bytes."""
    letters = name.rstrip("0123456789")
    assert kind == letters.replace("uint", "u").replace("int", "i").replace("float", "f") + str(
        int(name[len(letters) :]) // 8
    )
