"""Which file belongs to which name: by path, then case, then ending, then known suffixes, and last
by how much of the path agrees. Never by order. Standard library only.

A name that two files would fit, or a file that would fit two names, stays alone: nothing is
guessed.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from .natural_order import natural_key, slashed

ENDINGS = re.compile(
    r"\.(jpe?g|png|tiff?|webp|bmp|gif|exr|dng|hei[cf]|avif|nef|cr[23]|arw|raf|orf|rw2)$", re.I
)
SUFFIXES = re.compile(r"([._ -]?(mask|masks|alpha|matte|seg|segmentation))$", re.I)
PREFIXES = re.compile(r"^((mask|alpha|matte)[._ -])", re.I)
SHOWN = 5  # names of a list that a sentence shows

Key = Callable[[str], str]


def _without_ending(name: str) -> str:
    return ENDINGS.sub("", name)


def _bare(name: str) -> str:
    """Without every known ending and suffix: `a.jpg.png`, `a_mask.png` and `a.mask.png` are `a`."""
    path = PurePosixPath(name.casefold())
    word, before = path.name, ""
    while word != before:
        before = word
        word = ENDINGS.sub("", word) or word
        word = SUFFIXES.sub("", word) or word
    return path.with_name(PREFIXES.sub("", word) or word).as_posix()


KEYS: tuple[Key, ...] = (
    str,
    str.casefold,
    _without_ending,
    lambda name: _without_ending(name).casefold(),
)
MASK_KEYS: tuple[Key, ...] = (
    *KEYS[:2],
    lambda name: ENDINGS.sub("", name) if ENDINGS.search(ENDINGS.sub("", name)) else name,
    *KEYS[2:],
    _bare,
)


def _by_key(wanted: Iterable[str], files: Iterable[str], key: Key, of_file: Key) -> dict[str, str]:
    """Pairs whose keys are equal, and unlike every other's."""
    by_key: dict[str, list[str]] = {}
    for file in files:
        by_key.setdefault(of_file(file), []).append(file)
    asked = Counter(key(name) for name in wanted)
    return {
        name: by_key[key(name)][0]
        for name in wanted
        if asked[key(name)] == 1 and len(by_key.get(key(name), ())) == 1
    }


def _tail(depth: int, key: Key) -> Key:
    """Of the last `depth` parts of a path; what has fewer parts has no such tail."""

    def tail(name: str) -> str:
        parts = key(name).split("/")
        return "/".join(parts[-depth:]) if len(parts) >= depth else f"\0{name}"

    return tail


def pair_names(
    wanted: Sequence[str], files: Sequence[str], is_mask: bool = False, elsewhere: bool = True
) -> dict[str, str]:
    """The file of each name that has one.

    Args:
        wanted: names as somebody wrote them, with either slash.
        files: paths that there are, relative to the folder that they were looked for in.
        is_mask: the files are masks of what the names name: `a.jpg.png`, `a.mask.png`, `a_mask.png`
            belong to `a.jpg`.
        elsewhere: whether files of other folders than the named one may be taken, where no name
            fits as it is written.
    """
    spelled = {name: slashed(name) for name in wanted}
    there = {slashed(file): file for file in files}
    open_names, open_files = set(spelled.values()), set(there)
    pairs: dict[str, str] = {}
    keys = MASK_KEYS if is_mask else KEYS

    def take(key: Key) -> None:
        new = _by_key(sorted(open_names), sorted(open_files), key, key)
        pairs.update(new)
        open_names.difference_update(new)
        open_files.difference_update(new.values())

    for key in keys:
        take(key)
    if elsewhere and not pairs:
        deepest = max((n.count("/") + 1 for n in (*open_names, *open_files)), default=1)
        for depth in range(deepest, 0, -1):
            for key in keys:
                take(_tail(depth, key))
    return {name: there[pairs[spelled[name]]] for name in wanted if spelled[name] in pairs}


def listed(names: Iterable[str], shown: int = SHOWN) -> str:
    """Some of the names for a sentence, in natural order: `a.jpg, b.jpg and 7 more`."""
    ordered = sorted(names, key=natural_key)
    if len(ordered) <= shown:
        return ", ".join(ordered)
    return f"{', '.join(ordered[:shown])} and {len(ordered) - shown} more"
