"""Which videos of a person are read: the input itself or all of a folder, and more."""

import re
from dataclasses import dataclass
from pathlib import Path

from ...formats.name_pairing import listed
from ...formats.natural_order import natural_key
from ...protocol import InputError

BETWEEN = re.compile(r"[\n|]")  # paths in one text: no name on any system has these
VIDEOS = (
    ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts",
    ".wmv", ".3gp",
)  # fmt: skip
MOST = 200  # videos


@dataclass(frozen=True)
class ClipPaths:
    """Videos in the order in which they are read, each once; sentences about what is not."""

    paths: list[Path]
    told: list[str]


def clip_paths(source: str, more: str = "") -> ClipPaths:
    """Of an input, which is a video or a folder of videos, and of more of either, one a line or
    with | between. InputError where one is missing, or a folder holds none.
    """
    named = [source, *filter(None, (text.strip() for text in BETWEEN.split(more)))]
    clips, passed = list[Path](), list[str]()
    for path in map(Path, named):
        if not path.is_dir():
            if len(named) > 1 and not path.is_file():
                raise InputError(f"There is no video {path}.", "Check the path, or leave it out.")
            clips.append(path)
            continue
        videos, others = _inside(path)
        if not videos:
            raise InputError(f"The folder {path.name} holds no video.", "Choose videos.")
        clips += videos
        passed += others
    if len(clips) > MOST:
        raise InputError(f"These are {len(clips)} videos; {MOST} at most are read.", "Choose some.")
    once: dict[Path, Path] = {}
    for path in clips:
        once.setdefault(path.resolve(), path)
    told = [f"Left out, since they are no videos: {listed(passed)}."] if passed else []
    twice = [path.name for path in clips if once[path.resolve()] is not path]
    told += [f"Named more than once, and read once: {listed(twice)}."] if twice else []
    return ClipPaths(list(once.values()), told)


def _inside(folder: Path) -> tuple[list[Path], list[str]]:
    """The videos of a folder in their natural order, and the names of its other files."""
    files = sorted(
        (path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")),
        key=lambda path: natural_key(path.name),
    )
    videos = [path for path in files if path.suffix.lower() in VIDEOS]
    return videos, [path.name for path in files if path not in videos]
