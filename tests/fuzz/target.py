"""What can be fuzzed: a file that our own writers make, and the reader that gets it mutated."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Target:
    """`make` writes valid input into a folder; `read` gets the path of `file` in it, of which the
    bytes are no longer what they were.
    """

    name: str
    file: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    share: float = 1.0  # of the time, against the others
    sanitized: bool = False  # runs in a Python of its own, with checked kernels

    def seed(self, folder: Path) -> bytes:
        """The valid bytes; what lies beside them stays in the folder."""
        self.make(folder)
        return (folder / self.file).read_bytes()


def several(
    name: str,
    files: tuple[str, ...],
    make: Callable[[Path], object],
    read: Callable[[Path], object],
) -> tuple[Target, ...]:
    """A target for each file of one folder; `read` gets the folder."""
    return tuple(
        Target(name=f"{name}-{file}", file=file, make=make, read=lambda path: read(path.parent))
        for file in files
    )
