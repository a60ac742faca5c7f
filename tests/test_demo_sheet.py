"""The contact sheet of `make demo`."""

from pathlib import Path

import pytest
from PIL import Image

from demo import sheet


@pytest.mark.parametrize(("kept", "rows"), [(6, 2), (3, 1)])
def test_a_sheet_shows_what_is_there(tmp_path: Path, kept: int, rows: int) -> None:
    for number, (name, _) in enumerate(sheet.SHOWN[:kept]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGBA", (60, 40), (40 * number, 90, 90, 255)).save(tmp_path / name)
    sheet.compose(tmp_path, tmp_path / "sheet.png")
    made = Image.open(tmp_path / "sheet.png")
    assert made.size == (3 * 72 + sheet.GAP, rows * (40 + sheet.LINE + sheet.GAP) + sheet.GAP)
    assert made.getpixel((sheet.GAP + 30, sheet.GAP + 20)) == (0, 90, 90)
    assert made.getpixel((sheet.GAP + 72 + 30, sheet.GAP + 20)) == (40, 90, 90)


def test_what_splats_leave_open_is_the_ground(tmp_path: Path) -> None:
    name = sheet.SHOWN[0][0]
    Image.new("RGBA", (60, 40), (255, 255, 255, 0)).save(tmp_path / name)
    sheet.compose(tmp_path, tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").getpixel((40, 30)) == sheet.GROUND
