"""A SOG in a folder is written whole, and the pictures of the one before go; nothing else does."""

import json
from pathlib import Path

import pytest

from backend.formats.splats import sog_files


def meta(*names: str) -> bytes:
    return json.dumps({"means": {"files": list(names)}, "count": 3}).encode()


def test_former_pictures_go(tmp_path: Path) -> None:
    first = {"meta.json": meta("a.webp", "shN.webp"), "a.webp": b"1", "shN.webp": b"2"}
    sog_files.write_parts(tmp_path / "meta.json", first)
    (tmp_path / "mine.webp").write_bytes(b"mine")
    sog_files.write_parts(tmp_path / "meta.json", {"meta.json": meta("a.webp"), "a.webp": b"3"})
    assert {p.name for p in tmp_path.iterdir()} == {"meta.json", "a.webp", "mine.webp"}
    assert (tmp_path / "a.webp").read_bytes() == b"3"


@pytest.mark.parametrize(
    "names", [["../x.webp"], ["/x.webp"], ["x.png"], [3], [".hidden.webp"], "x.webp", {"a": 1}]
)
def test_only_pictures_beside_it_are_believed(names: object, tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text(json.dumps({"means": {"files": names}}))
    assert not sog_files.parts_beside(tmp_path / "meta.json")


def test_another_programs_meta_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text('{"files": ["a.webp"]}')
    assert not sog_files.parts_beside(tmp_path / "meta.json")
    assert not sog_files.parts_beside(tmp_path / "none.json")
