"""What an ONNX file refers to, read without onnx: other files with weights, and what only a
vendor's library can open. Standard library only.

ONNX is a protocol buffer, by its published schema (onnx.proto3). Only what can name a file is
walked: graphs, their nodes' attributes and their tensors; weights are stepped over.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..protocol import InputError
from .gate import check_file, read_bytes
from .limits import MOST_MODEL, MOST_ONNX

ADVICE = "Export the network to ONNX again, or get another file."
MOST_FIELDS = 5_000_000  # that are looked at; the largest networks in use have tens of thousands
DEEPEST = 64  # graphs within graphs
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
EXTERNAL, LOCATION = 13, b"location"  # the field of a tensor, and the key in it
PYTORCH = (b"PK\3\4", b"\x80\2", b"\x80\4")  # its archives, TorchScript too, and bare pickles
# operators that are a file of their own to a vendor's library, which opens it
FOREIGN = {b"EPContext"}
# of each message, the fields that are messages themselves and may lead to a tensor
INNER: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse",
    },
    "tensor": {EXTERNAL: "entry"},
    "entry": {},
}  # fmt: skip


@dataclass(frozen=True)
class OnnxFacts:
    """The file's bytes, and names of the files beside it that hold weights of its."""

    data: bytes
    external: frozenset[str]


class _Damaged(Exception):
    """What is read is no such protocol buffer."""


def read(path: Path) -> OnnxFacts:
    """The file, if all that it refers to lies in its own folder.

    Raises:
        InputError: it is no ordinary file, no ONNX, too large, names a file elsewhere or one that
            is not there, or holds an operator that opens files.
    """
    data = read_bytes(path, MOST_ONNX)
    if data.startswith(PYTORCH):
        raise InputError(
            f"{path.name} is no ONNX file, but one of PyTorch's, which can hold a program.",
            "Export the network, with torch.onnx.export, and give the .onnx.",
        )
    try:
        named, operators, graphs = _walked(memoryview(data))
    except (_Damaged, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is no ONNX file, or damaged.", ADVICE) from error
    if not graphs:
        raise InputError(f"{path.name} is no ONNX file: it holds no network.", ADVICE)
    if operators & FOREIGN:
        raise InputError(
            f"{path.name} was compiled for one vendor's device, and holds a file of its library.",
            "Get the network as plain ONNX.",
        )
    for name in sorted(named):
        _require_beside(path, name)
    return OnnxFacts(data, frozenset(named))


def _require_beside(path: Path, name: str) -> None:
    """Raises InputError where the name leads out of the model's folder, by itself or by a link."""
    outside = InputError(
        f"{path.name} names a file outside its own folder for its weights.", ADVICE
    )
    if not name or "\0" in name or os.path.isabs(name) or Path(name).drive:
        raise outside
    folder, target = path.parent.resolve(), path.parent / name
    if ".." in Path(name.replace("\\", "/")).parts or not target.resolve().is_relative_to(folder):
        raise outside
    check_file(target, MOST_MODEL)


def _walked(data: memoryview) -> tuple[set[str], set[bytes], int]:
    """Names of files that tensors lie in, operators' names, and the number of graphs."""
    named, operators, graphs, seen = set[str](), set[bytes](), 0, 0
    todo: list[tuple[str, memoryview, int]] = [("model", data, 0)]
    while todo:
        kind, message, depth = todo.pop()
        if depth > DEEPEST:
            raise _Damaged
        graphs += kind == "graph"
        entry: dict[int, bytes] = {}
        for number, value in _fields(message):
            seen += 1
            if seen > MOST_FIELDS:
                raise _Damaged
            inner = INNER[kind].get(number)
            if inner and value is not None:
                todo.append((inner, value, depth + 1))
            elif kind == "node" and number == 4 and value is not None:
                operators.add(bytes(value[:64]))
            elif kind == "entry" and value is not None:
                entry[number] = bytes(value[:4096])
        if entry.get(1) == LOCATION:
            named.add(entry.get(2, b"").decode())
    return named, operators, graphs


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Number and bytes of each field; None for numbers, which name no files."""
    at, size = 0, len(data)
    while at < size:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise _Damaged
        value: memoryview | None = None
        if wire == VARINT:
            _, at = _varint(data, at)
        elif wire == BYTES:
            length, at = _varint(data, at)
            value, at = data[at : at + length], at + length
        elif wire in (FIXED32, FIXED64):
            at += 4 if wire == FIXED32 else 8
        else:
            raise _Damaged
        if at > size:
            raise _Damaged
        yield number, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise _Damaged
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _Damaged
