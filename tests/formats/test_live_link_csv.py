"""Tables as Live Link Face writes them: 61 curves, ARKit's, then the head's and the eyes'."""

import csv
from pathlib import Path

import numpy as np
import pytest

from backend.formats import live_link_csv
from backend.formats.arkit import BLENDSHAPES
from backend.formats.motion_file import HEAD


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_value_is_under_its_name(tmp_path: Path) -> None:
    names = [*reversed(BLENDSHAPES), *HEAD]
    values = np.arange(1, 2 * len(names) + 1).reshape(2, -1) / 128
    live_link_csv.write(tmp_path / "a.csv", 30, names, values)
    for row, wanted in zip(rows(tmp_path / "a.csv"), values, strict=True):
        assert row["BlendshapeCount"] == "61"
        given = dict(zip(names, wanted, strict=True))
        for name in BLENDSHAPES:
            assert float(row[name[0].upper() + name[1:]]) == round(given[name], 6)
        assert [float(row[name]) for name in ("HeadPitch", "HeadYaw", "HeadRoll")] == [
            round(given[name], 6) for name in HEAD
        ]
        eyes = [
            row[f"{side}Eye{turn}"]
            for side in ("Left", "Right")
            for turn in ("Yaw", "Pitch", "Roll")
        ]
        assert eyes == ["0.000000"] * 6, "eyes look by blendshapes"


def test_what_has_no_curve_is_zero(tmp_path: Path) -> None:
    live_link_csv.write(tmp_path / "a.csv", 30, ["mine", "jawOpen"], np.array([[0.25, 0.5]]))
    (row,) = rows(tmp_path / "a.csv")
    assert row.pop("JawOpen") == "0.500000"
    assert {
        value for name, value in row.items() if name not in ("Timecode", "BlendshapeCount")
    } == {"0.000000"}


def test_timecodes_count_hours_minutes_seconds_frames(tmp_path: Path) -> None:
    live_link_csv.write(
        tmp_path / "a.csv", 1.2, ["jawOpen"], np.zeros((3663, 1))
    )  # one frame a second, in whole ones
    found = [row["Timecode"] for row in rows(tmp_path / "a.csv")]
    wanted = {0: "00:00:00:00", 1: "00:00:01:00", 59: "00:00:59:00", 60: "00:01:00:00",
              3599: "00:59:59:00",
              3600: "01:00:00:00", 3662: "01:01:02:00"}  # fmt: skip
    assert {i: found[i] for i in wanted} == {i: f"{clock}.000" for i, clock in wanted.items()}
    live_link_csv.write(tmp_path / "a.csv", 29.97, ["jawOpen"], np.zeros((61, 1)))
    found = [row["Timecode"] for row in rows(tmp_path / "a.csv")]
    assert (found[29], found[30], found[60]) == (
        "00:00:00:29.000",
        "00:00:01:00.000",
        "00:00:02:00.000",
    )
    live_link_csv.write(tmp_path / "a.csv", 0.2, ["jawOpen"], np.zeros((2, 1)))
    assert rows(tmp_path / "a.csv")[1]["Timecode"] == "00:00:01:00.000", (
        "slower than a frame a second"
    )


@pytest.mark.parametrize(("rows", "fps", "wanted"), [
    (2, 60.0, 1 / 60), (121, 60.0, 2.0), (30 * 3700 + 1, 29.97, 3700.0), (25, 24.0, 1.0),
    (1, 30.0, None), (0, 30.0, None),
])  # fmt: skip
def test_how_long_a_table_lasts(
    rows: int, fps: float, wanted: float | None, tmp_path: Path
) -> None:
    live_link_csv.write(tmp_path / "a.csv", fps, ["jawOpen"], np.zeros((rows, 1)))
    seconds = live_link_csv.seconds(tmp_path / "a.csv", fps)
    assert seconds == (None if wanted is None else pytest.approx(wanted))
