"""Files that are whole or not there: written beside their place, flushed to disk, then renamed; and
the folder that names them is flushed too, or a power cut could take the name back.
"""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# what file systems answer that have nothing to flush; any other failure is one
MEANINGLESS = (errno.EINVAL, errno.ENOTSUP)
AT_ONCE = 16  # files that are flushed


def sync_file(path: Path) -> None:
    """Flushes a file's content to the disk. Raises OSError where that failed."""
    _sync(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Flushes the names in a folder, where the system has that (Windows does it by itself)."""
    if os.name != "nt":
        _sync(path, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in MEANINGLESS:
            raise
    finally:
        os.close(descriptor)


def sync_tree(root: Path) -> None:
    """Every file below a folder, then the folders, the inner ones first. Many files at a time: a
    disk takes the flushes that come together as one.
    """
    places = list(os.walk(root, topdown=False))
    files = [Path(place, name) for place, _, names in places for name in names]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(sync_file, (path for path in files if not path.is_symlink())):
            pass
    for place, _, _ in places:
        sync_folder(Path(place))


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary name in the same folder; becomes `path` when the block ends well, is removed when
    it does not.

    The suffix is kept, since many writers choose the format by it.
    """
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        sync_file(part)
        os.replace(part, path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def linked(path: Path, target: Path) -> None:
    """A second name for a file that nobody will change, which stays; a copy where the file system
    has only one name for each. Folders are made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:
        shutil.copyfile(path, target)


def clear_parts(folder: Path) -> None:
    """Takes away what a killed process was just writing in a folder that is ours alone."""
    if folder.is_dir():
        for part in folder.glob(".*.part*"):
            part.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes the file whole or not at all."""
    with atomic_path(path) as part:
        part.write_bytes(data)


def write_json(path: Path, data: Any) -> None:
    """Writes plain values as JSON, whole or not at all."""
    write_bytes(path, json.dumps(data, indent=1, allow_nan=False).encode())
