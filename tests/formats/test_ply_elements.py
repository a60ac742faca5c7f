"""PLY files with tables in any order, lists among their columns, and colours for coefficients."""

from pathlib import Path

import numpy as np
import pytest
from helpers.random_splats import make

from backend.formats import ply, splat_ply
from backend.protocol import InputError

BINARY, ASCII = "ply\nformat binary_little_endian 1.0\n", "ply\nformat ascii 1.0\n"
FACES = "element face 3\nproperty list uchar int vertex_indices\nproperty float quality\n"
POINTS = "element vertex 2\nproperty float x\nproperty list uchar short tags\nproperty int n\n"


def save(path: Path, header: str, data: bytes = b"", line: str = "\n") -> Path:
    text = (header + "end_header\n").replace("\n", line)
    (path / "a.ply").write_bytes(text.encode() + data)
    return path / "a.ply"


def faces(lengths: tuple[int, ...], order: str = "<") -> bytes:
    rows = [
        bytes([n])
        + np.arange(n, dtype=f"{order}i4").tobytes()
        + np.array(7, f"{order}f4").tobytes()
        for n in lengths
    ]
    return b"".join(rows)


def points(lengths: tuple[int, ...], order: str = "<") -> bytes:
    rows = [
        np.array(i + 0.5, f"{order}f4").tobytes()
        + bytes([n])
        + bytes(2 * n)
        + np.array(-i, f"{order}i4").tobytes()
        for i, n in enumerate(lengths)
    ]
    return b"".join(rows)


@pytest.mark.parametrize("lengths", [(3, 3, 3), (3, 4, 0), (0, 0, 0)])
@pytest.mark.parametrize("tags", [(2, 2), (1, 3), (0, 5)])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tables_before_and_lists_inside(
    lengths: tuple[int, ...], tags: tuple[int, ...], order: str, tmp_path: Path
) -> None:
    head = BINARY if order == "<" else BINARY.replace("little", "big")
    file = save(tmp_path, head + FACES + POINTS, faces(lengths, order) + points(tags, order))
    found = ply.read_vertices(file)
    assert found["x"].tolist() == [0.5, 1.5] and found["n"].tolist() == [0, -1]
    assert found.dtype == np.dtype([("x", "f4"), ("n", "i4")])
    header = ply.read_header(file)
    assert [e.name for e in header.elements] == ["face", "vertex"]
    vertices = header.find("vertex")
    assert vertices and vertices.lists == ("tags",)
    quality = ply.read_element(file, header, "face")["quality"]
    assert quality.tolist() == [7, 7, 7]


def test_lists_of_words(tmp_path: Path) -> None:
    text = b"3 0 1 2 0.5\n0 1\n1 9 2\n0.5 2 1 1 0\n1.5 0 -1\n"
    found = ply.read_vertices(save(tmp_path, ASCII + FACES + POINTS, text))
    assert found["x"].tolist() == [0.5, 1.5] and found["n"].tolist() == [0, -1]


@pytest.mark.parametrize("line", ["\n", "\r\n", "\r"])
def test_ends_of_lines(line: str, tmp_path: Path) -> None:
    head = BINARY + "comment end_header is not here\nelement vertex 1\nproperty int n\n"
    file = save(tmp_path, head, np.array([10], "<i4").tobytes(), line)
    assert ply.read_vertices(file)["n"].tolist() == [10]
    assert ply.read_comments(file) == ["end_header is not here"]


@pytest.mark.parametrize(
    ("head", "data"),
    [
        (FACES + POINTS, faces((3, 3, 3))[:-1]),
        (FACES + POINTS, faces((3, 200, 3))[:40] + bytes(30)),
        (POINTS, points((2, 255))[:-300]),
        (POINTS.replace("2", "900000", 1), bytes(900000 * 9)[:-1]),
        (POINTS.replace("uchar", "int"), points((2, 2)) + bytes(9)),
        (POINTS.replace("uchar", "char"), b"\0\0\0\0\xff" + bytes(30)),
    ],
)
def test_lists_that_lie_are_refused(head: str, data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        ply.read_vertices(save(tmp_path, BINARY + head, data))


@pytest.mark.parametrize("text", [b"9 1", b"x 1 2 3 4", b"-4 1 2 3 4 5 6", b"99999999999999999999"])
def test_lists_of_words_that_lie_are_refused(text: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        ply.read_vertices(save(tmp_path, ASCII + POINTS, text + bytes(20)))


def splat_table(colors: dict[str, np.ndarray], count: int = 5) -> np.ndarray:
    """Splats without the first coefficients, and with what stands for them."""
    a = make(count, 1)
    columns = {n: a.means[:, i] for i, n in enumerate("xyz")}
    columns |= {f"scale_{i}": a.log_scales[:, i] for i in range(3)}
    columns |= {f"rot_{i}": a.quats[:, i] for i in range(4)} | {"opacity": a.opacity_logits}
    columns |= colors
    table = np.empty(count, [(n, v.dtype) for n, v in columns.items()])
    for name, values in columns.items():
        table[name] = values
    return table


@pytest.mark.parametrize(("kind", "full"), [("u1", 255), ("u2", 65535), ("f4", 1), ("f4", 255)])
def test_colours_stand_for_coefficients(kind: str, full: float, tmp_path: Path) -> None:
    shares = {"red": 1.0, "green": 0.2, "blue": 0.0}
    colors = {n: np.full(5, share * full).astype(kind) for n, share in shares.items()}
    ply.write_vertices(tmp_path / "a.ply", splat_table(colors))
    found = splat_ply.read(tmp_path / "a.ply")
    np.testing.assert_allclose(found.sh[:, 0] * 0.28209479 + 0.5, [[1, 0.2, 0]] * 5, atol=1e-5)
    assert not found.extra


def test_colours_beside_coefficients_are_kept(tmp_path: Path) -> None:
    colors = {n: np.full(5, 0.25, np.float32) for n in ("red", "green", "blue")}
    base = {f"f_dc_{i}": np.full(5, i, np.float32) for i in range(3)}
    ply.write_vertices(tmp_path / "a.ply", splat_table(colors | base))
    found = splat_ply.read(tmp_path / "a.ply")
    assert found.sh[0, 0].tolist() == [0, 1, 2] and found.extra["green"].tolist() == [0.25] * 5


def test_what_a_splat_file_loses_is_named(tmp_path: Path) -> None:
    """Lists behind every splat, as annotation tools write them, and tables around."""
    table = splat_table({f"f_dc_{i}": np.zeros(5, np.float32) for i in range(3)})
    ply.write_vertices(tmp_path / "b.ply", table)
    head, rows = (tmp_path / "b.ply").read_bytes().split(b"end_header\n")
    size = table.dtype.itemsize
    data = b"".join(rows[i * size : (i + 1) * size] + bytes([i]) + bytes(4 * i) for i in range(5))
    text = head.decode().replace(
        "element vertex", "element extent 2\nproperty double v\nelement vertex"
    )
    text += "property list uchar int tags\nelement camera 1\nproperty float fov\n"
    found = splat_ply.read(save(tmp_path, text, bytes(16) + data + bytes(4)))
    np.testing.assert_array_equal(found.means, make(5, 1).means)
    assert found.left_out == ("the list tags",)
