"""What the run before left in an output folder and the new one does not."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .committing import files_of, listing

# what versions that wrote no list are known to have left, by verb; photographs' names are their own
KNOWN: Mapping[str, tuple[str, ...]] = {
    "render": ("[0-9][0-9][0-9][0-9].png", "video.mp4"),
    "cameras": ("images/[0-9][0-9][0-9][0-9][0-9][0-9].*", "depths/*.npz", "tracks.npz"),
}


def left_behind(
    output: Path, former: Mapping[str, Any], new: Iterable[str], reads: Iterable[Path]
) -> list[str]:
    """Names of the former run's files, as they were left, that the new run has none of. What the
    new run reads stays, and so does what was changed since.
    """
    sizes = files_of(former)
    if not sizes and "files" not in former:
        patterns = KNOWN.get(str(former.get("verb", "")), ())
        there = listing(output) if patterns else {}
        sizes = {n: s for n, s in there.items() if any(fnmatchcase(n, p) for p in patterns)}
    kept, read = set(new), [path.resolve() for path in reads]
    return [
        name
        for name, size in sizes.items()
        if name not in kept
        and (path := output / name).is_file()
        and path.lstat().st_size == size
        and not any(path.resolve().is_relative_to(each) for each in read)
    ]
