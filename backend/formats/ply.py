"""A strict PLY reader and writer of tables. numpy only; Blender's side uses it too.

What comes before a table and the lists in it are stepped over; ply_header.py checks sizes.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..geometry.arrays import Doubles, Ints, Pixels
from . import gate
from .ply_header import (
    TYPES as TYPES,
    Element as Element,
    Header as Header,
    Property as Property,
    bad_file,
    check_size,
    read_header as read_header,
)

NAMES = {
    "i1": "char",
    "u1": "uchar",
    "i2": "short",
    "u2": "ushort",
    "i4": "int",
    "u4": "uint",
    "f4": "float",
    "f8": "double",
}
BLOCK = 1 << 16  # rows at a time
UNEVEN = 20_000_000  # rows whose lists are of unlike lengths that are stepped over one by one


def read_comments(path: Path) -> list[str]:
    """The comments of the header, in their order."""
    return list(read_header(path).comments)


def read_vertices(path: Path) -> NDArray[np.void]:
    """The vertices as a structured array with the file's property names; lists are left out."""
    return read_element(path, read_header(path), "vertex")


def read_element(path: Path, header: Header, name: str) -> NDArray[np.void]:
    """A table that the header names, whole. Raises InputError where the file is damaged."""
    blocks = [np.array(block) for block in read_blocks(path, header, name)]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def read_blocks(path: Path, header: Header, name: str) -> Iterator[NDArray[np.void]]:
    """The same block by block, one at least; none of them need be kept."""
    element = header.find(name)
    if element is None:
        raise bad_file(path, f"it has no {name!r}")
    check_size(path, header, name)
    before = header.elements[: header.elements.index(element)]
    if header.encoding == "ascii":
        yield _from_words(path, header, before, element)
        return
    order = ">" if header.encoding == "binary_big_endian" else "<"
    start = header.size
    if any(e.lists for e in (*before, element)):
        data: Pixels = np.memmap(path, np.uint8, "r")
        for other in before:
            start = _end_of(path, data, start, other, order)
        if element.lists:
            yield _without_lists(path, data, start, element, order)
            return
    else:
        start += sum(e.least_bytes(header.encoding) for e in before)
    dtype = _dtype(element, order)
    with gate.opened(path) as file:
        file.seek(start)
        for first in range(0, max(element.count, 1), BLOCK):
            rows = min(BLOCK, element.count - first)
            block = np.fromfile(file, dtype, rows)
            if len(block) < rows:
                raise bad_file(path, f"its {name!r} are cut off")
            yield block.astype(dtype.newbyteorder("="), copy=False)


def _dtype(element: Element, order: str) -> np.dtype:
    return np.dtype([(name, order + kind) for name, kind in element.fields])


def _end_of(path: Path, data: Pixels, start: int, element: Element, order: str) -> int:
    """Where a table of the file ends."""
    if not element.lists:
        return start + element.count * _dtype(element, order).itemsize
    return int(_run_starts(path, data, start, element, order)[1])


def _without_lists(
    path: Path, data: Pixels, start: int, element: Element, order: str
) -> NDArray[np.void]:
    """(count,) the other properties of rows that have lists among them."""
    starts, _ = _run_starts(path, data, start, element, order)
    table = np.empty(element.count, _dtype(element, order))
    for run, places in zip(_runs(element), starts.T, strict=True):
        for name, offset, kind in run:
            size = np.dtype(kind).itemsize
            index = (places + offset)[:, None] + np.arange(size)
            table[name] = data[index].view(order + kind)[:, 0]
    return table.astype(table.dtype.newbyteorder("="), copy=False)


def _runs(element: Element) -> list[list[tuple[str, int, str]]]:
    """Properties that stand side by side in every row: name, offset in the run, kind. One run
    more than there are lists.
    """
    runs: list[list[tuple[str, int, str]]] = [[]]
    offset = 0
    for p in element.properties:
        if p.counted:
            runs.append([])
            offset = 0
        else:
            runs[-1].append((p.name, offset, p.kind))
            offset += np.dtype(p.kind).itemsize
    return runs


def _run_starts(
    path: Path, data: Pixels, start: int, element: Element, order: str
) -> tuple[Ints, int]:
    """(count, runs) where the runs of every row begin, and where the table ends."""
    steps = []  # bytes before the list's length, its type, bytes a member
    lists = [p for p in element.properties if p.counted]
    widths = [sum(np.dtype(kind).itemsize for _, _, kind in run) for run in _runs(element)]
    for width, p in zip(widths, lists, strict=False):
        steps.append((width, np.dtype(order + p.counted), np.dtype(p.kind).itemsize))
    if not element.count:
        return np.empty((0, len(widths)), np.int64), start
    first, end = _walk(path, data, start, 1, steps, widths[-1])
    stride = end - start
    even = np.arange(element.count)[:, None] * stride + first
    if start + element.count * stride <= len(data) and _alike(data, even, steps):
        return even, start + element.count * stride
    if element.count > UNEVEN:
        raise bad_file(path, f"its {element.name!r} hold more lists than can be stepped over")
    return _walk(path, data, start, element.count, steps, widths[-1])


def _walk(
    path: Path,
    data: Pixels,
    start: int,
    count: int,
    steps: list[tuple[int, np.dtype, int]],
    tail: int,
) -> tuple[Ints, int]:
    """The same row by row, each from the end of the one before."""
    raw, place, limit = data.data, start, len(data)
    starts = np.empty((count, len(steps) + 1), np.int64)
    kinds = [("little" if d.newbyteorder("<") == d else "big", d.kind == "i") for _, d, _ in steps]
    for row in range(count):
        for column, (width, counted, member) in enumerate(steps):
            starts[row, column] = place
            place += width
            size = counted.itemsize
            order, signed = kinds[column]
            length = int.from_bytes(raw[place : place + size], order, signed=signed)  # type: ignore[arg-type]
            if length < 0:
                raise bad_file(path, "a list has an impossible length")
            place += size + length * member
            if place > limit:
                raise bad_file(path, "a list reaches beyond the end of the file")
        starts[row, -1] = place
        place += tail
    if place > limit:
        raise bad_file(path, "it is cut off")
    return starts, place


def _alike(data: Pixels, starts: Ints, steps: list[tuple[int, np.dtype, int]]) -> bool:
    """Whether all rows' lists are as long as those of the first."""
    for column, (width, counted, _) in enumerate(steps):
        places = starts[:, column] + width
        for first in range(0, len(places), BLOCK):
            index = places[first : first + BLOCK, None] + np.arange(counted.itemsize)
            lengths = data[index].view(counted)
            if (lengths != data[places[0] : places[0] + counted.itemsize].view(counted)).any():
                return False
    return True


def _from_words(
    path: Path, header: Header, before: tuple[Element, ...], element: Element
) -> NDArray[np.void]:
    """A table of an ascii file; rows may be as long as they like."""
    with gate.opened(path) as file:
        file.seek(header.size)
        text = file.read()
    if any(e.lists for e in (*before, element)):
        columns = _columns_of_words(path, text.split(), before, element)
    else:
        skipped = sum(e.count * len(e.properties) for e in before)
        wanted = element.count * len(element.properties)
        columns = list(_numbers(path, text, skipped, wanted).reshape(element.count, -1).T)
    table = np.empty(element.count, _dtype(element, "="))
    for (name, kind), values in zip(element.fields, columns, strict=True):
        if kind[0] in "iu":
            limits = np.iinfo(kind)
            if not ((values >= limits.min) & (values <= limits.max)).all():
                raise bad_file(path, f"a value of {name!r} does not fit its type")
        with np.errstate(over="ignore"):  # what no float32 can hold is infinite
            table[name] = values
    return table


def _numbers(path: Path, text: bytes, skipped: int, wanted: int) -> Doubles:
    """So many numbers from a text, after others."""
    letters = np.frombuffer(text, np.uint8) > ord(" ")
    words = np.count_nonzero(letters[1:] & ~letters[:-1]) + bool(len(letters) and letters[0])
    del letters
    try:  # numpy fills what is missing with whatever lies in memory, hence the count
        if words < skipped + wanted:
            raise ValueError
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what numpy 1 says of words that are no numbers
            return np.fromstring(text, np.float64, skipped + wanted, sep=" ")[skipped:]
    except (ValueError, DeprecationWarning) as error:
        raise bad_file(path, "a value is not a number, or some are missing") from error


def _columns_of_words(
    path: Path, words: list[bytes], before: tuple[Element, ...], element: Element
) -> list[Doubles]:
    """The columns of a table, word by word, since lists stand before or in it."""
    place = 0
    rows: list[list[bytes]] = []
    try:
        for table in (*before, element):
            rows = []
            for _ in range(table.count):
                row = []
                for p in table.properties:
                    length = int(words[place]) if p.counted else 0
                    if length < 0:
                        raise bad_file(path, "a list has an impossible length")
                    if not p.counted:
                        row.append(words[place])
                    place += 1 + length
                rows.append(row)
        if place > len(words):
            raise IndexError
        values = np.array(rows, np.float64).reshape(element.count, len(element.fields))
    except (ValueError, IndexError, OverflowError) as error:
        raise bad_file(path, "a value is not a number, or some are missing") from error
    return list(values.T)


def write_vertices(path: Path, vertices: NDArray[np.void], comments: tuple[str, ...] = ()) -> None:
    """Writes a structured array as binary little-endian PLY."""
    write_elements(path, {"vertex": vertices}, comments)


def write_elements(
    path: Path, elements: dict[str, NDArray[np.void]], comments: tuple[str, ...] = ()
) -> None:
    """Writes several tables, in their order, as binary little-endian PLY."""
    tables = {name: (len(table), table.dtype) for name, table in elements.items()}
    with open(path, "wb") as file:
        file.write(header_of(tables, comments))
        for table in elements.values():
            file.write(np.ascontiguousarray(table, table.dtype.newbyteorder("<")).data)


def header_of(tables: dict[str, tuple[int, np.dtype]], comments: tuple[str, ...] = ()) -> bytes:
    """Of a binary little-endian file with tables of so many rows and such columns."""
    lines = ["ply", "format binary_little_endian 1.0", *(f"comment {c}" for c in comments)]
    for element, (count, dtype) in tables.items():
        lines.append(f"element {element} {count}")
        lines += [f"property {NAMES[dtype[n].str[1:]]} {n}" for n in dtype.names or ()]
    return ("\n".join([*lines, "end_header"]) + "\n").encode()
