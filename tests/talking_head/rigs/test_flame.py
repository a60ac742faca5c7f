"""FLAME's file: read without running what is in it, and made into a rig. The files are made
here.
"""

import os
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csc_matrix

from backend.protocol import InputError
from backend.talking_head.head_job import read_rig
from backend.talking_head.rigs import flame_file
from backend.talking_head.rigs.flame import STRONG
from backend.talking_head.rigs.rig import Part

COUNT = 60


class Ch:
    """chumpy's array, as far as a pickle shows it."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = x


@pytest.fixture
def chumpy(monkeypatch: pytest.MonkeyPatch) -> type:
    module = types.ModuleType("chumpy.ch")
    module.Ch = Ch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    monkeypatch.setattr(Ch, "__module__", "chumpy.ch")
    return Ch


def flame_like() -> dict[str, Any]:
    """Sixty vertices: most skin, a jaw, two eyeballs that turn about their own middles."""
    random = np.random.default_rng(0)
    vertices = random.normal(size=(COUNT, 3)) * 0.08
    weights = np.zeros((COUNT, 5))
    weights[:, 1] = 1
    for joint, rows in ((2, slice(20, 30)), (3, slice(30, 45)), (4, slice(45, 60))):
        weights[rows] = np.eye(5)[joint]
    regressor = np.zeros((5, COUNT))
    regressor[[0, 1]] = 1 / COUNT
    for joint, rows in ((2, slice(0, 20)), (3, slice(30, 45)), (4, slice(45, 60))):
        regressor[joint, rows] = 1 / (rows.stop - rows.start)
    return {
        "v_template": vertices,
        "f": np.array([[k, k + 1, k + 2] for k in range(COUNT - 2)], np.uint32),
        "shapedirs": random.normal(size=(COUNT, 3, 360)) * 0.001,
        "J_regressor": csc_matrix(regressor),
        "weights": weights,
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.int64),
    }


def write(path: Path, model: dict[str, Any]) -> Path:
    path.write_bytes(pickle.dumps(model, protocol=2))
    return path


def test_flame_becomes_a_rig(tmp_path: Path, chumpy: type) -> None:
    model = flame_like()
    path = write(
        tmp_path / "generic_model.pkl",
        {**model, "shapedirs": chumpy(model["shapedirs"]), "weights": chumpy(model["weights"])},
    )
    rig = read_rig(str(path))
    np.testing.assert_allclose(rig.neutral, model["v_template"] * 100, atol=1e-4)
    np.testing.assert_allclose(rig.identities[3], model["shapedirs"][..., 3] * 100, atol=1e-5)
    expression = rig.names.index("expression02")
    np.testing.assert_allclose(
        rig.shapes[expression], model["shapedirs"][..., 301] * 100 * STRONG, atol=1e-5
    )
    assert rig.lowest[expression] == -1 and rig.lowest[rig.names.index("jawOpen")] == 0
    jaw = np.linalg.norm(rig.shapes[rig.names.index("jawOpen")], axis=1)
    assert (jaw[20:30] > 0.1).all() and (jaw[:20] < 1e-6).all() and (jaw[30:] < 1e-6).all()
    look = rig.shapes[rig.names.index("eyeLookUpLeft")]
    np.testing.assert_allclose(
        look[30:45].mean(0), 0, atol=1e-5, err_msg="an eye turns about its middle"
    )
    assert np.abs(look[45:]).max() == 0
    assert Part.EYE in rig.parts and Part.SKIN in rig.parts


def test_eyes_look_where_their_shapes_say(tmp_path: Path) -> None:
    """A point in front of the left eye rises when it looks up, and goes outwards when it looks
    out.
    """
    model = flame_like()
    center = model["v_template"][30:45].mean(0)
    model["v_template"][30] = center + np.array([0, 0, 0.5])
    model["v_template"][31:45] += (center - model["v_template"][30:45].mean(0)) * 15 / 14
    rig = read_rig(str(write(tmp_path / "f.pkl", model)))
    assert rig.shapes[rig.names.index("eyeLookUpLeft"), 30, 1] > 1
    assert rig.shapes[rig.names.index("eyeLookOutLeft"), 30, 0] > 1
    assert rig.shapes[rig.names.index("eyeLookInLeft"), 30, 0] < -1


class Malice:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("echo hacked > hacked.txt",)


def test_hostile_and_damaged_files_run_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="not safe"):
        read_rig(str(write(tmp_path / "hostile.pkl", {**flame_like(), "f": Malice()})))
    assert not (tmp_path / "hacked.txt").exists()
    whole = write(tmp_path / "whole.pkl", flame_like()).read_bytes()
    for name, data in (
        ("cut.pkl", whole[: len(whole) // 2]),
        ("empty.pkl", b""),
        ("text.pkl", b"hello\n"),
        ("list.pkl", pickle.dumps([1])),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            read_rig(str(tmp_path / name))
    nan = flame_like()
    nan["v_template"][3] = np.nan
    with pytest.raises(InputError, match="none"):
        read_rig(str(write(tmp_path / "nan.pkl", nan)))
    few = flame_like()
    few["shapedirs"] = few["shapedirs"][..., :100]
    with pytest.raises(InputError, match="fit together"):
        read_rig(str(write(tmp_path / "few.pkl", few)))


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "values",
    [
        np.arange(6, dtype=">f8").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6, dtype="u1"),
        np.zeros((0, 3), "f4"),
    ],
)
def test_arrays_are_what_was_pickled(tmp_path: Path, values: np.ndarray, protocol: int) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(dict.fromkeys(flame_file.KEYS, values), protocol))
    for found in flame_file.read_arrays(path).values():
        assert found.dtype == values.dtype and np.array_equal(found, values)
