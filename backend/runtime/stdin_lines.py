"""Lines of standard input, for a thread that listens for as long as the process lives."""

import os
import select
import sys
from collections.abc import Iterable, Iterator

from ..events import MAX_LINE


def lines_of_stdin() -> Iterator[bytes]:
    """Lines until end-of-file, read without Python's buffer: a thread that waits in it would abort
    the exit.
    """
    return split_lines(_chunks())


def split_lines(chunks: Iterable[bytes], longest: int = MAX_LINE) -> Iterator[bytes]:
    """Whole lines, without their ends. One longer than `longest` bytes is left out as a whole: its
    last part is not a line.
    """
    pending, is_skipping = b"", False
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            if not is_skipping and len(pending) + len(part) <= longest:
                yield pending + part
            pending, is_skipping = b"", False
        if not is_skipping:
            pending += rest
        if len(pending) > longest:
            pending, is_skipping = b"", True


def _chunks() -> Iterator[bytes]:
    """An unreadable input has ended; one that only has nothing yet is waited for."""
    while True:
        try:
            chunk = os.read(0, MAX_LINE)
        except BlockingIOError:  # whoever holds the other end of it has made it so
            if sys.platform == "win32":
                return
            select.select([0], [], [])
            continue
        except OSError:
            return
        if not chunk:
            return
        yield chunk
