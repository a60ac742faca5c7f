"""What a job reads, as a short text that changes when that does."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..protocol import Request

WHOLE = 256 << 20  # bytes: where all files together are no more, all of each is looked at
ENDS = 64 << 10  # bytes at either end of a file, where there is more
MOST_OPENED = 20_000  # files; where there are more, sizes and dates must do
BLOCK = 1 << 20
# written by systems, by Blender, and by jobs beside what is read; no verb reads them
STRANGERS = ("thumbs.db", "desktop.ini", "manifest.json")
STRANGE_ENDS = tuple(f".blend{number}" for number in ("", *range(1, 10)))


def read_by(request: Request[Any]) -> list[Path]:
    """The files and folders that a request names: its input, and options that are paths."""
    texts = [request.input, *(v for v in asdict(request.options).values() if isinstance(v, str))]
    return [path for path in map(Path, filter(None, texts)) if _exists(path)]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a prompt is no path
        return False


def of_paths(paths: Iterable[Path], without: Iterable[Path] = ()) -> str:
    """Of the names, sizes and contents of files, and of all below folders but `without`.

    Where they are more than WHOLE bytes together, a file counts by its size, both its ends and the
    nanosecond in which it was written. Reading takes about a third of a second at most where the
    disk's cache holds the files.
    """
    hidden = {_real(path) for path in without}
    records = [
        (f"{number}/{name}", path, path.stat())
        for number, root in enumerate(paths)
        for name, path in sorted(_below(root, hidden))
    ]
    size = sum(status.st_size for _, _, status in records)
    whole = size <= WHOLE and len(records) <= MOST_OPENED
    digest = hashlib.blake2b(digest_size=16)
    for name, path, status in records:
        digest.update(f"{name}\0{status.st_size}\0".encode("utf-8", "surrogateescape"))
        if not stat.S_ISREG(status.st_mode):
            continue
        if not whole:
            digest.update(f"{status.st_mtime_ns}\0".encode())
        if len(records) <= MOST_OPENED:
            for block in _content(path, status.st_size, whole):
                digest.update(block)
    return digest.hexdigest()


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _below(root: Path, hidden: set[str]) -> Iterator[tuple[str, Path]]:
    if not root.is_dir():
        if root.exists():
            yield root.name, root
        return
    seen = set(hidden)
    for place, folders, names in os.walk(root, followlinks=True):
        if _real(Path(place)) in seen or "request.json" in names:  # a loop, or a job
            folders.clear()
            continue
        seen.add(_real(Path(place)))
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in names:
            path = Path(place, name)
            if not _is_strange(name) and path.exists():
                yield path.relative_to(root).as_posix(), path


def _is_strange(name: str) -> bool:
    low = name.lower()
    return low.startswith(".") or low in STRANGERS or low.endswith(STRANGE_ENDS)


def _content(path: Path, size: int, whole: bool) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            if whole or size <= 2 * ENDS:
                while block := file.read(BLOCK):
                    yield block
                return
            yield file.read(ENDS)
            file.seek(size - ENDS)
            yield file.read(ENDS)
    except OSError:  # the verb will say so if it needs the file
        yield b"unreadable"
