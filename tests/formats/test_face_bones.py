"""Tables of bones: those that come along, and what is wrong with others."""

import json
from pathlib import Path
from typing import Any

import pytest

from backend.formats import face_bones
from backend.formats.arkit import BLENDSHAPES
from backend.formats.face_bones import BoneRow
from backend.protocol import InputError

TABLES = Path(__file__).resolve().parents[2] / "addon/scene/faces/bone_tables"
ROW = {"shape": "mouthSmileLeft", "bone": "lip.T.L.001", "channel": "move_left", "gain": 2}


@pytest.mark.parametrize("path", sorted(TABLES.glob("*.json")), ids=lambda p: p.stem)
def test_tables_that_come_along_are_whole_and_symmetric(path: Path) -> None:
    table = face_bones.read(path)
    shapes = {row.shape for row in table.rows}
    assert len(shapes & set(BLENDSHAPES)) >= 46 and table.needed
    left = {s for s in shapes if s.endswith("Left")}
    assert {s.removesuffix("Left") + "Right" for s in left} == {
        s for s in shapes if s.endswith("Right")
    }


def write(path: Path, **change: Any) -> Path:
    data = {"eyes": ["eye.L", "eye.R"], "needed": ["eye.L"], "rows": [ROW]} | change
    path.write_text(json.dumps(data))
    return path


def test_left_is_mirrored(tmp_path: Path) -> None:
    table = face_bones.read(write(tmp_path / "t.json"))
    assert table.rows[1] == BoneRow("mouthSmileRight", "lip.T.R.001", "move_left", -2.0)
    assert face_bones.fits(table, ["eye.L"]) and not face_bones.fits(table, ["eye.R"])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"rows": []}, "has no rows"),
        ({"rows": "x"}, "has no rows"),
        ({"rows": [ROW] * 3000}, "has no rows"),
        ({"eyes": ["one"]}, "two bones of the eyes"),
        ({"sides": 3}, "two endings"),
        ({"rows": [ROW | {"shape": "frown"}]}, "no shape 'frown'"),
        ({"rows": [ROW | {"channel": "x"}]}, "no channel 'x'"),
        ({"rows": [ROW | {"gain": "much"}]}, "'much' is no gain"),
        ({"rows": [ROW | {"gain": float("nan")}]}, "nan is no gain"),
        ({"rows": [ROW | {"bone": 3}]}, "Row 1 of t.json names no bone"),
        ({"rows": [5]}, "Row 1 of t.json names no bone"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what):
        face_bones.read(write(tmp_path / "t.json", **change))
