"""A strict PLY reader and writer for the vertices of a file. numpy only; Blender's side uses it
too.

The header is believed only where the file's size bears it out: no allocation follows from a number
alone.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..protocol import InputError

TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2",
    "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
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
MAX_HEADER = 64 * 1024


@dataclass(frozen=True)
class Header:
    """Of the vertex element, which must come first; what follows it is not read."""

    encoding: str  # ascii, binary_little_endian, binary_big_endian
    count: int
    fields: list[tuple[str, str]]
    size: int  # bytes of the header


def _bad(path: Path, why: str) -> InputError:
    return InputError(
        f"{path.name} is not a usable PLY file: {why}.",
        "Export it again from the program that wrote it.",
    )


def _header_lines(path: Path) -> tuple[list[str], int]:
    try:
        with open(path, "rb") as file:
            start = file.read(MAX_HEADER)
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror}.", "Choose another file."
        ) from error
    if not start:
        raise _bad(path, "it is empty")
    end = start.find(b"end_header")
    newline = start.find(b"\n", end)
    if not start.startswith(b"ply") or end < 0 or newline < 0:
        raise _bad(path, "it does not begin with a PLY header")
    return start[:end].decode("ascii", "replace").split("\n"), newline + 1


def read_header(path: Path) -> Header:
    """Reads and checks the header against the file's size."""
    lines, size = _header_lines(path)
    encoding, count, fields, element = "", -1, [], ""
    for words in (line.split() for line in lines[1:]):
        if not words or words[0] in ("comment", "obj_info"):
            continue
        if words[0] == "format" and len(words) == 3:
            encoding = words[1]
        elif words[0] == "element" and len(words) == 3:
            if not element and words[1] != "vertex":
                raise _bad(path, f"its first element is {words[1]!r}, not 'vertex'")
            if words[1] == "vertex":
                count = int(words[2]) if words[2].isdigit() and len(words[2]) < 16 else -1
            element = words[1]
        elif words[0] == "property" and element == "vertex":
            if len(words) != 3 or words[1] not in TYPES:
                raise _bad(path, "a vertex property has an unknown type")
            fields.append((words[2], TYPES[words[1]]))
    if (
        encoding not in ("ascii", "binary_little_endian", "binary_big_endian")
        or count < 0
        or not fields
    ):
        raise _bad(path, "its header is incomplete or has an impossible count")
    if len({name for name, _ in fields}) != len(fields):
        raise _bad(path, "a property is named twice")
    row = (
        sum(np.dtype(kind).itemsize for _, kind in fields)
        if encoding != "ascii"
        else 2 * len(fields)
    )
    if count * row > os.path.getsize(path) - size + (
        encoding == "ascii"
    ):  # the last line may lack its end
        raise _bad(path, f"its header promises {count} vertices, more than the file holds")
    return Header(encoding, count, fields, size)


def read_comments(path: Path) -> list[str]:
    """The comments of the header, in their order."""
    lines = (line.strip() for line in _header_lines(path)[0])
    return [line.split(None, 1)[1] for line in lines if line.startswith("comment ")]


def read_vertices(path: Path) -> NDArray[np.void]:
    """The vertices as a structured array with the file's property names."""
    header = read_header(path)
    order = ">" if header.encoding == "binary_big_endian" else "<"
    dtype = np.dtype([(name, order + kind) for name, kind in header.fields])
    if header.encoding != "ascii":
        mapped = (
            np.memmap(path, dtype, "r", header.size, (header.count,))
            if header.count
            else np.empty(0, dtype)
        )
        return np.array(mapped, dtype.newbyteorder("="))
    with open(path, "rb") as file:
        file.seek(header.size)
        words = file.read().split(None, header.count * len(header.fields))
    try:
        table = np.array(words[: header.count * len(header.fields)], dtype=np.float64).reshape(
            header.count, len(header.fields)
        )
    except ValueError as error:
        raise _bad(path, "a value is not a number, or some are missing") from error
    out = np.empty(header.count, dtype.newbyteorder("="))
    for i, (name, _) in enumerate(header.fields):
        out[name] = table[:, i]
    return out


def write_vertices(path: Path, vertices: NDArray[np.void], comments: tuple[str, ...] = ()) -> None:
    """Writes a structured array as binary little-endian PLY."""
    assert vertices.dtype.names  # our own writers only
    lines = [
        "ply",
        "format binary_little_endian 1.0",
        *(f"comment {c}" for c in comments),
        f"element vertex {len(vertices)}",
    ]
    for name in vertices.dtype.names:
        lines.append(f"property {NAMES[vertices.dtype[name].str[1:]]} {name}")
    with open(path, "wb") as file:
        file.write(("\n".join([*lines, "end_header"]) + "\n").encode("ascii"))
        file.write(np.ascontiguousarray(vertices, vertices.dtype.newbyteorder("<")).tobytes())
