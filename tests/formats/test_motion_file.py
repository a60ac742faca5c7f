"""Keys of a face's motion on disk."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.archives import change

from backend.formats import motion_file
from backend.formats.motion_file import Curve, Motion
from backend.protocol import InputError


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


MOTION = Motion(24.0, 50.5, [
    Curve("jawOpen", "speech", floats(0, 1.5, 3), floats(0, 0.5, 0.25)),
    Curve("headYaw", "head", floats(7), floats(-1)),
    Curve("jawOpen", "expression", floats(2, 4), floats(1, 2)),
], "words.wav")  # fmt: skip


def test_motions_come_back(tmp_path: Path) -> None:
    motion_file.write(tmp_path / "m.npz", MOTION)
    found = motion_file.read(tmp_path / "m.npz")
    assert (found.fps, found.length, found.source) == (24.0, 50.5, "words.wav")
    for a, b in zip(found.curves, MOTION.curves, strict=True):
        assert (a.name, a.layer, a.frames.tolist(), a.values.tolist()) == (
            b.name,
            b.layer,
            b.frames.tolist(),
            b.values.tolist(),
        )
        assert a.frames.dtype == a.values.dtype == np.float32


def test_a_face_may_keep_still(tmp_path: Path) -> None:
    motion_file.write(tmp_path / "m.npz", Motion(0.5, 10, []))
    assert motion_file.read(tmp_path / "m.npz") == Motion(0.5, 10.0, [], "")


@pytest.mark.parametrize("wrong", [
    {"names": np.array(["a", "b"])}, {"layers": np.array(["a", "b"])}, {"counts": np.array([3, 3])},
    {"counts": np.array([3, 1, 3])}, {"counts": np.array([4, 0, 2])},
    {"counts": np.array([5, -1, 2])}, {"values": floats(1, 2, 3, 4, 5)},
    {"frames": floats(1, 2, 3, 4, 5)}, {"frames": floats(0, 1, 2, 3, np.nan, 7)},
    {"values": floats(0, np.inf, 0, 1, 2, 3)}, {"fps": 0.0}, {"fps": -24.0}, {"fps": 1e6},
    {"fps": np.nan},
], ids=str)  # fmt: skip
def test_parts_that_do_not_fit(wrong: dict[str, Any], tmp_path: Path) -> None:
    motion_file.write(tmp_path / "m.npz", MOTION)
    change(tmp_path / "m.npz", **wrong)
    with pytest.raises(InputError, match="do not fit together"):
        motion_file.read(tmp_path / "m.npz")


@pytest.mark.parametrize(
    "name", ["names", "layers", "counts", "frames", "values", "fps", "length", "source"]
)
def test_parts_that_are_missing_or_of_another_kind(name: str, tmp_path: Path) -> None:
    motion_file.write(tmp_path / "m.npz", MOTION)
    change(tmp_path / "m.npz", **{name: None})
    with pytest.raises(InputError, match="not a motion of a face"):
        motion_file.read(tmp_path / "m.npz")


def test_files_of_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "m.npz").write_bytes(b"PK no archive")
    with pytest.raises(InputError, match="not a motion of a face"):
        motion_file.read(tmp_path / "m.npz")
    np.savez(tmp_path / "m.npz", names=np.array([Path()], object))  # objects are code in disguise
    with pytest.raises(InputError, match="not a motion of a face"):
        motion_file.read(tmp_path / "m.npz")


def test_most_keys_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    motion_file.write(tmp_path / "m.npz", MOTION)
    monkeypatch.setattr(motion_file, "MOST", 6)
    assert len(motion_file.read(tmp_path / "m.npz").curves) == 3
    monkeypatch.setattr(motion_file, "MOST", 5)
    with pytest.raises(InputError):
        motion_file.read(tmp_path / "m.npz")
