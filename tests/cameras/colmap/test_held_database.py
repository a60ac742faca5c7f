"""COLMAP's process holds its database open while others count its rows: who opens it first locks
it whole, and COLMAP ends at a lock.
"""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backend.cameras.colmap import match
from backend.cameras.colmap.channel import Channel
from backend.cameras.colmap.colmap_command import ColmapTask


def test_the_database_is_open_all_the_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    def look(*_: Any, **__: Any) -> None:
        held.append((tmp_path / "database.db-wal").is_file())

    monkeypatch.setattr(Channel, "send", look)
    monkeypatch.setattr(match.pycolmap, "extract_features", look)
    monkeypatch.setattr(match.pycolmap, "match_image_pairs", look)
    names = ["a.png", "b.png"]
    for name in names:
        Image.new("RGB", (32, 24)).save(tmp_path / name)
    task = ColmapTask(
        kind="match", images=str(tmp_path), work=str(tmp_path), output="", names=names
    )
    with match.matched_database(task, Channel(), per_image=False):
        look()
    assert held == [True] * 7
    assert not (tmp_path / "database.db-wal").exists()
