"""The gate for files that come from outside: ordinary files alone, opened without waiting for
anyone, and never larger than their reader can hold. Standard library only.

A named pipe would keep its reader waiting for ever, a device never ends. Every reader opens what
it reads here, or has it checked here before a library opens it by its name.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO as BinaryIO

from ..protocol import InputError
from .limits import LONGEST_LINE, MOST_FILE, MOST_MEMORY_FILE, MOST_TEXT

# Opening a pipe without this flag waits for someone to write; Windows has no such pipes
WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
CHOOSE = "Choose another file."


def _refused(path: Path, error: OSError) -> InputError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return InputError(f"There is no file {path}.", "Check the path.")
    if error.errno == errno.ELOOP:
        return InputError(f"{path.name} is a link that leads back to itself.", CHOOSE)
    if error.errno == errno.ENAMETOOLONG:
        return InputError(f"The name {path.name[:40]}… is too long for a file.", "Shorten it.")
    if error.errno in (errno.EISDIR, errno.EACCES) and os.path.isdir(path):
        return InputError(f"{path.name} is a folder, not a file.", CHOOSE)
    if error.errno in (errno.ENXIO, errno.EOPNOTSUPP, errno.ENODEV):
        return _not_ordinary(path)
    return InputError(f"{path} can't be read: {error.strerror or error}.", CHOOSE)


def _not_ordinary(path: Path) -> InputError:
    return InputError(f"{path.name} is no ordinary file, but a pipe or a device.", CHOOSE)


def is_file(path: Path) -> bool:
    """Whether there is an ordinary file; False, too, for names that no file can have."""
    return os.path.isfile(path)


def opened(path: Path, most: int = MOST_FILE) -> BinaryIO:
    """The file, open for reading bytes; for a `with` block.

    Raises:
        InputError: there is none, it is no ordinary file, or has more than `most` bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | WITHOUT_WAITING | BINARY)
    except OSError as error:
        raise _refused(path, error) from error
    except ValueError as error:  # a zero byte, or letters that no file system knows
        raise InputError("The name of a file can't be read.", "Rename it.") from error
    try:
        facts = os.fstat(descriptor)
        if stat.S_ISDIR(facts.st_mode):
            raise InputError(f"{path.name} is a folder, not a file.", CHOOSE)
        if not stat.S_ISREG(facts.st_mode):
            raise _not_ordinary(path)
        if facts.st_size > most:
            raise too_large(path, most)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def too_large(path: Path, most: int) -> InputError:
    """The error of a file with more bytes than its kind may have."""
    size = f"{most / 2**30:.3g} GB" if most >= 2**30 else f"{most / 2**20:.3g} MB"
    return InputError(f"{path.name} is too large: such a file may have {size}.", CHOOSE)


def check_file(path: Path, most: int = MOST_FILE) -> int:
    """Bytes of an ordinary file that can be read; for libraries that open files by their names.
    Raises what `opened` does.
    """
    with opened(path, most) as file:
        return os.fstat(file.fileno()).st_size


def read_bytes(path: Path, most: int = MOST_MEMORY_FILE) -> bytes:
    """The file whole. Raises what `opened` does; files that grow, or never told how large they
    are, end at `most` too.
    """
    with opened(path, most) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            data = file.read(size + 1)
            if len(data) > size:  # it grows, or is one of those that tell no size
                data += file.read(most - len(data) + 1 if most < MOST_FILE else -1)
        except OSError as error:
            raise _refused(path, error) from error
    if len(data) > most:
        raise too_large(path, most)
    return data


def lines(path: Path, most: int = MOST_MEMORY_FILE) -> Iterator[bytes]:
    """The file's lines, their ends included. Raises what `opened` does, and InputError for a line
    that no text has.
    """
    with opened(path, most) as file:
        while line := file.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                raise InputError(f"{path.name} is damaged: a line has no end.", CHOOSE)
            yield line


def read_text(path: Path, most: int = MOST_TEXT) -> str:
    """The same as text in UTF-8, with or without a byte order mark; InputError for other text."""
    try:
        return read_bytes(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path.name} can't be read as text.", "Save it as plain text in UTF-8."
        ) from error
