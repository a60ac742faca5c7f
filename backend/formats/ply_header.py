"""Headers of PLY files: elements in any order, with lists among their properties. Believed only
where the file's size bears them out: no allocation follows from a number alone.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..protocol import InputError
from . import gate

TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2",
    "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
ENCODINGS = ("ascii", "binary_little_endian", "binary_big_endian")
MAX_HEADER = 64 * 1024
END = re.compile(rb"(\r\n|\n|\r)end_header[ \t]*(?:\1|\r\n|\n)")


@dataclass(frozen=True)
class Property:
    """A column. Of a list, `kind` is the type of its members and `counted` that of its length."""

    name: str
    kind: str  # as numpy writes it: f4, u1, …
    counted: str = ""


@dataclass(frozen=True)
class Element:
    """A table of the file."""

    name: str
    count: int
    properties: tuple[Property, ...] = ()

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The properties that are no lists, as numpy describes them."""
        return [(p.name, p.kind) for p in self.properties if not p.counted]

    @property
    def lists(self) -> tuple[str, ...]:
        """The names of the others."""
        return tuple(p.name for p in self.properties if p.counted)

    def least_bytes(self, encoding: str) -> int:
        """That the table takes at least: with empty lists; a character and a space a word."""
        if encoding == "ascii":
            return self.count * 2 * len(self.properties)
        return self.count * sum(np.dtype(p.counted or p.kind).itemsize for p in self.properties)


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    encoding: str  # one of ENCODINGS
    elements: tuple[Element, ...]
    size: int  # bytes of the header
    comments: tuple[str, ...] = ()

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Of the vertices."""
        vertices = self.find("vertex")
        return vertices.fields if vertices else []

    def find(self, name: str) -> Element | None:
        """The element of that name, where there is one."""
        return next((e for e in self.elements if e.name == name), None)


def bad_file(path: Path, why: str) -> InputError:
    """The error of a file that is no PLY, or a damaged one."""
    return InputError(
        f"{path.name} is not a usable PLY file: {why}.",
        "Export it again from the program that wrote it.",
    )


def _lines(path: Path) -> tuple[list[str], int]:
    """Of the header, without its end; and its bytes."""
    with gate.opened(path) as file:
        start = file.read(MAX_HEADER)
    if not start:
        raise bad_file(path, "it is empty")
    end = END.search(start)
    if not start.startswith(b"ply") or end is None:
        raise bad_file(path, "it does not begin with a PLY header")
    lines = re.split(r"\r\n|\n|\r", start[: end.start()].decode("utf-8", "replace"))
    return lines, end.end()


def read_header(path: Path) -> Header:
    """Reads the header and checks it against the file's size, up to the vertices.

    Raises InputError for anything that is not a PLY with vertices.
    """
    lines, size = _lines(path)
    encoding, comments, tables = "", [], _Tables(path)
    for line in lines[1:]:
        words = line.split()
        if words[:1] == ["format"] and len(words) == 3:
            encoding = words[1]
        elif words[:1] == ["comment"] and len(words) > 1:
            comments.append(line.strip().split(None, 1)[1])
        elif words[:1] == ["element"]:
            tables.begin(words)
        elif words[:1] == ["property"]:
            tables.add(words)
    elements = tuple(tables.elements)
    header = Header(encoding, elements, size, tuple(comments))
    vertices = header.find("vertex")
    if encoding not in ENCODINGS or vertices is None or not vertices.properties:
        raise bad_file(path, "its header is incomplete or has an impossible count")
    if len({e.name for e in elements}) != len(elements):
        raise bad_file(path, "an element is named twice")
    check_size(path, header, "vertex")
    return header


def check_size(path: Path, header: Header, name: str) -> None:
    """Raises InputError where the file can't hold the element and those before it."""
    room = os.path.getsize(path) - header.size
    room += header.encoding == "ascii"  # the last line may lack its end
    for element in header.elements:
        room -= element.least_bytes(header.encoding)
        if room < 0:
            what = "vertices" if element.name == "vertex" else f"rows of {element.name!r}"
            why = f"its header promises {element.count} {what}, more than the file holds"
            raise bad_file(path, why)
        if element.name == name:
            return


class _Tables:
    """The elements, while the lines that describe them come in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.elements: list[Element] = []

    def begin(self, words: list[str]) -> None:
        """A line that names an element."""
        digits = words[2] if len(words) == 3 else ""
        if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
            raise bad_file(self.path, "its header is incomplete or has an impossible count")
        self.elements.append(Element(words[1], int(digits)))

    def add(self, words: list[str]) -> None:
        """A line that names a property of the last element."""
        if not self.elements:
            raise bad_file(self.path, "its header is incomplete: a property is of no element")
        last = self.elements[-1]
        new = self._property(words, last.name)
        if any(p.name == new.name for p in last.properties):
            raise bad_file(self.path, f"a property is named twice: {new.name[:40]!r}")
        self.elements[-1] = Element(last.name, last.count, (*last.properties, new))

    def _property(self, words: list[str], element: str) -> Property:
        if len(words) == 3 and words[1] in TYPES:
            return Property(words[2], TYPES[words[1]])
        if len(words) == 5 and words[1] == "list" and words[3] in TYPES:
            counted = TYPES.get(words[2], "")
            if counted[:1] in ("i", "u") and counted:
                return Property(words[4], TYPES[words[3]], counted)
        raise bad_file(self.path, f"a property of {element[:40]!r} has an unknown type")
