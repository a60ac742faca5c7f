"""Characters and shape keys come back from disk; what is damaged, or claims what can't be, is a
sentence.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.formats import character_file
from backend.formats.character_file import Character, ShapeKeys
from backend.protocol import InputError

CHARACTER = Character(
    vertices=np.arange(15.0).reshape(5, 3),
    triangles=np.array([[0, 1, 2], [2, 3, 4]]),
    meshes=["Head", "Zähne"],
    sizes=np.array([3, 2]),
    landmarks={"chin": np.array([1.0, 2, 3])},
)


def test_a_character_comes_back(tmp_path: Path) -> None:
    character_file.write(tmp_path / "c.npz", CHARACTER)
    back = character_file.read(tmp_path / "c.npz")
    assert back.meshes == ["Head", "Zähne"] and list(back.landmarks) == ["chin"]
    np.testing.assert_array_equal(back.vertices, CHARACTER.vertices)
    np.testing.assert_array_equal(back.landmarks["chin"], [1, 2, 3])


def test_shape_keys_come_back(tmp_path: Path) -> None:
    keys = ShapeKeys(names=["jawOpen"], shapes=np.ones((1, 5, 3), np.float32), landmarks={})
    character_file.write_keys(tmp_path / "k.npz", keys)
    back = character_file.read_keys(tmp_path / "k.npz")
    assert back.names == ["jawOpen"] and back.landmarks == {} and back.shapes.all()
    bad = replace(keys, shapes=np.full((1, 5, 3), np.inf, np.float32))
    character_file.write_keys(tmp_path / "k.npz", bad)
    with pytest.raises(InputError, match=r"k\.npz is damaged"):
        character_file.read_keys(tmp_path / "k.npz")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"sizes": np.array([3, 3])}, "do not fit together"),
        ({"triangles": np.array([[0, 1, 5]])}, "vertices that are missing"),
        ({"triangles": np.zeros((0, 3), int)}, "Head, Zähne has no faces"),
        ({"vertices": np.full((5, 3), np.nan)}, "5 of the 5 vertices"),
        ({"landmarks": {"hat": np.zeros(3)}}, "'hat', which is no landmark"),
        ({"landmarks": {"chin": np.full(3, np.inf)}}, "a landmark is there twice, or nowhere"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, change: dict, what: str) -> None:
    character_file.write(tmp_path / "c.npz", replace(CHARACTER, **change))
    with pytest.raises(InputError, match=what) as caught:
        character_file.read(tmp_path / "c.npz")
    assert caught.value.advice


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    character_file.write(tmp_path / "c.npz", CHARACTER)
    (tmp_path / "c.npz").write_bytes((tmp_path / "c.npz").read_bytes()[:200])
    with pytest.raises(InputError, match=r"c\.npz is not a character"):
        character_file.read(tmp_path / "c.npz")
