"""The files that a transforms.json names: looked for as they are written, then by what other
spelling of the same name there is.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ..protocol import InputError
from .name_pairing import pair_names
from .natural_order import slashed
from .transforms_json import IMAGES

UP = 2  # folders above the capture's that its names may lead to
OTHERS = ("mask", "masks", "depth", "depths", "normal", "normals")  # folders of no photographs
LONGEST_PATH, LONGEST_NAME = 1000, 255  # of a name with its folders, and of one in bytes
MOST_FILES = 200_000  # that are looked at when names don't fit


def _outside(name: str) -> InputError:
    return InputError(
        f"transforms.json names a file outside its folder: {name!r}.",
        "Move the pictures into the capture.",
    )


def _is_too_long(name: str) -> bool:
    """For every file system: asking for such a file is an error."""
    parts = name.encode("utf-8", "replace").replace(b"\\", b"/").split(b"/")
    return len(name) > LONGEST_PATH or max(map(len, parts)) > LONGEST_NAME


def is_name(name: Any) -> bool:
    """Whether a file can be called so: letters that can be written, and not too many."""
    if not isinstance(name, str) or not name or "\0" in name:
        return False
    try:
        parts = slashed(name).encode().split(b"/")
    except UnicodeEncodeError:  # half a letter
        return False
    return len(name) <= LONGEST_PATH and max(map(len, parts)) <= LONGEST_NAME


def inside(root: Path, name: Any) -> Path:
    """A file of the capture by its name in the JSON. `../images/a.jpg` is read as instant-ngp
    writes it; names of anything but pictures and points that lead outside the folder, and those
    that lead further, are refused.
    """
    if isinstance(name, str) and _is_too_long(name):
        raise InputError(
            f"transforms.json names a file with a name of {len(name)} characters.",
            "No file can be called so: export it again.",
        )
    if not is_name(name):
        raise InputError("transforms.json: a frame has no file_path.", "Export it again.")
    parts = PurePosixPath(slashed(name))
    if parts.is_absolute() or PureWindowsPath(name).drive:
        raise _outside(name)
    ups = sum(part == ".." for part in parts.parts)
    path = _above(root, ups).joinpath(*parts.parts[ups:])
    if ups and (
        ".." in parts.parts[ups:]
        or ups > UP
        or parts.suffix.lower() not in (*IMAGES, "", ".ply", ".exr", ".npy")
        or (len(parts.parts) < ups + 2 and not path.is_file())
    ):
        raise _outside(name)
    if path.suffix.lower() in IMAGES or path.is_file():
        return path
    return next(
        (c for c in (path.with_name(path.name + s) for s in IMAGES) if c.is_file()),
        path.with_name(path.name + ".png"),
    )


def _above(root: Path, ups: int) -> Path:
    base = Path(os.path.abspath(root)) if ups else root
    for _ in range(ups):
        base = base.parent
    return base


def pictures_below(folder: Path, endings: Iterable[str] = IMAGES, masks: bool = False) -> list[str]:
    """Paths of the pictures in the folder and those in it, relative to it, in one order on every
    disk; hidden files, macOS's `._` twins and, unless `masks`, folders of masks and depth left out.
    """
    wanted, names = tuple(endings), []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(
            f
            for f in folders
            if (masks or f.lower() not in OTHERS) and not f.startswith((".", "__MACOSX"))
        )
        base = Path(place).relative_to(folder)
        names += [
            (base / f).as_posix()
            for f in sorted(files)
            if f.lower().endswith(wanted) and not f.startswith(".")
        ]
        if len(names) > MOST_FILES:
            break
    return names


def locate(
    root: Path, names: Sequence[str], masks: bool = False
) -> tuple[dict[str, Path], list[str]]:
    """Where each picture (or mask) lies that the capture at `root` names, be it there or not; and
    which of the names are spelled otherwise than their files.

    Raises:
        InputError: a name leads outside, as `inside` says, and no picture within fits it.
    """
    places: dict[str, Path] = {}
    astray: dict[str, InputError] = {}
    for name in names:
        try:
            places[name] = inside(root, name)
        except InputError as error:
            if not is_name(name):
                raise
            astray[name] = error
    missing = [n for n in names if n in astray or not places[n].is_file()]
    if not missing:
        return places, []
    taken = {path for name, path in places.items() if path.is_file()}
    files = [f for f in pictures_below(root, masks=masks) if root / f not in taken]
    if len(missing) == len(places) + len(astray):  # the folder itself may have been renamed
        pairs = pair_names(missing, files)
    else:
        pairs = pair_names(missing, files, elsewhere=False)
    if unplaced := [name for name in astray if name not in pairs]:
        raise astray[unplaced[0]]
    return {**places, **{name: root / file for name, file in pairs.items()}}, list(pairs)
