"""Sizes that mesh files declare, held against what they hold: Blender's own importers believe them,
and abort the whole program over one that lies. Standard library only.
"""

import struct
from pathlib import Path
from typing import Any

from ..protocol import InputError
from . import gate
from .json_file import parse_json

MOST_HEADER = 64 * 1024
MOST_JSON = 256 * 2**20
BYTES = {
    "char": 1, "int8": 1, "uchar": 1, "uint8": 1, "short": 2, "int16": 2, "ushort": 2, "uint16": 2,
    "int": 4, "int32": 4, "uint": 4, "uint32": 4, "float": 4, "float32": 4, "double": 8,
    "float64": 8,
}  # fmt: skip
GLB, JSON_CHUNK = 0x46546C67, 0x4E4F534A


def is_empty(path: Path) -> bool:
    """Whether a file says of itself that it holds no mesh; InputError where it declares more than
    it can hold. Kinds that declare nothing are never empty.
    """
    kind = path.suffix.lower()
    if kind == ".ply":
        return _check_ply(path) == 0
    if kind in (".glb", ".gltf"):
        _check_gltf(path)
    return False


def _bad(path: Path, why: str) -> InputError:
    return InputError(f"{path.name} is damaged: {why}.", "Remove it, or export it again.")


def _check_ply(path: Path) -> int:
    """How many vertices there are."""
    with gate.opened(path) as file:
        start = file.read(MOST_HEADER)
    end = start.find(b"end_header")
    if not start.startswith(b"ply") or end < 0:
        raise _bad(path, "it does not begin with a PLY header")
    size, ascii_text, vertices = gate.check_file(path), False, 0
    elements: list[tuple[int, int]] = []  # how many, and bytes that each takes at least
    for line in start[:end].decode("ascii", "replace").splitlines():
        words = line.split()
        if words[:2] == ["format", "ascii"]:
            ascii_text = True
        elif words[:1] == ["element"]:
            elements.append((_count(path, words), 0))
            vertices = elements[-1][0] if words[1] == "vertex" else vertices
        elif words[:1] == ["property"] and elements and len(words) > 2:
            kind = words[2] if words[1] == "list" else words[1]
            count, least = elements[-1]
            elements[-1] = count, least + (1 if ascii_text else BYTES.get(kind, 1))
    if sum(count * max(least, 1) for count, least in elements) > size:
        raise _bad(path, "it ends before all that its header tells")
    return vertices


def _count(path: Path, words: list[str]) -> int:
    if len(words) != 3 or not words[2].isdecimal() or len(words[2]) > 18:
        raise _bad(path, f"its header tells of {' '.join(words[1:3])!r}")
    return int(words[2])


def _check_gltf(path: Path) -> None:
    record, size = _gltf_record(path), gate.check_file(path)
    if path.suffix.lower() == ".gltf":
        buffers = _records(record, "buffers")
        size += sum(b["byteLength"] for b in buffers if isinstance(b.get("byteLength"), int))
        beside = sum(p.stat().st_size for p in path.parent.glob("*.bin"))
        size = min(size, gate.check_file(path) + beside)
    for accessor in _records(record, "accessors"):
        count = accessor.get("count", 0)
        if not isinstance(count, int) or not 0 <= count <= size:
            raise _bad(path, "it ends before all that it tells of")


def _records(record: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = record.get(name, [])
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []


def _gltf_record(path: Path) -> dict[str, Any]:
    """The JSON of a .gltf or .glb; InputError for what is none."""
    if gate.check_file(path) > 4 * 2**30:
        raise _bad(path, "it is larger than a glTF file can be")
    with gate.opened(path) as file:
        if path.suffix.lower() == ".glb":
            head = file.read(20)
            if len(head) < 20:
                raise _bad(path, "it is too short for a glTF file")
            magic, _, _, length, chunk = struct.unpack("<5I", head)
            if magic != GLB or chunk != JSON_CHUNK or length > gate.check_file(path):
                raise _bad(path, "it does not begin as a glTF file does")
            text = file.read(length)
        else:
            text = file.read(MOST_JSON)
    try:
        record = parse_json(text, path.name)
    except InputError as error:
        raise _bad(path, "its JSON can't be read") from error
    if not isinstance(record, dict):
        raise _bad(path, "its JSON is no record")
    return record
