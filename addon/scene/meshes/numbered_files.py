"""Which files of a folder are one sequence, in which order, and which frame each of them is."""

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ....backend.formats.natural_order import natural_key
from ....backend.protocol import InputError

KINDS = (".obj", ".ply", ".stl", ".glb", ".gltf")
LONGEST_GAP = 10_000  # numbers further apart are dates or serial numbers, not frames


@dataclass(frozen=True)
class NumberedFiles:
    """Files in their order; `frames` count from 0 where the first is, and keep the gaps that the
    names have. `notes` say what was left out or is missing.
    """

    files: list[Path]
    frames: list[int]
    notes: list[str]


def files_of(folder: Path) -> NumberedFiles:
    """The sequence of a folder. InputError where there is none, or more than one."""
    every = [p for p in folder.iterdir() if p.suffix.lower() in KINDS and not p.is_dir()]
    every.sort(key=lambda p: natural_key(p.name))
    hidden = [p for p in every if p.name.startswith(".")]
    odd = [p for p in every if not p.is_file() and p not in hidden]
    files = [p for p in every if p not in hidden and p not in odd]
    if len(files) < 2:
        raise InputError(
            f"{folder.name} holds fewer than two mesh files.",
            f"Choose a folder with one file a frame ({', '.join(KINDS)}).",
        )
    kinds = {p.suffix.lower() for p in files}
    if len(kinds) > 1:
        raise InputError(
            f"{folder.name} holds several kinds of mesh files ({', '.join(sorted(kinds))}).",
            "Leave only one kind in it.",
        )
    notes = [_listed("hidden file", hidden, "left out")] if hidden else []
    if odd:
        notes.append(_listed("unreadable file", odd, "left out"))
    numbers = _numbers(folder, files)
    if numbers is None:
        return NumberedFiles(files, list(range(len(files))), notes)
    order = sorted(range(len(files)), key=lambda i: numbers[i])
    rising = [numbers[i] for i in order]
    gaps = [after - before for before, after in pairwise(rising)]
    if min(gaps) < 1 or max(gaps) > LONGEST_GAP:
        notes.append("the numbers in their names are no frame numbers: played one after another")
        return NumberedFiles(files, list(range(len(files))), notes)
    if max(gaps) > 1:
        notes.append(_missing(rising))
    return NumberedFiles([files[i] for i in order], [n - rising[0] for n in rising], notes)


def _listed(what: str, files: list[Path], done: str) -> str:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{len(files)} {what}{'s' if len(files) > 1 else ''} {done} ({files[0].name}{more})"


def _missing(rising: list[int]) -> str:
    """Which numbers are not there, the first few ranges of them."""
    there = set(rising)
    absent = [n for n in range(rising[0], rising[-1]) if n not in there]
    ranges: list[list[int]] = []
    for number in absent:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    told = ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in ranges[:3])
    more = " …" if len(ranges) > 3 else ""
    return f"{len(absent)} frame numbers have no file ({told}{more}): kept as gaps"


def _numbers(folder: Path, files: list[Path]) -> list[int] | None:
    """The number in each name that tells its frame; None where names have none in common.
    InputError where the names are those of several sequences.
    """
    split = [re.split(r"(\d+)", p.stem) for p in files]
    words = [tuple(part.lower() for part in parts[::2]) for parts in split]
    signed = _signed(words)
    groups = defaultdict(list)
    for path, text in zip(files, signed, strict=True):
        groups[text].append(path)
    if len(groups) > 1:
        if max(map(len, groups.values())) > 1:
            _refuse(folder, list(groups.values()))
        return None
    columns = list(zip(*(map(int, parts[1::2]) for parts in split), strict=True))
    varying = [k for k, column in enumerate(columns) if len(set(column)) > 1]
    if len(varying) != 1:
        return None
    place = varying[0]
    return [
        -value if text[place] != common[place] else value
        for value, text, common in zip(columns[place], words, signed, strict=True)
    ]


def _refuse(folder: Path, groups: list[list[Path]]) -> None:
    """InputError that names one of each."""
    some = ", ".join(g[0].name + (" …" if len(g) > 1 else "") for g in groups[:3])
    raise InputError(
        f"{folder.name} holds more than one sequence of meshes ({some}).",
        "Leave only the files of one in it.",
    )


def _signed(words: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Texts around the numbers, without the minus of frames before zero: where only some names
    have one at a place, it is a sign; where all have, a hyphen.
    """
    lengths = {len(parts) for parts in words}
    if len(lengths) > 1:
        return words
    signed = [list(parts) for parts in words]
    for place in range(lengths.pop() - 1):
        ends = [parts[place].endswith("-") for parts in words]
        if any(ends) and not all(ends):
            for parts in signed:
                parts[place] = parts[place].removesuffix("-")
    return [tuple(parts) for parts in signed]
