"""JSON from outside: read only where it is no larger than real files are. Standard library only."""

import json
from pathlib import Path
from typing import Any

from ..protocol import InputError
from . import gate
from .limits import MOST_DIGITS, MOST_JSON, MOST_VALUES

AGAIN = "Export it again from the program that wrote it."


def read_json(path: Path, most: int = MOST_JSON) -> Any:
    """What the file says. InputError for what is no JSON, or too large for its kind."""
    return parse_json(gate.read_bytes(path, most), path.name)


def read_record(path: Path, most: int = MOST_JSON) -> dict[str, Any]:
    """The same where it has to be a record, `{…}`."""
    data = read_json(path, most)
    if not isinstance(data, dict):
        raise InputError(f"{path.name} is not valid JSON: it holds no record.", AGAIN)
    return data


def parse_json(data: bytes | str, name: str) -> Any:
    """What the text in a file of that name says; with or without a byte order mark, UTF-16 too.

    Raises:
        InputError: it is no JSON, is nested without end, or holds more values than any real file.
    """
    if isinstance(data, str):
        count = data.count(",") + data.count("[") + data.count("{")
    else:
        count = data.count(b",") + data.count(b"[") + data.count(b"{")
    if count > MOST_VALUES:
        raise InputError(f"{name} holds too many values: {count:,}.", "Choose another file.")
    try:
        return json.loads(data, parse_int=_whole)
    except RecursionError as error:
        raise InputError(f"{name} is not valid JSON: it is nested too deeply.", AGAIN) from error
    except ValueError as error:
        raise InputError(f"{name} is not valid JSON.", AGAIN) from error


def _whole(digits: str) -> int:
    """Numbers so long are no one's, and neither a float nor a file's size can hold them."""
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)
