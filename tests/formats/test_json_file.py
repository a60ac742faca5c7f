"""JSON from outside: no larger, deeper or longer than real files are."""

from pathlib import Path

import pytest

from backend.formats import json_file
from backend.formats.json_file import parse_json, read_json, read_record
from backend.protocol import InputError


def test_plain_json_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file.write_text('{"a": [1, 2.5, "ä", -12345678901234567890, null]}', encoding=encoding)
        assert read_record(file) == {"a": [1, 2.5, "ä", -12345678901234567890, None]}
    assert parse_json("[1]", "a") == [1]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        f"[{'9' * 41}]",
        f"[-{'9' * 1_000_000}]",
        "",
        "{",
        "\0",
        '{"a": 1}}',
        b"\xff\xfe\xff",
        b'["\xc3"]',
    ],
    ids=range(10),
)
def test_what_is_no_json_is_one_sentence(text: str | bytes) -> None:
    with pytest.raises(InputError, match=r"a\.json is not valid JSON"):
        parse_json(text, "a.json")


def test_values_are_counted_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "MOST_VALUES", 10)
    assert parse_json(b"[1,2,3,4,5,6,7,8,9,10]", "a") == list(range(1, 11))
    for data in (b"[1,2,3,4,5,6,7,8,9,10,11]", b"[" * 11, b'{"a":{"a":{}}}' * 4):
        with pytest.raises(InputError, match="too many values"):
            parse_json(data, "a")
        with pytest.raises(InputError, match="too many values"):
            parse_json(data.decode(), "a")


def test_files_are_not_read_beyond_their_kind(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"[1, 2, 3]")
    assert read_json(file, 9) == [1, 2, 3]
    with pytest.raises(InputError, match="too large"):
        read_json(file, 8)
    with pytest.raises(InputError, match="holds no record"):
        read_record(file)
