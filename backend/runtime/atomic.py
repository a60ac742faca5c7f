"""Files that are whole or not there: written beside their place, flushed to disk, then renamed."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary name in the same folder; becomes `path` when the block ends well, is removed when
    it does not.

    The suffix is kept, since many writers choose the format by it.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes the file whole or not at all."""
    with atomic_path(path) as part:
        part.write_bytes(data)


def write_json(path: Path, data: Any) -> None:
    """Writes plain values as JSON, whole or not at all."""
    write_bytes(path, json.dumps(data, indent=1, allow_nan=False).encode())
