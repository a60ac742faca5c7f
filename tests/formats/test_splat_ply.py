"""Splat files: round trips, and fifteen files that try to hurt."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from helpers.random_splats import make
from hypothesis import given, settings, strategies as st

from backend.formats import ply, splat_ply
from backend.protocol import InputError


@pytest.mark.parametrize("coefficients", [1, 4, 9, 16])
def test_round_trip(coefficients: int, tmp_path: Path) -> None:
    arrays = make(coefficients=coefficients)
    splat_ply.write(tmp_path / "a.ply", arrays)
    back = splat_ply.read(tmp_path / "a.ply")
    for name in ("means", "log_scales", "opacity_logits", "sh"):
        np.testing.assert_array_equal(getattr(arrays, name), getattr(back, name))
    np.testing.assert_allclose(arrays.quats, back.quats, atol=1e-6)
    np.testing.assert_array_equal(arrays.extra["label"], back.extra["label"])
    assert back.sh_degree == {1: 0, 4: 1, 9: 2, 16: 3}[coefficients]


@pytest.mark.parametrize("coefficients", [1, 16])
def test_no_splats_at_all(coefficients: int, tmp_path: Path) -> None:
    splat_ply.write(tmp_path / "a.ply", splat_ply.take(make(3, coefficients), np.zeros(0, int)))
    assert splat_ply.read(tmp_path / "a.ply").sh.shape == (0, coefficients, 3)


def test_layout_is_the_originals(tmp_path: Path) -> None:
    """f_rest is channel-major: first all of red."""
    splat_ply.write(tmp_path / "a.ply", make())
    names = [name for name, _ in ply.read_header(tmp_path / "a.ply").fields]
    assert names[:9] == ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2"]
    assert names[9:54] == [f"f_rest_{i}" for i in range(45)]
    vertices = ply.read_vertices(tmp_path / "a.ply")
    np.testing.assert_array_equal(vertices["f_rest_1"], make().sh[:, 2, 0])
    np.testing.assert_array_equal(vertices["f_rest_15"], make().sh[:, 1, 1])


def test_ascii_and_big_endian(tmp_path: Path) -> None:
    splat_ply.write(tmp_path / "a.ply", make(5, 1))
    vertices = ply.read_vertices(tmp_path / "a.ply")
    head = (tmp_path / "a.ply").read_bytes().split(b"end_header\n")[0].decode()
    rows = "\n".join(" ".join(repr(float(v)) for v in row.tolist()) for row in vertices)
    (tmp_path / "ascii.ply").write_text(
        head.replace("binary_little_endian", "ascii") + "end_header\n" + rows + "\n"
    )
    big = vertices.astype(vertices.dtype.newbyteorder(">")).tobytes()
    (tmp_path / "big.ply").write_bytes(
        head.replace("little", "big").encode() + b"end_header\n" + big
    )
    for name in ("ascii.ply", "big.ply"):
        np.testing.assert_array_equal(splat_ply.read(tmp_path / name).means, make(5, 1).means)


def test_splats_that_are_not_finite_are_left_out(tmp_path: Path) -> None:
    arrays = make()
    arrays.means[3, 0], arrays.log_scales[5, 1], arrays.opacity_logits[7] = np.nan, np.inf, -np.inf
    arrays.log_scales[9] = 1e30
    arrays.quats[11, 2], arrays.quats[13, 0] = np.nan, np.inf
    splat_ply.write(tmp_path / "a.ply", arrays)
    assert splat_ply.read(tmp_path / "a.ply").extra["label"].tolist() == [
        i for i in range(20) if i not in (3, 5, 9, 11, 13)
    ]
    assert splat_ply.read(tmp_path / "a.ply").left_out == ("5 splats whose values are not finite",)


HEAD = "ply\nformat binary_little_endian 1.0\n"
HOSTILE = {
    "empty": b"",
    "no header": b"hello",
    "endless header": b"ply\n" + b"comment x\n" * 20_000,
    "huge count": (HEAD + "element vertex 2147483647\nproperty float x\nend_header\n").encode()
    + bytes(64),
    "absurd count": (
        HEAD + "element vertex 99999999999999999999\nproperty float x\nend_header\n"
    ).encode(),
    "negative count": (HEAD + "element vertex -5\nproperty float x\nend_header\n").encode(),
    "count is a word": (HEAD + "element vertex many\nproperty float x\nend_header\n").encode(),
    "list property": (HEAD + "element vertex 1\nproperty list uchar int x\nend_header\n").encode()
    + bytes(9),
    "unknown type": (HEAD + "element vertex 1\nproperty quaternion x\nend_header\n").encode()
    + bytes(9),
    "property twice": (
        HEAD + "element vertex 1\nproperty float x\nproperty float x\nend_header\n"
    ).encode()
    + bytes(9),
    "faces first": (HEAD + "element face 1\nproperty float x\nend_header\n").encode() + bytes(9),
    "no properties": (HEAD + "element vertex 3\nend_header\n").encode(),
    "not splats": (HEAD + "element vertex 1\nproperty float x\nend_header\n").encode() + bytes(4),
    "words in ascii": b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\n"
    b"end_header\nspam\n",
    "binary comment": b"ply\ncomment \xff\xfe\nformat ascii 1.0\nelement vertex 1\nproperty float "
    b"x\nend_header\n1\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_get_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "bad.ply").write_bytes(HOSTILE[name])
    with pytest.raises(InputError) as caught:
        splat_ply.read(tmp_path / "bad.ply")
    assert "bad.ply" in caught.value.what


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_files_never_crash(data: st.DataObject) -> None:
    """A valid file with bytes changed or cut off is read or refused, nothing else."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.ply"
        splat_ply.write(path, make(3, 1))
        raw = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 6))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
        with contextlib.suppress(InputError):
            splat_ply.read(path)
