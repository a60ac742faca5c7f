"""The one reader of numpy archives: sizes, types and shapes are checked before memory is taken."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from backend.formats import npz_file
from backend.formats.npz_file import NUMBERS, TEXT, WHOLE, Array, read_npz
from backend.protocol import InputError
from tests.drill.hostile_bombs import npy, npz, npz_bomb

ROWS = {"rows": Array(NUMBERS, ("N", 4))}


def refused(path: Path, wanted: dict[str, Array] = ROWS) -> str:
    with pytest.raises(InputError) as error:
        read_npz(path, wanted, "a list", "Make it again.")
    assert error.value.what.startswith(f"{path.name} is not a list, or it is damaged: ")
    return error.value.what


def test_archives_come_back(tmp_path: Path) -> None:
    arrays = {
        "floats": np.arange(12, dtype=np.float16).reshape(3, 4),
        "columns": np.asfortranarray(np.arange(6, dtype=">i8").reshape(3, 2)),
        "names": np.array(["ä", "bc", ""]),
        "one": np.array(2.5),
        "none": np.zeros((0, 3)),
        "flags": np.array([True, False]),
    }
    wanted = {
        "floats": Array("f", ("N", 4)),
        "columns": Array(WHOLE, ("N", 2)),
        "names": Array(TEXT, ("N",)),
        "one": Array("f"),
        "none": Array("f", ("M", 3)),
        "flags": Array("b", (2,)),
        "absent": Array("f", ("N",), optional=True),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays, beside=np.zeros(3))  # type: ignore[arg-type]
        found = read_npz(tmp_path / "a.npz", wanted, "a list", "")
        assert set(found) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].flags.writeable and found[name].dtype.isnative


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (npz(other=npy("'<f4'", "(4, 4)", bytes(64))), "'rows' is missing"),
        (npz(rows=npy("'<f4'", "(4, 3)", bytes(48))), "do not fit together"),
        (npz(rows=npy("'<f4'", "(4,)", bytes(16))), "do not fit together"),
        (npz(rows=npy("'<U1'", "(4, 4)", bytes(64))), "of another type"),
        (npz(rows=npy("'<f4'", "(5, 4)", bytes(64))), "not as large as it says"),
        (npz(rows=npy("'<f4'", "(3, 4)", bytes(64))), "not as large as it says"),
        (npz(rows=npy("'<f4'", "(35184372088832, 4)", bytes(64))), "not as large as it says"),
        (npz(rows=npy("'<f4'", "(-1, 4)", bytes(64))), "impossible"),
        (npz(rows=npy("'<f4'", "(True, 4)", bytes(64))), "impossible"),
        (npz(rows=npy("'<f4'", "[4, 4]", bytes(64))), "impossible"),
        (npz(rows=npy("'<f4'", "(" * 500, bytes(64))), "can't be read"),
        (npz(rows=npy("'|O'", "(4, 4)", bytes(64))), "neither numbers nor texts"),
        (npz(rows=npy("'<c8'", "(4, 4)", bytes(128))), "neither numbers nor texts"),
        (npz(rows=npy("[('a', '<f4')]", "(4, 4)", bytes(64))), "no plain array"),
        (npz(rows=npy("'what'", "(4, 4)", bytes(64))), "type is unknown"),
        (npz(rows=b"cos\nsystem\n(S'touch hacked'\ntR."), "no array"),
        (npz(rows=b""), "no array"),
        (npz(**{f"m{i}": b"" for i in range(300)}), "too many members"),
        (npz(rows=npy("'<f4'", "(4, 4)", bytes(64)))[:-30], "no whole archive"),
        (b"", "no whole archive"),
        (b"PK\5\6" + b"\xff" * 18, "too many members"),
    ],
    ids=range(21),
)
def test_each_lie_is_named(data: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(data)
    assert why in refused(tmp_path / "a.npz")


def test_sizes_of_one_name_are_equal(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.zeros((3, 2)), b=np.zeros((4, 2)))
    wanted = {"a": Array("f", ("N", 2)), "b": Array("f", ("N", 2))}
    assert "do not fit together ('b')" in refused(tmp_path / "a.npz", wanted)


def test_bombs_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz_file, "INFLATED_ANYWAY", 1 << 20)
    (tmp_path / "a.npz").write_bytes(npz_bomb("rows", (4_000_000, 4)))  # 64 MB from 63 kB
    tracemalloc.start()
    try:
        assert "claims to hold 0.1 GB" in refused(tmp_path / "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()


def test_letters_that_are_none(tmp_path: Path) -> None:
    for data in (b"\xff" * 4, b"\x00\xd8\x00\x00"):
        (tmp_path / "a.npz").write_bytes(npz(names=npy("'<U1'", "(1,)", data)))
        assert "letters that are none" in refused(
            tmp_path / "a.npz", {"names": Array(TEXT, ("N",))}
        )


def test_a_wrong_checksum_and_names_told_twice(tmp_path: Path) -> None:
    import zipfile

    np.savez(tmp_path / "a.npz", rows=np.ones((4, 4)))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    at = data.index(np.ones(1).tobytes())
    data[at] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    assert "can't be read" in refused(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("rows.npy", npy("'<f4'", "(4, 4)", bytes(64)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("rows.npy", npy("'<f4'", "(4, 4)", bytes(64)))
    assert "twice" in refused(tmp_path / "b.npz")
